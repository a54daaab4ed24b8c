"""What an operation promises, declared once and used three times: by the view, by the schema, by the tests.

    @operation(
        errors=(Code.POOL_FULL, Code.INVALID_TRANSITION),
        body=RejectBody, answer=RequestOut, status=201,
        limits=(STAFF,), idempotency=Mode.ORDINARY, key_required=False, moves_money=False, fresh=True,
        scope="requests:decide",
    )
    def reject(self, request, pk): ...

Only the errors of the operation's own are named: those that follow from being an API call (sign-in, validation,
limits, idempotency …) are added by `all_errors`. A view that answers with an undeclared code fails its test.

`fresh` asks that the caller proved a moment ago who they are (`config.freshness`): for what a thief of a token must not
be able to do. `scope` is what an API key needs for it, where that does not follow from the view's family
(`config.api.scopes`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import BaseSerializer

from config.api.deprecation import Deprecation
from config.api.idempotency import Mode
from config.api.ratelimit import Policy
from config.errors import Code

SerializerClass = type[BaseSerializer[Any]]
F = TypeVar("F", bound=Callable[..., Any])
UNSET: Any = object()


@dataclass(frozen=True)
class Operation:
    """One method of a view, as promised."""

    errors: tuple[Code, ...] = ()
    body: SerializerClass | None = UNSET
    # The same as a form, with files: for a view that has a parser of such.
    form: SerializerClass | None = None
    answer: SerializerClass | BaseSerializer[Any] | None = UNSET
    query: SerializerClass | None = None
    parameters: tuple[OpenApiParameter, ...] = ()
    status: int | None = None
    summary: str = ""
    limits: tuple[Policy, ...] | None = None
    idempotency: Mode = Mode.ORDINARY
    key_required: bool = False
    moves_money: bool = False
    media_types: Mapping[str, Any] | None = None
    fresh: bool = False
    # Whether `If-Match` is compared with the rows that this writes (`config.api.editing`).
    if_match: bool = False
    # Of an API key; None: no key may.
    scope: str | None = UNSET
    # What client generators call it, where method and address do not say it well.
    name: str = ""
    # The body of the documented call, where the usual values of its fields are not what it takes.
    example: Mapping[str, Any] | None = None
    # Whether the answer says in Location where the made thing is.
    is_located: bool = False
    # Announced to end (`config.api.deprecation`).
    deprecated: Deprecation | None = None
    # Whether callers may ask for some fields alone, where the answer has declared ones (`config.api.sparse`).
    sparse: bool = True


NOTHING_DECLARED = Operation()


def operation(
    *,
    errors: tuple[Code, ...] = (),
    body: SerializerClass | None = UNSET,
    form: SerializerClass | None = None,
    answer: SerializerClass | BaseSerializer[Any] | None = UNSET,
    query: SerializerClass | None = None,
    parameters: tuple[OpenApiParameter, ...] = (),
    status: int | None = None,
    summary: str = "",
    limits: tuple[Policy, ...] | None = None,
    idempotency: Mode = Mode.ORDINARY,
    key_required: bool = False,
    moves_money: bool = False,
    media_types: Mapping[str, Any] | None = None,
    fresh: bool = False,
    if_match: bool = False,
    scope: str | None = UNSET,
    name: str = "",
    example: Mapping[str, Any] | None = None,
    is_located: bool = False,
    deprecated: Deprecation | None = None,
    sparse: bool = True,
) -> Callable[[F], F]:
    """Declare what the decorated view method promises. Stands below DRF's `@action`."""
    declared = Operation(
        errors=errors,
        body=body,
        form=form,
        answer=answer,
        query=query,
        parameters=parameters,
        status=status,
        summary=summary,
        limits=limits,
        idempotency=idempotency,
        key_required=key_required,
        moves_money=moves_money,
        media_types=media_types,
        fresh=fresh,
        if_match=if_match,
        scope=scope,
        name=name,
        example=example,
        is_located=is_located,
        deprecated=deprecated,
        sparse=sparse,
    )

    def declare(method: F) -> F:
        method.operation = declared  # type: ignore[attr-defined]  # a note on the function, read by `operation_of`
        return method

    return declare


def operation_of(view: Any, method: str) -> Operation:
    """What the view promises for this HTTP method."""
    name = getattr(view, "action", None) or method.lower()
    declared: Operation = getattr(getattr(view, name, None), "operation", NOTHING_DECLARED)
    return declared
