"""The periods that people ask reports for by name: this month, the last quarter; in days of the finance zone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.clock import last_of_month
from payments.reports.base import EARLIEST, LATEST

MONTHS_OF_A_QUARTER = 3


@dataclass(frozen=True, slots=True)
class Period:
    """Both days belong to it."""

    name: str
    label: str | Promise
    first: date
    last: date


def day_of(text: str) -> date | None:
    """The day that an address or a hidden field names; None for none, and for one in a year that nobody means."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day is not None and EARLIEST <= day <= LATEST else None


def periods(today: date) -> list[Period]:
    """Those of a form, as of today."""
    return list(_periods(today))


def _periods(today: date) -> Iterator[Period]:
    month, quarter, year = today.replace(day=1), _quarter(today), today.replace(month=1, day=1)
    yield Period("this_month", _("This month"), month, last_of_month(month))
    yield _before("last_month", _("Last month"), month, _month)
    yield Period("this_quarter", _("This quarter"), quarter, _end_of_quarter(quarter))
    yield _before("last_quarter", _("Last quarter"), quarter, _quarter)
    yield Period("this_year", _("This year"), year, year.replace(month=12, day=31))
    yield _before("last_year", _("Last year"), year, _year)


def _before(name: str, label: str | Promise, first: date, first_of: Callable[[date], date]) -> Period:
    last = first - timedelta(days=1)
    return Period(name, label, first_of(last), last)


def _month(day: date) -> date:
    return day.replace(day=1)


def _quarter(day: date) -> date:
    return day.replace(month=(day.month - 1) // MONTHS_OF_A_QUARTER * MONTHS_OF_A_QUARTER + 1, day=1)


def _year(day: date) -> date:
    return day.replace(month=1, day=1)


def _end_of_quarter(first: date) -> date:
    return last_of_month(first.replace(month=first.month + MONTHS_OF_A_QUARTER - 1))
