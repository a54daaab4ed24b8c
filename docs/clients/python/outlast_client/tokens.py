"""Whose token is sent, and that a new one is fetched when it has run out."""

import threading
from collections.abc import Generator
from typing import Any

import httpx

REFRESH = "/api/v1/auth/token/refresh"


class Tokens(httpx.Auth):
    """The tokens of one sign-in, or an API key. Shared by threads: of those who meet a spent token, one refreshes it.

    A refresh token is good for one use, and using it again ends the sign-in: hence the lock.
    """

    requires_response_body = True

    def __init__(self, base_url: str, api_key: str | None = None) -> None:
        self._refresh_url = f"{base_url.rstrip('/')}{REFRESH}"
        self._api_key = api_key
        self._access: str | None = None
        self._refresh: str | None = None
        self._lock = threading.Lock()

    @property
    def is_known(self) -> bool:
        """Whether calls are made as somebody."""
        return self._api_key is not None or self._access is not None

    @property
    def refresh(self) -> str | None:
        """What ends the sign-in when it is handed to `logout`."""
        return self._refresh

    def keep(self, access: str | None, refresh: str | None) -> None:
        """From now on, send these; None for nobody's."""
        self._access, self._refresh = access, refresh

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token; where it is not good any more, get another and send the call again."""
        used = self._sign(request)
        response = yield request
        if used is None or self._refresh is None or not _is_spent(response):
            return
        with self._lock:
            if self._access == used:
                answer = yield httpx.Request("POST", self._refresh_url, json={"refresh": self._refresh})
                if answer.is_error:
                    # The sign-in is over only where the server says so; trouble on the way leaves it as it was.
                    if answer.status_code == 401:
                        self.keep(None, None)
                    return
                got: dict[str, Any] = answer.json()["data"]
                self.keep(got["access"], got["refresh"])
        self._sign(request)
        yield request

    def _sign(self, request: httpx.Request) -> str | None:
        if self._api_key is not None:
            request.headers["Authorization"] = f"Api-Key {self._api_key}"
        elif self._access is not None:
            request.headers["Authorization"] = f"Bearer {self._access}"
        return self._access


def _is_spent(response: httpx.Response) -> bool:
    try:
        return response.status_code == 401 and response.json()["error"]["code"] == "TOKEN_INVALID"
    except (ValueError, KeyError, TypeError):
        return False
