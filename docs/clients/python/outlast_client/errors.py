"""What the API refuses, as an exception with its code."""

from collections.abc import Mapping
from typing import Any

import httpx

from outlast_client.generated.models.error_code import ErrorCode


class ApiError(Exception):
    """An answer that is an error. `code` is what programs go by; `message` is for people and may change.

    `code` is plain text where the server is newer than this client and the code is not known here. `retry_after` is in
    seconds, where the server said when to come back.
    """

    def __init__(
        self, status: int, code: ErrorCode | str, message: str, details: Mapping[str, Any], request_id: str,
        retry_after: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(f"{status} {code}: {message} (request {request_id})")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.request_id = request_id
        self.retry_after = retry_after


def error_of(response: httpx.Response) -> ApiError:
    """The error that an answer tells, also where something in between answered that is not Outlast."""
    response.read()
    request_id = response.headers.get("X-Request-ID", "")
    wait = response.headers.get("Retry-After", "")
    retry_after = float(wait) if wait.isdigit() else None
    try:
        told = response.json()["error"]
        code, message, details = told["code"], told["message"], told["details"]
    except (ValueError, KeyError, TypeError):
        code, message, details = "", response.reason_phrase, {}
    return ApiError(response.status_code, known(code), message, details, request_id, retry_after)


def known(code: str) -> ErrorCode | str:
    """The code as one of the schema's, or as it came."""
    try:
        return ErrorCode(code)
    except ValueError:
        return code
