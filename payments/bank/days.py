"""Days on which banks work, as far as every bank agrees: Monday to Friday. Holidays only make a payment later."""

from datetime import date, datetime, time, timedelta

from django.conf import settings

FRIDAY = 4


def is_business_day(day: date) -> bool:
    """Monday to Friday."""
    return day.weekday() <= FRIDAY


def add_business_days(day: date, count: int) -> date:
    """So many business days later; earlier where `count` is below nothing."""
    step = timedelta(days=1 if count > 0 else -1)
    left = abs(count)
    while left:
        day += step
        left -= is_business_day(day)
    return day


def spans(count: int) -> tuple[list[int], list[int]]:
    """How many calendar days back and forth `count` business days reach, from Monday to Sunday: for SQL's `isodow`."""
    week = [date(2026, 1, 5) + timedelta(days=number) for number in range(7)]
    back = [(day - add_business_days(day, -count)).days for day in week]
    return back, [(add_business_days(day, count) - day).days for day in week]


def noon(day: date) -> datetime:
    """An instant of that day in the finance zone: banks tell days, the books keep instants."""
    return datetime.combine(day, time(12), tzinfo=settings.FINANCE_TIME_ZONE)
