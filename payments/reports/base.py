"""What a finance report is: typed columns, one query, and the questions it can be narrowed by.

The type of a column, never the look of a cell, decides how it is written: text is made harmless for spreadsheets,
numbers stay numbers. Money comes twice, as a fixed decimal of major units and as an integer `…_minor`, with its
currency beside it. Instants are ISO 8601 in UTC, ids are text.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.conf import settings

from config.money import THREE_DECIMAL, ZERO_DECIMAL

# SQL of whether a refund's money has left our balance for good; see `RefundQuerySet.gone`.
GONE = "({0}.status = 'succeeded' OR {0}.is_paid AND {0}.status IN ('sending', 'unknown', 'pending'))"


class Kind(StrEnum):
    """How the cells of a column are written."""

    TEXT = "text"  # whatever a person may have typed
    CODE = "code"  # ids, our own codes, instants: text that cannot be a formula
    NUMBER = "number"
    MONEY = "money"  # a decimal


@dataclass(frozen=True, slots=True)
class Column:
    """One column, under the name that stands in the first line."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of report. `day` says what `--from` and `--to` count by.

    `sql` selects exactly the columns, in order, and is given `pool`, `since`, `until` and `zone`.
    """

    kind: str
    title: str
    day: str
    columns: tuple[Column, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which rows are wanted: of one pool, of days of the finance zone, both ends included."""

    pool_id: int | None = None
    first_day: date | None = None
    last_day: date | None = None

    def parameters(self) -> dict[str, int | str | datetime | None]:
        """What the SQL is asked with; the time is a half-open interval."""
        zone: ZoneInfo = settings.FINANCE_TIME_ZONE
        since, until = self.bounds()
        return {"pool": self.pool_id, "since": since, "until": until, "zone": zone.key}

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """The time as a half-open interval; None where it has no end."""
        zone: ZoneInfo = settings.FINANCE_TIME_ZONE
        after = self.last_day + timedelta(days=1) if self.last_day else None
        return _midnight(self.first_day, zone), _midnight(after, zone)


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone)


def text(name: str) -> Column:
    """A column of typed text."""
    return Column(name, Kind.TEXT)


def code(name: str) -> Column:
    """A column of ids, codes or instants."""
    return Column(name, Kind.CODE)


def number(name: str) -> Column:
    """A column of whole numbers."""
    return Column(name, Kind.NUMBER)


def money(name: str) -> tuple[Column, Column]:
    """The two columns of an amount; see `money_sql`."""
    return Column(name, Kind.MONEY), Column(f"{name}_minor", Kind.NUMBER)


def money_sql(minor: str, currency: str) -> str:
    """SQL of the two cells of an amount: with the currency's own number of decimals, and in minor units."""
    zero, three = (", ".join(f"'{one}'" for one in sorted(codes)) for codes in (ZERO_DECIMAL, THREE_DECIMAL))
    return f"""CASE WHEN {currency} IN ({zero}) THEN ({minor})::numeric
        WHEN {currency} IN ({three}) THEN round(({minor})::numeric / 1000, 3)
        ELSE round(({minor})::numeric / 100, 2) END, {minor}"""


def instant_sql(expression: str) -> str:
    """SQL of an instant, to the second: `2026-09-10T00:20:00Z`."""
    return f"""to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def day_sql(expression: str) -> str:
    """SQL of the day it is in the finance zone."""
    return f"to_char({expression} AT TIME ZONE %(zone)s, 'YYYY-MM-DD')"


def narrowed(pool: str, instant: str) -> str:
    """SQL of the narrowing by pool and time."""
    return f"""(%(pool)s::bigint IS NULL OR {pool} = %(pool)s::bigint)
        AND (%(since)s::timestamptz IS NULL OR {instant} >= %(since)s::timestamptz)
        AND (%(until)s::timestamptz IS NULL OR {instant} < %(until)s::timestamptz)"""
