"""Pages of lists that grow: `first` rows after a cursor, along an index, as `config.api.pagination` does for REST."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import strawberry
from django.db.models import QuerySet
from strawberry_django.optimizer import OptimizerConfig, optimize

from config.api.handler import MESSAGES
from config.api.pagination import (
    DEFAULT_LIMIT,
    NEWEST_FIRST,
    position_of,
    read_position,
    rows_after,
    sign_position,
)
from config.errors import Code, NotFound
from config.graphql.batches import together
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scoping import OF_PARENT, reads

# Our own queries say which columns they need; a column left out would be fetched again, row by row.
WHOLE_ROWS = OptimizerConfig(enable_only=False)

First = Annotated[int, strawberry.argument(description="How many, from 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Continue after this `endCursor` of the same list.")]
FIRST: First = DEFAULT_LIMIT


@reads(OF_PARENT)
@strawberry.type
class PageInfo:
    """Whether there is more, and where it begins."""

    has_next_page: bool
    end_cursor: str | None


def one_of(rows: QuerySet[Any], info: Asking) -> Any:
    """The only row, with whatever of its relations is asked for. Raises NOT_FOUND, whoever it belongs to."""
    found = looked_up(rows[:1], info)
    if not found:
        raise NotFound(Code.NOT_FOUND, MESSAGES[Code.NOT_FOUND])
    return found[0]


def looked_up(rows: QuerySet[Any], info: Asking) -> list[Any]:
    """The rows, with whatever of their relations is asked for."""
    info.context.check_time()
    return together(optimize(rows, info, config=WHOLE_ROWS))


def by_id(rows: QuerySet[Any], wanted: Iterable[Any], info: Asking) -> dict[Any, Any]:
    """Those of the rows that are wanted, by their ids, with whatever of their relations is asked for."""
    return {row.pk: row for row in looked_up(rows.filter(pk__in=list(wanted)), info)}


class Slice:
    """A part of a list, looked up when somebody asks what is in it.

    `of` tells the list from others: cursors of one are refused by another, and those of another caller by all.
    """

    def __init__(
        self,
        rows: QuerySet[Any],
        *,
        of: Sequence[Any],
        info: Asking,
        first: int,
        after: str | None,
        ordering: tuple[str, ...] = NEWEST_FIRST,
    ) -> None:
        self._of = (info.context.viewer.pk, *of)
        self._ordering = ordering
        self._first = first
        self._all = rows
        rows = rows.order_by(*ordering)
        if after is not None:
            rows = rows.filter(rows_after(self._position(after), ordering))
        self._rows = rows[: first + 1]
        self._found: list[Any] | None = None

    def nodes(self, info: Asking) -> list[Any]:
        """The rows, with whatever of their relations is asked for."""
        return self._look(optimize(self._rows, info, config=WHOLE_ROWS), info)[: self._first]

    def page_info(self, info: Asking) -> PageInfo:
        """Of the rows that were looked up, or are now."""
        found = self._look(self._rows, info) if self._found is None else self._found
        shown = found[: self._first]
        end = sign_position(self._of, position_of(shown[-1], self._ordering)) if shown else None
        return PageInfo(has_next_page=len(found) > self._first, end_cursor=end)

    def total(self, info: Asking) -> int:
        """How many there are in all."""
        info.context.check_time()
        return self._all.count()

    def _look(self, rows: QuerySet[Any], info: Asking) -> list[Any]:
        info.context.check_time()
        self._found = together(rows)
        return self._found

    def _position(self, after: str) -> list[Any]:
        return read_position(self._of, after, length=len(self._ordering), name="after")


@strawberry.type
class Connection:
    """What every page of a list has beside its rows. Subclassed with `nodes`, for each kind of row."""

    slice: strawberry.Private[Slice]

    @field("Where this page ends.")
    def page_info(self, info: Asking) -> PageInfo:
        return self.slice.page_info(info)

    @field("How many there are in all.", cost=20)
    def total(self, info: Asking) -> int:
        return self.slice.total(info)
