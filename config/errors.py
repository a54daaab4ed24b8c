"""Every error a caller can meet, as a code and a family.

A service raises a family with a code; `config.api.handler` turns the family into an HTTP status. Domain code
therefore never knows about HTTP, and a status is decided in one place. Codes are those of the API contract:
they are added to, never renamed.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_noop

from config.phrases import Name, in_language, phrase

# What a move outside the map is told as.
A_OUTSIDE = gettext_noop("A {noun} that is {current} cannot become {target}.")
AN_OUTSIDE = gettext_noop("An {noun} that is {current} cannot become {target}.")


class Code(StrEnum):
    """The registry of `error.code` values."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    PARSE_ERROR = "PARSE_ERROR"
    IDEMPOTENCY_KEY_REQUIRED = "IDEMPOTENCY_KEY_REQUIRED"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED"
    TOKEN_INVALID = "TOKEN_INVALID"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    OTP_REQUIRED = "OTP_REQUIRED"
    SIGN_IN_FAILED = "SIGN_IN_FAILED"
    FORBIDDEN = "FORBIDDEN"
    REAUTHENTICATION_REQUIRED = "REAUTHENTICATION_REQUIRED"
    SCOPE_MISSING = "SCOPE_MISSING"
    EMAIL_NOT_VERIFIED = "EMAIL_NOT_VERIFIED"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    EXCLUDED = "EXCLUDED"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    REQUEST_LIMIT_REACHED = "REQUEST_LIMIT_REACHED"
    KEY_LIMIT_REACHED = "KEY_LIMIT_REACHED"
    ENDPOINT_LIMIT_REACHED = "ENDPOINT_LIMIT_REACHED"
    POOL_FULL = "POOL_FULL"
    IDEMPOTENCY_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
    ALREADY_PAID = "ALREADY_PAID"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    REFERENCE_USED = "REFERENCE_USED"
    CHARGE_DISPUTED = "CHARGE_DISPUTED"
    REFUND_TOO_LARGE = "REFUND_TOO_LARGE"
    REFUND_NOT_ALLOWED = "REFUND_NOT_ALLOWED"
    WRITE_OFF_TOO_LARGE = "WRITE_OFF_TOO_LARGE"
    CORRECTION_NEEDS_RULING = "CORRECTION_NEEDS_RULING"
    RULING_STALE = "RULING_STALE"
    POOL_CLOSED = "POOL_CLOSED"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    TEAM_ALREADY_USED = "TEAM_ALREADY_USED"
    TEAM_NOT_PLAYING = "TEAM_NOT_PLAYING"
    GAME_STARTED = "GAME_STARTED"
    ENTRY_NOT_ACTIVE = "ENTRY_NOT_ACTIVE"
    ENTRY_SUSPENDED = "ENTRY_SUSPENDED"
    ROUND_NOT_OPEN = "ROUND_NOT_OPEN"
    FALLBACK_NOT_USED = "FALLBACK_NOT_USED"
    BUY_BACK_NOT_ALLOWED = "BUY_BACK_NOT_ALLOWED"
    PAYMENT_NOT_DUE = "PAYMENT_NOT_DUE"
    SPENDING_LIMIT_REACHED = "SPENDING_LIMIT_REACHED"
    FILE_REFUSED = "FILE_REFUSED"
    PROFILE_INCOMPLETE = "PROFILE_INCOMPLETE"
    PRIZE_NOT_DUE = "PRIZE_NOT_DUE"
    TAX_FORM_MISSING = "TAX_FORM_MISSING"
    SECOND_NAME_NEEDED = "SECOND_NAME_NEEDED"
    ALREADY_EXPORTED = "ALREADY_EXPORTED"
    ACCOUNT_NOT_MAPPED = "ACCOUNT_NOT_MAPPED"
    ALREADY_IMPORTED = "ALREADY_IMPORTED"
    PERIOD_CLOSED = "PERIOD_CLOSED"
    LINK_EXPIRED = "LINK_EXPIRED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    ALREADY_RUNNING = "ALREADY_RUNNING"
    LIMIT_PENDING = "LIMIT_PENDING"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    RATE_LIMITED = "RATE_LIMITED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    PROVIDER_ERROR = "PROVIDER_ERROR"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"


class DomainError(Exception):
    """Something the system refuses, with a code for programs and a sentence for people.

    `details` carries machine-readable facts (ids, instants); for validation it maps a field to its messages.
    """

    def __init__(self, code: Code, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details: dict[str, Any] = dict(details or {})

    @property
    def sentence(self) -> str:
        """The message in the language of the page or call."""
        return in_language(self.message)


class Malformed(DomainError):
    """400: the body or a parameter is malformed or fails field validation."""


class Unauthenticated(DomainError):
    """401: no, bad, expired or revoked credentials."""


class Forbidden(DomainError):
    """403: a known caller who may not do this."""


class NotFound(DomainError):
    """404: not there, or not yours."""


class Conflict(DomainError):
    """409: the state does not allow it, or it exists already."""


class Gone(DomainError):
    """410: it was there, and is not any more."""


class Refused(DomainError):
    """422: well-formed, refused by a rule of the contest."""


class TooMany(DomainError):
    """429: too many calls."""


class ProviderFailed(DomainError):
    """502: the payment provider failed or answered nonsense."""


class Unavailable(DomainError):
    """503: something this call needs is not ready; trying again later may help."""


class InvalidTransition(Conflict):
    """A status change outside the transition map."""

    def __init__(self, noun: str, current: str, target: str) -> None:
        sentence = AN_OUTSIDE if noun[:1] in "aeiou" else A_OUTSIDE
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase(
                sentence,
                noun=Name(noun),
                current=Name(current),
                target=Name(target),
            ),
            {"from": current, "to": target},
        )


def invalid(field: str, message: str) -> Malformed:
    """A validation error about one field."""
    return Malformed(Code.VALIDATION_ERROR, message, {field: [message]})
