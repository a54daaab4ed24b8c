"""Kickoffs that are twelve hours off in public data, and clock changes."""

import csv
from datetime import UTC, date, datetime, time

import pytest

from pools.services.schedule.corrections import Doubtful, corrected, eastern
from tests.support.shared_data import shared_data

SUNDAY, MONDAY, THURSDAY, SATURDAY = date(2024, 9, 8), date(2024, 9, 9), date(2024, 9, 5), date(2024, 9, 7)


def games():
    with shared_data("nfl/games.csv").open(newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["gametime"])
    with shared_data("nfl/schedule_2026_preseason.csv").open(newline="") as file:
        yield from (row | {"location": ""} for row in csv.DictReader(file))


def believed(game) -> str:
    is_neutral = game["location"] == "Neutral" if game["location"] else None
    clock = corrected(date.fromisoformat(game["gameday"]), time.fromisoformat(game["gametime"]), is_neutral=is_neutral)
    return f"{clock:%H:%M}"


def test_the_known_slips_of_27_seasons_are_corrected_and_nothing_else_is():
    with shared_data("nfl/gametime_corrections.csv").open(newline="") as file:
        known = {row["game_id"]: row["gametime_corrected_et"] for row in csv.DictReader(file)}
    touched = {game["game_id"]: believed(game) for game in games() if believed(game) != game["gametime"]}
    assert touched == known
    assert len(touched) == 107


@pytest.mark.parametrize(
    ("day", "wrong", "right"),
    [
        (MONDAY, time(9), time(21)),
        (THURSDAY, time(8, 20), time(20, 20)),
        (SATURDAY, time(4, 30), time(16, 30)),
        (SUNDAY, time(1), time(13)),
        (SUNDAY, time(8, 20), time(20, 20)),
    ],
)
def test_a_kickoff_before_the_first_morning_game_is_moved_to_the_evening(day, wrong, right):
    assert corrected(day, wrong) == right


def test_a_late_sunday_game_at_a_neutral_site_is_one_of_london_in_the_morning():
    assert corrected(SUNDAY, time(21, 30), is_neutral=True) == time(9, 30)


@pytest.mark.parametrize(
    ("day", "clock", "is_neutral"),
    [
        (SUNDAY, time(9, 30), True),
        (SUNDAY, time(13), False),
        (SUNDAY, time(20, 30), False),
        (SUNDAY, time(23, 30), False),
        (MONDAY, time(22, 20), False),
        (THURSDAY, time(12, 30), None),
    ],
)
def test_a_possible_kickoff_is_believed(day, clock, is_neutral):
    assert corrected(day, clock, is_neutral=is_neutral) == clock


@pytest.mark.parametrize(
    ("day", "clock", "is_neutral"),
    [
        (SUNDAY, time(9), None),
        (SUNDAY, time(21, 30), None),
        (SUNDAY, time(21, 30), False),
        (SUNDAY, time(22), True),
        (MONDAY, time(9, 30), False),
        (MONDAY, time(0), False),
    ],
)
def test_a_kickoff_that_could_mean_two_things_is_doubted(day, clock, is_neutral):
    with pytest.raises(Doubtful):
        corrected(day, clock, is_neutral=is_neutral)


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        (date(2024, 11, 2), datetime(2024, 11, 2, 17, tzinfo=UTC)),
        (date(2024, 11, 3), datetime(2024, 11, 3, 18, tzinfo=UTC)),
        (date(2025, 3, 8), datetime(2025, 3, 8, 18, tzinfo=UTC)),
        (date(2025, 3, 9), datetime(2025, 3, 9, 17, tzinfo=UTC)),
    ],
    ids=["last day of summer time", "first day of winter time", "last day of winter time", "first day of summer time"],
)
def test_one_o_clock_eastern_is_another_hour_in_utc_after_each_clock_change(day, utc):
    assert eastern(day, time(13)) == utc
