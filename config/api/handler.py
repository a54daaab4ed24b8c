"""From an exception to an answer: the only place where a refusal gets its HTTP status and its envelope.

Never a trace, and never the text of an exception that is not ours.
"""

import logging
from collections.abc import Mapping
from typing import Any

from django.core import exceptions as django_errors
from django.core.signals import got_request_exception
from django.db import Error, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.response import Response

from config.api.envelope import Failure
from config.api.statuses import STATUS_OF_CODE, status_of
from config.constraints import meaning_of
from config.errors import Code, DomainError

logger = logging.getLogger(__name__)

MESSAGES = {
    Code.VALIDATION_ERROR: "Some fields are not valid.",
    Code.PARSE_ERROR: "The body is not valid JSON.",
    Code.NOT_AUTHENTICATED: "Sign in first: this call needs credentials.",
    Code.TOKEN_INVALID: "The credentials are not valid, or no longer.",
    Code.FORBIDDEN: "You may not do this.",
    Code.NOT_FOUND: "There is nothing here, or it is not yours.",
    Code.METHOD_NOT_ALLOWED: "This address does not know that method.",
    Code.NOT_ACCEPTABLE: "This address cannot answer in any form that the Accept header allows.",
    Code.PAYLOAD_TOO_LARGE: "The body is too large.",
    Code.UNSUPPORTED_MEDIA_TYPE: "The body must be application/json.",
    Code.RATE_LIMITED: "Too many calls. Wait, then try again.",
    Code.INTERNAL_ERROR: "Something went wrong on our side. Quote the request id if it stays so.",
    Code.SERVICE_UNAVAILABLE: "Not available at the moment. Try again shortly.",
}

CODE_OF_DRF_ERROR: tuple[tuple[type[drf.APIException], Code], ...] = (
    (drf.ParseError, Code.PARSE_ERROR),
    (drf.NotAuthenticated, Code.NOT_AUTHENTICATED),
    (drf.AuthenticationFailed, Code.TOKEN_INVALID),
    (drf.PermissionDenied, Code.FORBIDDEN),
    (drf.NotFound, Code.NOT_FOUND),
    (drf.MethodNotAllowed, Code.METHOD_NOT_ALLOWED),
    (drf.NotAcceptable, Code.NOT_ACCEPTABLE),
    (drf.UnsupportedMediaType, Code.UNSUPPORTED_MEDIA_TYPE),
    (drf.Throttled, Code.RATE_LIMITED),
)


def failure(code: Code, details: Mapping[str, Any] | None = None) -> Failure:
    """The failure with its usual sentence."""
    return Failure(code, MESSAGES[code], details or {})


def handle(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's `EXCEPTION_HANDLER`."""
    found, headers = explain(exc)
    status = STATUS_OF_CODE[found.code]
    if isinstance(exc, DomainError):
        status = status_of(exc)
    if status == 500:
        report(exc, context.get("request"))
    if status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="api"')
    return Response(found, status=status, headers=headers)


def explain(exc: Exception) -> tuple[Failure, dict[str, str]]:
    """What to tell the caller, and with which headers."""
    if isinstance(exc, DomainError):
        return Failure(exc.code, exc.message, exc.details), _retry_header(exc)
    if isinstance(exc, drf.ValidationError):
        return failure(Code.VALIDATION_ERROR, flatten(exc.detail)), {}
    if isinstance(exc, drf.APIException):
        return _explain_drf(exc)
    if isinstance(exc, Http404 | django_errors.ObjectDoesNotExist):
        return failure(Code.NOT_FOUND), {}
    if isinstance(exc, django_errors.PermissionDenied):
        return failure(Code.FORBIDDEN), {}
    if isinstance(exc, django_errors.RequestDataTooBig):
        return failure(Code.PAYLOAD_TOO_LARGE), {}
    if isinstance(exc, django_errors.SuspiciousOperation):
        return failure(Code.VALIDATION_ERROR), {}
    if isinstance(exc, django_errors.ValidationError):
        return _explain_model_validation(exc), {}
    if isinstance(exc, Error):
        return _explain_database(exc)
    return failure(Code.INTERNAL_ERROR), {}


def _retry_header(exc: DomainError) -> dict[str, str]:
    seconds = exc.details.get("retry_after")
    if seconds is None and STATUS_OF_CODE.get(exc.code) == 503:
        seconds = 1
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _explain_drf(exc: drf.APIException) -> tuple[Failure, dict[str, str]]:
    headers: dict[str, str] = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]  # set by APIView.handle_exception
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait))  # type: ignore[attr-defined]  # of Throttled
    for family, code in CODE_OF_DRF_ERROR:
        if isinstance(exc, family):
            return failure(code), headers
    return failure(Code.INTERNAL_ERROR), headers


def _explain_model_validation(exc: django_errors.ValidationError) -> Failure:
    """A model's own checks; a broken constraint among them keeps the code it was declared with."""
    errors = [error for group in exc.error_dict.values() for error in group] if hasattr(exc, "error_dict") else [exc]
    for error in errors:
        code = getattr(error, "code", None)
        if code in list(Code):
            return Failure(Code(str(code)), " ".join(error.messages))
    details = exc.message_dict if hasattr(exc, "error_dict") else {"non_field_errors": exc.messages}
    return failure(Code.VALIDATION_ERROR, {_field_name(name): messages for name, messages in details.items()})


def _explain_database(exc: Error) -> tuple[Failure, dict[str, str]]:
    """A constraint speaks by its name; a lock not to be had, a deadlock or a lost server pass with time."""
    meaning = meaning_of(exc)
    if meaning is not None:
        return Failure(meaning.code, meaning.message), {}
    if isinstance(exc, OperationalError | InterfaceError):
        logger.warning("database not available: %s", type(exc.__cause__ or exc).__name__)
        return failure(Code.SERVICE_UNAVAILABLE), {"Retry-After": "1"}
    return failure(Code.INTERNAL_ERROR), {}


def flatten(detail: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested errors as dotted field → messages, so that `details` has one shape: `{"picks.0.team": [...]}`."""
    if isinstance(detail, Mapping):
        pairs = [(f"{path}.{key}" if path else str(key), value) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        pairs = [(f"{path}.{i}" if path else str(i), item) for i, item in enumerate(detail)]
    else:
        messages = [str(item) for item in (detail if isinstance(detail, list) else [detail])]
        return {path or "non_field_errors": messages} if messages else {}
    return {name: messages for key, value in pairs for name, messages in flatten(value, key).items()}


def _field_name(name: str) -> str:
    return "non_field_errors" if name == django_errors.NON_FIELD_ERRORS else name


def report(exc: BaseException, request: Any) -> None:
    """Tell the log and whoever listens for crashes (Sentry, the test client), with the trace the caller never sees."""
    logger.error("unhandled %s", type(exc).__name__, exc_info=exc)
    got_request_exception.send(sender=None, request=getattr(request, "_request", request))
