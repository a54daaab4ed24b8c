"""Every error code that an operation may answer with: its own, and those that follow from what kind of call it is."""

from typing import Any

from rest_framework.permissions import AllowAny

from config.api.idempotency import Mode
from config.api.operations import operation_of
from config.api.scopes import scope_of
from config.errors import Code

ALWAYS = (Code.VALIDATION_ERROR, Code.NOT_ACCEPTABLE, Code.RATE_LIMITED, Code.INTERNAL_ERROR, Code.SERVICE_UNAVAILABLE)
WITH_A_BODY = (Code.PARSE_ERROR, Code.PAYLOAD_TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE)
METHODS_WITH_A_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def is_public(view: Any) -> bool:
    """Whether nobody needs to sign in for the current operation."""
    return any(isinstance(permission, AllowAny) for permission in view.get_permissions())


def takes_idempotency_key(view: Any, method: str) -> bool:
    """Whether a key may come with the call: any POST that a signed-in caller can make."""
    mode = operation_of(view, method).idempotency
    return method.upper() == "POST" and mode is not Mode.OFF and bool(view.get_authenticators())


def all_errors(view: Any, method: str) -> set[Code]:
    """The codes that `method` of the view may answer with, 405 for the methods it does not have included."""
    method = method.upper()
    declared = operation_of(view, method)
    codes = {*ALWAYS, *view.errors, *declared.errors, Code.METHOD_NOT_ALLOWED}
    if method in METHODS_WITH_A_BODY:
        codes.update(WITH_A_BODY)
    if view.get_authenticators():
        # An API key meets either the scope it lacks, or a door that is closed to keys.
        codes.update((Code.TOKEN_INVALID, Code.SCOPE_MISSING if scope_of(view, method) else Code.FORBIDDEN))
    if not is_public(view):
        codes.update((Code.NOT_AUTHENTICATED, Code.FORBIDDEN))
    if getattr(view, "kwargs", None) or view.has_path_parameters:
        codes.add(Code.NOT_FOUND)
    if takes_idempotency_key(view, method):
        codes.update((Code.IDEMPOTENCY_IN_PROGRESS, Code.IDEMPOTENCY_KEY_REUSED))
    if declared.if_match:
        codes.add(Code.VERSION_CONFLICT)
    if declared.fresh:
        codes.add(Code.REAUTHENTICATION_REQUIRED)
    if declared.key_required:
        codes.add(Code.IDEMPOTENCY_KEY_REQUIRED)
    return codes
