"""What a provider may answer in place of what was asked, and what is known afterwards.

    Rejected      it said no, for good: nothing was done, and the same call will never work
    Busy          it asks for patience, or (AtWork) is answering this very call: make the same call again
    Unreachable   we could not ask
    Unclear       it may or may not have been done: only the same call with the same key, or a look, can tell
    Faulted       the same, and the same call would only bring the same fault

All of them are PROVIDER_ERROR (502) to a caller.
"""

from typing import ClassVar

from config.errors import Code, Malformed, ProviderFailed


class ProviderError(ProviderFailed):
    """The provider did not do what we asked; `reason` is for staff and logs, never for the caller."""

    said = "The payment provider could not be asked. Try again in a moment."
    details_said: ClassVar[dict[str, int]] = {"retry_after": 2}

    def __init__(self, reason: str = "") -> None:
        super().__init__(Code.PROVIDER_ERROR, self.said, self.details_said)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason or self.message


class Rejected(ProviderError):
    """Refused for good: nothing was done."""

    said = "The payment provider refused this payment."
    details_said: ClassVar[dict[str, int]] = {}


class ClocksDiffer(Rejected):
    """The session's end is too near or too far by its clock, which is not ours."""


class NotThere(Rejected):
    """It knows no such session."""


class Busy(ProviderError):
    """At work on this very call, or too busy: make the same call again later."""

    said = "The payment provider is busy. Try again in a moment."


class RateLimited(Busy):
    """It takes no more calls for a moment, and did not look at this one."""


class AtWork(Busy):
    """This very call is being answered to somebody else."""


class Unreachable(ProviderError):
    """It could not be asked."""


class Unclear(ProviderError):
    """Nobody knows whether it was done."""

    said = "The payment provider did not answer in time. Try again: you will not be charged twice."


class Faulted(Unclear):
    """It answered with a fault, which it will repeat for this key. What it did before has to be looked up."""


class SignatureInvalid(Malformed):
    """News that the provider did not sign, or not now."""

    def __init__(self) -> None:
        super().__init__(Code.SIGNATURE_INVALID, "The signature is missing, wrong, or not of this moment.")
