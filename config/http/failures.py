"""What can be wrong with an answer."""

import http.client

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


class BrokenOff(HttpFailed):
    """The body ended before its end."""


class TooLarge(HttpFailed):
    """More than we take."""

    is_transient = False


class StatusRefused(HttpFailed):
    """Another status than 200, or 304 where we asked for changes. `retry_after` is what the server asks for."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        words = http.client.responses.get(status, "")
        super().__init__(f"the server answered {status} {words}".rstrip())
        self.status, self.retry_after = status, retry_after
        self.is_transient = status in RETRIED
