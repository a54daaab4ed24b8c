"""Who may come in: pages of known origins, so many clients of one address, so many in all.

What is told is public, and no cookie is looked at, so the origin protects nobody's secrets; it keeps other sites from
having their visitors listen at our cost. Programs send no origin, and are welcome.
"""

import json
from collections import Counter
from typing import Any

from django.conf import settings

from config.api.addresses import address_in, network_of
from config.api.envelope import enveloped
from config.api.handler import failure
from config.api.statuses import STATUS_OF_CODE
from config.errors import Code
from config.live import figures


class TurnedAway(Exception):
    """Not let in: with a code of the API, and a hint when to come back."""

    def __init__(self, code: Code, *, retry_after: int = 0) -> None:
        super().__init__(code)
        self.code, self.retry_after = code, retry_after
        self.status = STATUS_OF_CODE[code]

    def body(self) -> bytes:
        """The answer, in the envelope of the API."""
        return json.dumps(enveloped(failure(self.code)), default=str).encode()

    def headers(self) -> list[tuple[bytes, bytes]]:
        given = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        if self.retry_after:
            given.append((b"retry-after", str(self.retry_after).encode()))
        return given


def header(scope: dict[str, Any], name: bytes) -> str:
    """A header's value, of several one list; empty where there is none."""
    return ", ".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


def allowed_origin(scope: dict[str, Any]) -> str:
    """The page's origin, empty for programs. Raises TurnedAway for a page that is not ours."""
    origin = header(scope, b"origin")
    if origin and origin.lower() not in {settings.PUBLIC_URL.rstrip("/").lower(), *settings.CORS_ALLOWED_ORIGINS}:
        figures.TURNED_AWAY.labels("origin").inc()
        raise TurnedAway(Code.FORBIDDEN)
    return origin


class Doors:
    """Counts who is inside."""

    def __init__(self) -> None:
        self._inside: Counter[str] = Counter()

    def enter(self, scope: dict[str, Any]) -> str:
        """Let a client in; the place that it is counted under. Raises TurnedAway where there is no room."""
        peer = (scope.get("client") or ("", 0))[0]
        forwarded = header(scope, b"x-forwarded-for")
        place = network_of(address_in({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}))
        if self._inside.total() >= settings.LIVE_CLIENTS:
            figures.TURNED_AWAY.labels("full").inc()
            raise TurnedAway(Code.SERVICE_UNAVAILABLE, retry_after=10)
        if self._inside[place] >= settings.LIVE_CLIENTS_PER_ADDRESS * settings.RATE_LIMIT_SCALE:
            figures.TURNED_AWAY.labels("address").inc()
            raise TurnedAway(Code.RATE_LIMITED, retry_after=10)
        self._inside[place] += 1
        return place

    def leave(self, place: str) -> None:
        """The client is gone."""
        self._inside[place] -= 1
        if not self._inside[place]:
            del self._inside[place]
