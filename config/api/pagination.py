"""Lists, by page or by cursor.

Every list takes `?page=` from 1, `?limit=` 1..100, and `?cursor=`, and answers a `next_cursor`. `PagePagination` is the
default, for lists that stay short: its cursor counts. `KeysetPagination` is for lists that grow without bound: its
cursor continues after the last row seen, however far down that is, and it takes `?order=`. A list of raw rows uses
`read_limit`, `write_cursor` and `read_cursor` themselves.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.envelope import Page
from config.errors import Malformed, invalid
from config.phrases import phrase
from config.row_order import RowComparison

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
# Past it, the offset that PostgreSQL is asked for would leave bigint.
MAX_PAGE = 10_000_000

NEWEST_FIRST = ("-id",)
ORDERS = {"newest": NEWEST_FIRST, "oldest": ("id",)}

# The parameters that say which part of a list is meant, not which list.
POSITION_PARAMETERS = frozenset({"page", "limit", "cursor"})


def read_number(parameters: Mapping[str, str], name: str, *, default: int, highest: int) -> int:
    """A whole number from 1 to `highest`. Raises VALIDATION_ERROR for anything else."""
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= highest):
        raise invalid(name, phrase("Must be a whole number from 1 to {highest}.", highest=highest))
    return int(text)


def read_limit(parameters: Mapping[str, str]) -> int:
    """`?limit=`."""
    return read_number(parameters, "limit", default=DEFAULT_LIMIT, highest=MAX_LIMIT)


def read_page(parameters: Mapping[str, str]) -> int:
    """`?page=`."""
    return read_number(parameters, "page", default=1, highest=MAX_PAGE)


def write_cursor(request: Request, position: Sequence[Any]) -> str:
    """An opaque, signed text that continues this very list after `position`."""
    return sign_position(_list_of(request), position)


def read_cursor(request: Request, text: str, *, length: int) -> list[Any]:
    """The position in a cursor. Refuses one that we did not write for this caller, address and filter."""
    return read_position(_list_of(request), text, length=length, name="cursor")


def sign_position(of: Sequence[Any], position: Sequence[Any]) -> str:
    """The same for a list that is named by `of`: by whatever tells it from other lists, whose it is included."""
    values = [value.isoformat() if hasattr(value, "isoformat") else value for value in position]
    # Without the time: the same place in the same list is the same text, and a page with it keeps its tag.
    return signing.Signer(salt="cursor").sign_object([_digest(of), values], compress=True)


def read_position(of: Sequence[Any], text: str, *, length: int, name: str) -> list[Any]:
    """What `sign_position` signed for that list. `name` is what the refusal calls it."""
    try:
        found, values = signing.Signer(salt="cursor").unsign_object(text)
    except (signing.BadSignature, ValueError, TypeError):
        raise _bad_cursor(name) from None
    if found != _digest(of) or len(values) != length:
        raise _bad_cursor(name)
    return list(values)


def _bad_cursor(name: str) -> Malformed:
    return invalid(name, "Not a cursor of this list. Begin again without one.")


def _list_of(request: Request) -> tuple[Any, ...]:
    """Which list this is: the caller, the address and the filters."""
    filters = sorted((k, v) for k, vs in request.query_params.lists() for v in vs if k not in POSITION_PARAMETERS)
    return request.user.pk if request.user else None, request.path, filters


def _digest(of: Sequence[Any]) -> str:
    return hashlib.sha256(repr(tuple(of)).encode()).hexdigest()[:16]


class PagePagination(BasePagination):
    """`{page, limit, total, next_cursor}`. A page past the end is empty, not an error.

    With a cursor the answer has no `page` and no `total`.
    """

    # Set by a view that knows how many there are where counting them is dear.
    known_total: int | None = None
    # What the answer tells of this part of the list.
    pagination: dict[str, Any]

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """The rows of the asked page, or after the cursor."""
        limit, cursor = read_limit(request.query_params), request.query_params.get("cursor")
        if cursor is None:
            start = (read_page(request.query_params) - 1) * limit
            rows = self.page(queryset, request)
            more = start + limit < self.pagination["total"]
        else:
            (start,) = read_cursor(request, cursor, length=1)
            rows = list(queryset[start : start + limit + 1])
            more, rows = len(rows) > limit, rows[:limit]
            self.pagination = {"limit": limit}
        self.pagination["next_cursor"] = write_cursor(request, [start + limit]) if more else None
        return rows

    def page(self, queryset: Any, request: Request) -> list[Any]:
        """The rows of the asked page; the total is remembered for the answer."""
        limit, page = read_limit(request.query_params), read_page(request.query_params)
        total = self.count(queryset)
        start = (page - 1) * limit
        self.pagination = {"page": page, "limit": limit, "total": total}
        return list(queryset[start : start + limit]) if start < total else []

    def count(self, queryset: Any) -> int:
        """How many there are: what the view knows, else a count."""
        if self.known_total is not None:
            return self.known_total
        return queryset.count() if isinstance(queryset, QuerySet) else len(queryset)

    def get_paginated_response(self, data: Any) -> Response:
        """The page, for the envelope."""
        return Response(Page(data, self.pagination))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """`data` is the items themselves; the envelope around it is described by `config.api.schema`."""
        return schema

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """`page`, `limit` and `cursor`."""
        cursor = {
            "name": "cursor",
            "in": "query",
            "required": False,
            "description": "Continue after the last item seen: `next_cursor` of the answer before.",
            "schema": {"type": "string"},
        }
        return [
            _number_parameter("page", "Which page, from 1.", default=1, highest=MAX_PAGE),
            _number_parameter("limit", "How many items.", default=DEFAULT_LIMIT, highest=MAX_LIMIT),
            cursor,
        ]


class KeysetPagination(PagePagination):
    """Page or cursor. Subclass with an `ordering` of fields without NULL whose last one is unique.

    With a cursor the answer has no `page` and no `total`: counting a million rows is what the cursor avoids. A list in
    the usual order, the newest first, can be had the other way round: `?order=oldest`.
    """

    ordering: tuple[str, ...] = NEWEST_FIRST

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """The rows after the cursor, or of the page."""
        ordering = self._ordering(request)
        queryset = queryset.order_by(*ordering)
        cursor = request.query_params.get("cursor")
        if cursor is None:
            rows = self.page(queryset, request)
            page = self.pagination
            more = page["page"] * page["limit"] < page["total"]
        else:
            limit = read_limit(request.query_params)
            position = read_cursor(request, cursor, length=len(ordering))
            rows = list(queryset.filter(rows_after(position, ordering))[: limit + 1])
            more = len(rows) > limit
            rows = rows[:limit]
            self.pagination = {"limit": limit}
        last = position_of(rows[-1], ordering) if more and rows else None
        self.pagination["next_cursor"] = None if last is None else write_cursor(request, last)
        return rows

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """`page`, `limit`, `cursor`, and `order` where it can be turned round."""
        parameters = super().get_schema_operation_parameters(view)
        if self.ordering != NEWEST_FIRST:
            return parameters
        order = {
            "name": "order",
            "in": "query",
            "required": False,
            "description": "Which come first.",
            "schema": {"type": "string", "enum": list(ORDERS), "default": next(iter(ORDERS))},
        }
        return [*parameters, order]

    def _ordering(self, request: Request) -> tuple[str, ...]:
        order = request.query_params.get("order")
        if order is None or self.ordering != NEWEST_FIRST:
            return self.ordering
        if order not in ORDERS:
            raise invalid("order", phrase("Must be one of {choices}.", choices=", ".join(ORDERS)))
        return ORDERS[order]


def position_of(row: Any, ordering: Sequence[str]) -> list[Any]:
    """Where the row stands in a list of this ordering."""
    return [_value_of(row, field.lstrip("-")) for field in ordering]


def rows_after(position: Sequence[Any], ordering: Sequence[str]) -> Q:
    """Rows after the position: greater in the first field, or equal there and greater in the next, and so on.

    Where all fields run the same way they are compared as one row: an index then begins at the position, while
    the alternatives of an OR would make it walk there from the start.
    """
    if len({field.startswith("-") for field in ordering}) == 1:
        names = [field.lstrip("-") for field in ordering]
        sign: Literal["<", ">"] = "<" if ordering[0].startswith("-") else ">"
        return Q(RowComparison(names, sign, [_parsed(value) for value in position]))
    after, equal = Q(), Q()
    for field, value in zip(ordering, position, strict=True):
        name = field.lstrip("-")
        beyond = Q(**{f"{name}__{'lt' if field.startswith('-') else 'gt'}": _parsed(value)})
        after |= equal & beyond
        equal &= Q(**{name: _parsed(value)})
    return after


def _value_of(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = row[name] if isinstance(row, Mapping) else getattr(row, name)
    return row


def _parsed(value: Any) -> Any:
    """Instants travel as text."""
    return (parse_datetime(value) or value) if isinstance(value, str) and "T" in value else value


def _number_parameter(name: str, description: str, *, default: int, highest: int) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": highest, "default": default}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
