"""Time comes from the database.

`clock_timestamp()` moves while a transaction runs; `now()` and Django's `Now()` do not, and an application's own
clock may be wrong. Services take `now` as a parameter; the edge (a view, a task, a command) reads it here.
"""

from calendar import monthrange
from datetime import date, datetime
from typing import cast

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, Func


class ClockTimestamp(Func):
    """SQL `clock_timestamp()`: the instant at which the database evaluates it."""

    function = "clock_timestamp"
    template = "%(function)s()"
    output_field = DateTimeField()


def database_now() -> datetime:
    """The database's clock, aware, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast(datetime, cursor.fetchone()[0])


def finance_date(at: datetime) -> date:
    """The day that it is in the finance zone."""
    return at.astimezone(settings.FINANCE_TIME_ZONE).date()


def last_of_month(day: date) -> date:
    """The last day of the month that the day is in."""
    return day.replace(day=monthrange(day.year, day.month)[1])
