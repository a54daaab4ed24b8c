"""What a finance report is: typed columns, one query, and the questions it can be narrowed by.

The type of a column, never the look of a cell, decides how it is written: text is made harmless for spreadsheets,
numbers stay numbers. Money comes twice, as a fixed decimal of major units and as an integer `…_minor`, with its
currency beside it. Instants are ISO 8601 in UTC, ids are text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.conf import settings

from config.errors import invalid
from config.phrases import phrase
from payments.reports.as_of import AsOf
from payments.reports.options import Option, OptionValue

EARLIEST, LATEST = date(2000, 1, 1), date(2200, 12, 31)


class Kind(StrEnum):
    """How the cells of a column are written."""

    TEXT = "text"  # whatever a person may have typed
    CODE = "code"  # ids, our own codes, instants: text that cannot be a formula
    NUMBER = "number"
    MONEY = "money"  # a decimal


@dataclass(frozen=True, slots=True)
class Column:
    """One column, under the name that stands in the first line. `currency` names the one that says of what it is."""

    name: str
    kind: Kind
    currency: str = ""


class Days(StrEnum):
    """Which days a report may be asked for."""

    BOTH = "both"  # from one to another
    UNTIL = "until"  # through one, from the beginning: what stands on a day
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of report. `day` says what `--from` and `--to` count by.

    `sql` selects exactly the columns, in order, and is given `pool`, `since`, `until`, `first_day`, `last_day`, `zone`,
    every option by its name, and `as_of` with `as_of_<table>` for each bound (`payments.reports.as_of.TABLES`).
    It ends in an ORDER BY that leaves no two rows in doubt: what is asked twice must come out alike, byte for byte.
    """

    kind: str
    title: str
    day: str
    columns: tuple[Column, ...]
    sql: str
    describe: str = ""  # what it is for, in a sentence or two, for the pages
    options: tuple[Option, ...] = ()
    days: Days = Days.BOTH
    has_pool: bool = True  # whether it can be narrowed to a pool
    is_personal: bool = True  # names people: needs its own permission, bears a watermark, is kept for less time
    needs_approval: bool = False  # waits for a second name before it is written
    is_live: bool = False  # tells of now only, and comes out otherwise tomorrow: reads rows that change
    version: int = 1  # of its columns and their meaning; grows with every change of either
    permission: str = ""  # needed beside those of all reports
    pdf: str = ""  # name of the template in templates/reports, for those that are printed

    def parameters(self, narrowing: "Narrowing") -> dict[str, int | str | date | datetime | None]:
        """What the SQL is asked with: the narrowing, and a value for each option, its default where none is given.

        Refuses, naming the field, what this report does not take.
        """
        self._check(narrowing)
        given = {option.name: option.read(narrowing.options.get(option.name)) for option in self.options}
        return {**narrowing.parameters(), **given}

    def _check(self, narrowing: "Narrowing") -> None:
        check_day("first_day", narrowing.first_day)
        check_day("last_day", narrowing.last_day)
        unknown = sorted(set(narrowing.options) - {option.name for option in self.options})
        if unknown:
            raise invalid(
                unknown[0], phrase("The report {kind} takes no {unknown}.", kind=self.kind, unknown=unknown[0])
            )
        if narrowing.pool_id is not None and not self.has_pool:
            raise invalid("pool", phrase("The report {kind} is of all pools.", kind=self.kind))
        if narrowing.first_day is not None and self.days is not Days.BOTH:
            raise invalid("first_day", phrase("The report {kind} has no first day.", kind=self.kind))
        if narrowing.last_day is not None and self.days is Days.NONE:
            raise invalid("last_day", phrase("The report {kind} is not of certain days.", kind=self.kind))

    @property
    def totals(self) -> tuple[tuple[int, int, int], ...]:
        """Where the control totals come from: the places of each amount, of its minor units, and of its currency."""
        places = {column.name: place for place, column in enumerate(self.columns)}
        return tuple(
            (place, places[f"{column.name}_minor"], places[column.currency])
            for place, column in enumerate(self.columns)
            if column.kind is Kind.MONEY and column.currency in places
        )


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which rows are wanted: of one pool, of days of the finance zone, both ends included, and as of when."""

    pool_id: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    as_of: AsOf | None = None

    def parameters(self) -> dict[str, int | str | date | datetime | None]:
        """What the SQL is asked with; the time is a half-open interval."""
        zone: ZoneInfo = settings.FINANCE_TIME_ZONE
        since, until = self.bounds()
        return {
            "pool": self.pool_id,
            "since": since,
            "until": until,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "zone": zone.key,
            **(self.as_of.parameters() if self.as_of else {}),
        }

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """The time as a half-open interval; None where it has no end."""
        zone: ZoneInfo = settings.FINANCE_TIME_ZONE
        after = self.last_day + timedelta(days=1) if self.last_day else None
        return _midnight(self.first_day, zone), _midnight(after, zone)


def check_day(field: str, day: date | None) -> None:
    """Refuses, naming the field, a day in a year that nobody means."""
    if day is not None and not EARLIEST <= day <= LATEST:
        raise invalid(field, phrase("Days are from {earliest} to {latest}.", earliest=EARLIEST, latest=LATEST))


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


def money(name: str, *, currency: str = "currency") -> tuple[Column, Column]:
    """The two columns of an amount, see `sql.money_sql`, with the name of the column that has its currency.

    What they come to is among the control totals of every export.
    """
    return Column(name, Kind.MONEY, currency), Column(f"{name}_minor", Kind.NUMBER, currency)
