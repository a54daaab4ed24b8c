"""What one row needs is looked up for all rows that were fetched with it: a list costs as much as a single row.

@strawberry.field
def picks(self, info: Asking) -> list[Pick]:
    return for_each(self, "picks", lambda entries: picks_by_entry(entries, …), info)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from config.graphql.context import Asking

Row = TypeVar("Row")
Value = TypeVar("Value")
TOGETHER = "_fetched_together"


def together(rows: Iterable[Row]) -> list[Row]:
    """The rows as a list, each knowing the others."""
    found = list(rows)
    for row in found:
        vars(row)[TOGETHER] = found
    return found


def as_asked(name: str, info: Asking) -> str:
    """A name for what is looked up with its own relations: these may differ from one alias to the next."""
    return f"{name}_{info.path.key}"


def for_each(
    row: Any, name: str, look_up: Callable[[Sequence[Any]], Mapping[Any, Value]], info: Asking
) -> Value | None:
    """What `look_up` finds for the row, by its `pk`; it is called once for all that were fetched with it.

    `name` tells what is looked up, by whichever alias it is asked for. None where nothing was found.
    """
    place = f"_looked_up_{name}"
    if place not in vars(row):
        info.context.check_time()
        rows = vars(row).get(TOGETHER, [row])
        found = look_up(rows)
        for each in rows:
            vars(each)[place] = found.get(each.pk)
    value: Value | None = vars(row)[place]
    return value
