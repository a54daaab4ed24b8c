"""What the home page shows, by whoever knows it. Apps make theirs known when their admin is imported; the kernel knows
none.

    queue(Queue("rulings", _("Rulings for a second name"), "entries_ruling", among("status", "proposed"),
                since="proposed_at", query="?status__exact=proposed"))

A queue is rows that wait for a person: the page tells how many and for how long, and leads to the list that shows just
them. All queues are counted in one statement. A panel is a part of the page with a query and a template of its own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise

Text = str | Promise
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows of `table` that wait, oldest first by `since`; a column that `is_due` is the instant until which they may.

    `where` and `since` are SQL of the table's columns, constant text of ours. Whoever may see the list sees the queue.
    `patience` is how long a row may wait, or how near its deadline may be, before the page says so.
    """

    name: str
    label: Text
    table: str
    where: str
    since: str
    query: str | Callable[[datetime], str] = ""
    is_due: bool = False
    is_urgent: bool = False
    patience: timedelta = A_DAY
    icon: str = "inbox"
    # Where the list asks for another than that to view its rows.
    needs: str = ""

    @property
    def permission(self) -> str:
        """Of the list behind it."""
        app, _, model = self.table.partition("_")
        return self.needs or f"{app}.view_{model}"

    @property
    def address(self) -> str:
        """The name of that list."""
        return f"admin:{self.table}_changelist"


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page for those with the permission. `read` may ask the database once."""

    name: str
    title: Text
    permission: str
    template: str
    read: Callable[[HttpRequest], Mapping[str, Any]]
    icon: str = "monitoring"
    # Others find room beside it, one below the other.
    is_tall: bool = False


_queues: dict[str, Queue] = {}
_panels: dict[str, Panel] = {}


def queue(*declared: Queue) -> None:
    """Make these known. Refuses a second one of the same name."""
    for one in declared:
        _add(_queues, one.name, one)


def panel(*declared: Panel) -> None:
    """Make these known. Refuses a second one of the same name."""
    for one in declared:
        _add(_panels, one.name, one)


def queues_for(person: Any) -> list[Queue]:
    """Those whose list this person may see."""
    return [one for one in _queues.values() if person.has_perm(one.permission)]


def panels_for(person: Any) -> list[Panel]:
    """Those that this person may see."""
    return [one for one in _panels.values() if person.has_perm(one.permission)]


def among(column: str, *values: str) -> str:
    """SQL: the column has one of these codes of ours."""
    return f"{column} IN ({', '.join(_quoted(values))})"


def _quoted(values: Iterable[str]) -> Iterable[str]:
    for value in values:
        if not value.replace("_", "").isalnum():
            raise ValueError(f"not a code: {value!r}")
        yield f"'{value}'"


def _add(known: dict[str, Any], name: str, one: Any) -> None:
    if name in known:
        raise ValueError(f"two parts of the home page are named {name}")
    known[name] = one
