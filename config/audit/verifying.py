"""Recomputing the chain, from the entries as they stand: the first place where it is not whole, if there is one.

What is hashed is put together here once more, in Python: a database function that was tampered with deceives nobody.
Where a whole chain was rewritten, it is whole; then the heads that were mailed when the days were closed tell.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from config.audit.chain import GENESIS, hash_of, parts_of

CHUNK = 2000
# An entry is linked within seconds. One that waits no more and has no link after this was taken off the list.
LINKED_WITHIN = timedelta(minutes=10)

_LINKS = f"""
    SELECT l.day::text, l.number, l.entry_id, l.previous_hash, l.hash, e.id, {parts_of("e")}
    FROM config_auditlink l LEFT JOIN config_auditentry e ON e.id = l.entry_id
    WHERE (l.day, l.number) > (%(day)s::date, %(number)s) AND l.day <= %(last)s::date
    ORDER BY l.day, l.number LIMIT {CHUNK}
"""
_BEFORE = "SELECT hash FROM config_auditlink WHERE day < %s ORDER BY day DESC, number DESC LIMIT 1"
_CLOSED = "SELECT day::text, entries, head FROM config_auditday WHERE day BETWEEN %s AND %s ORDER BY day"
# What nobody has linked and nobody will.
_LEFT_OUT = """
    SELECT e.id, (e.at AT TIME ZONE 'UTC')::date::text FROM config_auditentry e
    WHERE e.at >= %(first)s::date AND e.at < %(last)s::date + 1 AND e.at < clock_timestamp() - %(within)s
      AND NOT EXISTS (SELECT 1 FROM config_auditlink l WHERE l.entry_id = e.id)
      AND NOT EXISTS (SELECT 1 FROM config_auditpending p WHERE p.entry_id = e.id)
    ORDER BY e.id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place that is not as it was written."""

    day: str
    number: int | None
    entry_id: int | None
    what: str

    def __str__(self) -> str:
        place = f"number {self.number}, " if self.number is not None else ""
        which = f"entry {self.entry_id}" if self.entry_id is not None else "no entry"
        return f"{self.day}, {place}{which}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at; `fault` is None where all of it is whole."""

    entries: int
    days: int
    fault: Fault | None


def verify(*, first: date, last: date, heads: Mapping[str, str] | None = None) -> Verified:
    """Look at all days from `first` to `last`. `heads` are those that were published, by day."""
    return _Walk(first, last).go(dict(heads or {}))


class _Walk:
    """Along the chain, with what is expected of the next link."""

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last
        self.before = next((found for (found,) in _all(_BEFORE, [first])), GENESIS)
        # Before the walk: a day that is closed meanwhile may have had links that the walk did not see.
        self.closed = _all(_CLOSED, [first, last])
        self.day, self.number = "", 0
        self.count = 0
        self.ends: dict[str, tuple[int, str]] = {}

    def go(self, heads: dict[str, str]) -> Verified:
        fault = None
        for link in self._links():
            fault = self._fault_of(*link)
            if fault is not None:
                break
            self.count += 1
        fault = fault or self._fault_of_days(heads) or self._left_out()
        return Verified(self.count, len(self.ends), fault)

    def _links(self) -> Iterator[tuple[Any, ...]]:
        """By pages, each beginning behind the last: memory does not grow with the years."""
        after: tuple[str, int] = (self.first.isoformat(), 0)
        while True:
            rows = _all(_LINKS, {"day": after[0], "number": after[1], "last": self.last})
            yield from rows
            if len(rows) < CHUNK:
                return
            after = rows[-1][0], rows[-1][1]

    def _fault_of(
        self, day: str, number: int, entry_id: int, before: str, found: str, present: int | None, *parts: str | None
    ) -> Fault | None:
        expected = self.number + 1 if day == self.day else 1
        self.day, self.number = day, number
        if number != expected:
            return Fault(day, expected, None, f"is missing: the next one is number {number}, entry {entry_id}")
        if before != self.before:
            return Fault(day, number, entry_id, "does not follow the one before it")
        if present is None:
            return Fault(day, number, entry_id, "was deleted")
        if found != hash_of(before=before, day=day, number=number, parts=parts):
            return Fault(day, number, entry_id, "is not what it was")
        self.before = found
        self.ends[day] = number, found
        return None

    def _fault_of_days(self, heads: dict[str, str]) -> Fault | None:
        """A day that was closed ends where it ended then."""
        for day, entries, head in self.closed:
            number, found = self.ends.get(day, (0, ""))
            if (number, found) != (entries, head):
                return Fault(day, number + 1, None, f"is missing: the day was closed with {entries} entries")
        for day, head in sorted(heads.items()):
            if self.ends.get(day, (0, ""))[1] != head:
                return Fault(day, None, None, "the day does not end with the head that was published")
        return None

    def _left_out(self) -> Fault | None:
        for entry_id, day in _all(_LEFT_OUT, {"first": self.first, "last": self.last, "within": LINKED_WITHIN}):
            return Fault(day, None, entry_id, "was never linked")
        return None


def _all(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
