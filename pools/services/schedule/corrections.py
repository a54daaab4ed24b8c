"""Kickoffs that are twelve hours off: public NFL data writes 09:00 for some games of 21:00, and 21:30 for 09:30.

What is known of real kickoffs, in US Eastern time: none is before 09:30; before noon only on Sundays, abroad; and on a
Sunday night none is between 21:00 and 23:00. A time outside is moved by twelve hours where that gives exactly one
possible kickoff, and refused where it does not, because a wrong time would lock a round too early or too late.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
NOON = time(12)
# Half an hour of grace before 09:30 on Sundays: a listing may be rounded.
FIRST_MORNING_KICKOFF = time(9, 15)
LONDON_KICKOFF = time(9, 30)
SUNDAY_NIGHT_LATEST = time(20, 45)
SUNDAY_NIGHT_GAP = (time(21), time(23))
SLIP = timedelta(hours=12)
SUNDAY = 6


class Doubtful(Exception):
    """The time cannot be right, and it is not clear what would be; the message says why."""


def corrected(day: date, clock: time, *, is_neutral: bool | None = None) -> time:
    """The likely wall-clock kickoff for what the file says; most often the same.

    `is_neutral`: whether the game is at a neutral site, None where the file does not tell. Raises `Doubtful`.
    """
    if clock == time(0):
        raise Doubtful("midnight most often stands for an unknown time")
    if clock < FIRST_MORNING_KICKOFF:
        return _from_morning(day, clock)
    if clock < NOON and day.weekday() != SUNDAY:
        raise Doubtful("games kick off in the morning on Sundays only")
    if day.weekday() == SUNDAY and SUNDAY_NIGHT_GAP[0] <= clock < SUNDAY_NIGHT_GAP[1]:
        return _from_sunday_night(clock, is_neutral)
    return clock


def _from_morning(day: date, clock: time) -> time:
    later = _shifted(clock, SLIP)
    if day.weekday() == SUNDAY and later > SUNDAY_NIGHT_LATEST:
        raise Doubtful(f"it could be a morning game abroad, or {later:%H:%M}")
    return later


def _from_sunday_night(clock: time, is_neutral: bool | None) -> time:
    morning = _shifted(clock, -SLIP)
    if morning == LONDON_KICKOFF and is_neutral:
        return morning
    raise Doubtful(f"no Sunday game kicks off then; a game abroad would at {LONDON_KICKOFF:%H:%M}")


def _shifted(clock: time, by: timedelta) -> time:
    return (datetime.combine(date(2000, 1, 1), clock) + by).time()


def eastern(day: date, clock: time) -> datetime:
    """The instant of a US Eastern wall-clock time, in UTC, on either side of a clock change."""
    return datetime.combine(day, clock, EASTERN).astimezone(ZoneInfo("UTC"))
