"""A connection to Outlast: what the generated calls are made through."""

import time
import uuid
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from outlast_client.errors import error_of
from outlast_client.generated.api.auth import create_token, logout
from outlast_client.generated.client import AuthenticatedClient
from outlast_client.generated.models.refresh_body_request import RefreshBodyRequest
from outlast_client.generated.models.sign_in_body_request import SignInBodyRequest
from outlast_client.generated.types import UNSET
from outlast_client.retrying import REPEATABLE_METHODS, Patience
from outlast_client.tokens import Tokens

KEY = "Idempotency-Key"
T = TypeVar("T")


class Outlast:
    """One caller's connection. Its `client` is handed to the generated functions; their asyncio forms are not for it.

    Errors are raised as `ApiError`. Calls that change nothing when made twice are made again when the network or the
    server fails: reads, PUT, DELETE, and each POST of somebody signed in, which gets an `Idempotency-Key` if it has
    none. Other calls are made once.
    """

    def __init__(
        self, base_url: str, *, api_key: str | None = None, language: str = "en", patience: Patience | None = None,
        timeout: float = 30.0,
    ) -> None:  # fmt: skip
        self.tokens = Tokens(base_url, api_key)
        http = _Http(self.tokens, patience or Patience(), base_url, language, timeout)
        self.client = AuthenticatedClient(base_url=base_url, token="", raise_on_unexpected_status=True)
        self.client.set_httpx_client(http)

    def sign_in(self, email: str, password: str, otp: str | None = None) -> None:
        """Make all further calls as this person. The password is not kept."""
        body = SignInBodyRequest(email=email, password=password, otp=otp or UNSET)
        got = answered(create_token.sync(client=self.client, body=body)).data
        self.tokens.keep(got.access, got.refresh)

    def sign_out(self) -> None:
        """End the sign-in, here and at the server."""
        if self.tokens.refresh is not None:
            logout.sync_detailed(client=self.client, body=RefreshBodyRequest(refresh=self.tokens.refresh))
        self.tokens.keep(None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.get_httpx_client().close()


def answered(answer: T | None) -> T:
    """The answer, which is there: whatever is no good answer has been raised."""
    if answer is None:
        raise TypeError("this operation answers with nothing")
    return answer


class _Http(httpx.Client):
    """Sends, and sends again where that is safe; errors are raised."""

    def __init__(self, tokens: Tokens, patience: Patience, base_url: str, language: str, timeout: float) -> None:
        headers = {"Accept": "application/json, */*;q=0.5", "Accept-Language": language}
        super().__init__(base_url=base_url, auth=tokens, headers=headers, timeout=timeout)
        self._tokens, self._patience = tokens, patience

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """The good answer. Raises ApiError, and what httpx raises where there is no answer."""
        if request.method == "POST" and self._tokens.is_known and KEY not in request.headers:
            request.headers[KEY] = str(uuid.uuid4())
        attempt = 1
        while True:
            response, trouble = self._attempt(request, options)
            if response is not None and not response.is_error:
                return response
            error: Exception | None
            if response is not None:
                error = told = error_of(response)
                wait = self._patience.after_error(attempt, told)
            else:
                error, wait = trouble, self._patience.after_trouble(attempt)
            if wait is None or not self._is_repeatable(request):
                raise error or httpx.TransportError("no answer")
            time.sleep(wait)
            attempt += 1

    def _attempt(
        self, request: httpx.Request, options: dict[str, Any]
    ) -> tuple[httpx.Response | None, httpx.TransportError | None]:
        try:
            return super().send(request, **options), None
        except httpx.TransportError as trouble:
            return None, trouble

    def _is_repeatable(self, request: httpx.Request) -> bool:
        """Only the key of somebody known is heeded: without a sign-in a second POST would be a second act."""
        return request.method in REPEATABLE_METHODS or (KEY in request.headers and self._tokens.is_known)
