"""Reading the cells of a schedule; every complaint names the line."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from pools.services.schedule.fixtures import ScheduleError
from pools.services.schedule.source import Row

T = TypeVar("T")

# R writes NA for a missing value.
MISSING = frozenset({"", "NA", "NULL", "None"})
CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")


def text(row: Row, column: str, *, longest: int) -> str:
    """A value that must be there."""
    value = row[column]
    if value in MISSING or len(value) > longest:
        raise ScheduleError(f"Line {row.line}: {column} must have 1 to {longest} characters.")
    return value


def whole_number(row: Row, column: str, *, low: int, high: int) -> int | None:
    """A whole number in the range, or None for a missing value. `3.0` is 3: spreadsheets write that."""
    value = row.get(column, "")
    if value in MISSING:
        return None
    try:
        number = Decimal(value)
        if number == number.to_integral_value() and low <= number <= high:
            return int(number)
    except InvalidOperation:
        pass
    raise ScheduleError(f"Line {row.line}: {column} is {value!r}, not a whole number from {low} to {high}.")


def needed_number(row: Row, column: str, *, low: int, high: int) -> int:
    """A whole number that must be there."""
    number = whole_number(row, column, low=low, high=high)
    if number is None:
        raise ScheduleError(f"Line {row.line}: {column} is missing.")
    return number


def day(row: Row, column: str) -> date:
    """`2024-09-05`."""
    return _parsed(row, column, date.fromisoformat, "a date such as 2024-09-05")


def clock(row: Row, column: str) -> time | None:
    """`20:20`, or None for a missing value."""
    if row[column] in MISSING:
        return None
    return _parsed(row, column, _clock, "a time such as 20:20")


def _clock(value: str) -> time:
    found = CLOCK.fullmatch(value)
    if found is None:
        raise ValueError(value)
    return time(int(found[1]), int(found[2]))


def instant(row: Row, column: str) -> datetime:
    """`2023-08-11T19:00:00Z`; must say its zone."""
    found = _parsed(row, column, datetime.fromisoformat, "an instant such as 2023-08-11T19:00:00Z")
    if found.tzinfo is None:
        raise ScheduleError(f"Line {row.line}: {column} is {row[column]!r}, without a zone.")
    return found.astimezone(UTC)


def spread(row: Row, column: str) -> Decimal | None:
    """Points to one decimal, or None where there are none or they make no sense: nothing depends on them but hints."""
    try:
        value = Decimal(row.get(column, "")).quantize(Decimal("0.1"))
    except InvalidOperation:
        return None
    return value if abs(value) < 1000 else None


def _parsed(row: Row, column: str, parse: Callable[[str], T], expected: str) -> T:
    try:
        return parse(row[column])
    except ValueError:
        raise ScheduleError(f"Line {row.line}: {column} is {row[column]!r}, not {expected}.") from None
