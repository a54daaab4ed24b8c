"""What can be wrong with an answer."""

import http.client
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.http.answers import Answer

RETRIED = frozenset({429, 500, 502, 503, 504})


class HttpFailed(Exception):
    """No usable answer; the message continues a sentence that names the source. `is_transient`: trying may help."""

    is_transient = True

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AddressRefused(HttpFailed):
    """We do not go there."""

    is_transient = False


class Unreachable(HttpFailed):
    """No connection, or one that broke before an answer."""


class TimedOut(HttpFailed):
    """It took too long."""


class NotConnected(TimedOut, Unreachable):
    """It took too long to get through at all."""


class BrokenOff(HttpFailed):
    """The body ended before its end."""


class TooLarge(HttpFailed):
    """More than we take."""

    is_transient = False


class CircuitOpen(HttpFailed):
    """Not even tried: the host has failed time and again, and rests. `retry_after` says for how many seconds more."""

    is_transient = False

    def __init__(self, retry_after: float) -> None:
        super().__init__("it failed time and again, and is left alone for a while")
        self.retry_after = retry_after


class StatusRefused(HttpFailed):
    """Another status than 200, or 304 where we asked for changes. `retry_after` is what the server asks for.

    `answer` is what came with it, where the caller takes any status.
    """

    def __init__(self, status: int, retry_after: float | None = None, answer: "Answer | None" = None) -> None:
        words = http.client.responses.get(status, "")
        super().__init__(f"the server answered {status} {words}".rstrip())
        self.status, self.retry_after, self.answer = status, retry_after, answer
        self.is_transient = status in RETRIED
