"""Schedules of real seasons: reading nflverse and Premier League files, and writing them as competitions."""

from pools.services.schedule.apply import Report, apply_schedule
from pools.services.schedule.fixtures import Fixture, League, Schedule, ScheduleError
from pools.services.schedule.reading import read_schedule
from pools.services.schedule.rounds import DrawnRounds, read_rounds
from pools.services.schedule.source import open_rows

__all__ = [
    "DrawnRounds",
    "Fixture",
    "League",
    "Report",
    "Schedule",
    "ScheduleError",
    "apply_schedule",
    "open_rows",
    "read_rounds",
    "read_schedule",
]
