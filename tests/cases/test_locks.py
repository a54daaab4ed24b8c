"""Cases 12 and 17: the instant from which a pick stands, by round and by game, on every kind of day."""

from datetime import UTC, datetime, timedelta

import pytest

from entries.models import Pick
from pools.models import Round
from tests.cases.nfl import ScheduleFile, game, result, row, season
from tests.factories.pools import game_of
from tests.support.calls import call

ON_TIME, TOO_LATE = 200, (422, "DEADLINE_PASSED")


def delete(story, entry, week):
    return call(story.api(entry.user), "DELETE", f"/entries/{entry.pk}/picks/{week}")


def test_case_12_one_millisecond_before_the_lock_a_pick_can_change_and_at_the_lock_it_cannot(story, clock):
    """One millisecond before the lock a pick can change, at the lock it cannot."""
    a, b = story.entries(2)
    lock = story.round(1).locks_at

    clock.just_before(lock)
    assert [story.pick(a, 1, code)[0] for code in ("ANT", "BAT")] == [ON_TIME, ON_TIME]
    assert (story.pick(b, 1, "CAT")[0], delete(story, b, 1)[0]) == (ON_TIME, 204)

    clock.at(lock)
    assert story.pick(a, 1, "ANT") == TOO_LATE
    assert delete(story, a, 1) == TOO_LATE
    assert story.pick(b, 1, "CAT") == TOO_LATE
    assert list(Pick.objects.values_list("entry", "team__code")) == [(a.pk, "BAT")]


def test_case_12_a_fixed_deadline_never_keeps_an_earlier_kickoff_open(story, clock):
    """A fixed deadline never keeps an earlier kickoff open."""
    (a,) = story.entries(1)
    kickoff = story.round(1).first_kickoff_at
    Round.objects.filter(pk=story.round(1).pk).update(fixed_locks_at=kickoff + timedelta(days=2))

    clock.just_before(kickoff)
    assert story.pick(a, 1, "ANT")[0] == ON_TIME
    clock.at(kickoff)
    assert story.pick(a, 1, "BAT") == TOO_LATE


def test_case_12_a_fixed_deadline_before_the_kickoff_is_the_lock(story, clock):
    """One millisecond before the lock a pick can change, at the lock it cannot."""
    (a,) = story.entries(1)
    deadline = story.round(1).first_kickoff_at - timedelta(hours=20)
    Round.objects.filter(pk=story.round(1).pk).update(fixed_locks_at=deadline)

    clock.just_before(deadline)
    assert story.pick(a, 1, "ANT")[0] == ON_TIME
    clock.at(deadline)
    assert story.pick(a, 1, "BAT") == TOO_LATE


# The first week of 2095 as US Eastern tells it: away and home, day and time there, and the same instant in UTC.
OPENING = {
    "KC_BUF": ("2095-09-07", "20:20", datetime(2095, 9, 8, 0, 20, tzinfo=UTC)),
    "DEN_LV": ("2095-09-08", "20:15", datetime(2095, 9, 9, 0, 15, tzinfo=UTC)),
    "SF_SEA": ("2095-09-10", "16:30", datetime(2095, 9, 10, 20, 30, tzinfo=UTC)),
    "NYJ_NE": ("2095-09-11", "09:30", datetime(2095, 9, 11, 13, 30, tzinfo=UTC)),
}
NAMED = ("the Wednesday opener", "Thursday", "Saturday", "London in the morning")


def opening(**scores) -> list[dict[str, str]]:
    """The rows of the season with that week, and what has been played of it."""
    when = {sides: {"day": day, "gametime": clock} for sides, (day, clock, _) in OPENING.items()}
    for sides, score in scores.items():
        when[sides]["score"] = score
    return season(**when)


@pytest.fixture
def week_of_four(tell, schedule):
    schedule.sync(opening())
    return tell(competition=game("KC_BUF").competition, lock="game")


@pytest.mark.parametrize("nth", range(4), ids=NAMED)
def test_case_17_each_game_locks_at_its_own_kickoff(week_of_four, clock, nth):
    """Wednesday opener, Thursday, Saturday, London morning: with lock policy `game` each locks at its own kickoff;"""
    story, (sides, (_, _, kickoff)) = week_of_four, list(OPENING.items())[nth]
    away, home = sides.split("_")
    fixed, late = story.entries(2)
    assert story.round(1).games.get(home__code=home).kickoff_at == kickoff

    clock.just_before(kickoff)
    assert story.pick(fixed, 1, home)[0] == ON_TIME
    assert story.pick(fixed, 1, away)[0] == ON_TIME

    clock.at(kickoff)
    refused = TOO_LATE if nth == 3 else (422, "GAME_STARTED")
    assert story.pick(late, 1, home) == refused
    assert story.pick(fixed, 1, home) == refused
    assert delete(story, fixed, 1) == refused
    assert [pick["team"] for pick in story.shown_picks(fixed)] == [away]


def test_case_17_a_pick_moves_on_to_games_that_have_not_started(week_of_four, clock):
    """with lock policy `game` each locks at its own kickoff;"""
    story = week_of_four
    (entry,) = story.entries(1)
    wednesday, thursday, _, sunday = (kickoff for _, _, kickoff in OPENING.values())

    clock.at(wednesday)
    assert story.pick(entry, 1, "LV")[0] == ON_TIME
    clock.just_before(thursday)
    assert story.pick(entry, 1, "SEA")[0] == ON_TIME
    clock.at(thursday)
    assert story.pick(entry, 1, "NE")[0] == ON_TIME

    clock.at(sunday)
    assert story.pick(entry, 1, "NYJ") == TOO_LATE
    assert [pick["team"] for pick in story.shown_picks(entry)] == ["NE"]


def test_case_17_syncing_the_schedule_again_wipes_no_result(week_of_four, schedule, clock):
    """syncing the schedule again wipes no result."""
    story = week_of_four
    wednesday, thursday, sunday = story.entries(3)
    for entry, home in ((wednesday, "BUF"), (thursday, "LV"), (sunday, "NE")):
        assert story.pick(entry, 1, home)[0] == ON_TIME
    clock.at(OPENING["DEN_LV"][2] + timedelta(hours=4))
    story.result(game("KC_BUF"), 27, 20)
    schedule.sync(opening(KC_BUF=(27, 20), DEN_LV=(13, 16)))
    story.settled()
    assert story.fates(wednesday, thursday, sunday) == ["alive", "out in 1", "alive"]

    for rows in (opening(), opening(KC_BUF=(27, 20), DEN_LV=(13, 16)), opening()):
        assert schedule.sync(rows, *(["--no-results"] if rows == opening() else [])) == ""
        story.settled()
        assert (result("KC_BUF"), result("DEN_LV")) == (("final", 27, 20), ("final", 13, 16))
        assert story.fates(wednesday, thursday, sunday) == ["alive", "out in 1", "alive"]


@pytest.mark.parametrize(
    ("day", "clock_there", "lock"),
    [
        ("2095-11-05", "13:00", datetime(2095, 11, 5, 17, tzinfo=UTC)),
        ("2095-11-06", "13:00", datetime(2095, 11, 6, 18, tzinfo=UTC)),
        ("2095-10-30", "09:30", datetime(2095, 10, 30, 13, 30, tzinfo=UTC)),
        ("2095-11-06", "09:30", datetime(2095, 11, 6, 14, 30, tzinfo=UTC)),
        ("2096-03-10", "13:00", datetime(2096, 3, 10, 18, tzinfo=UTC)),
        ("2096-03-11", "13:00", datetime(2096, 3, 11, 17, tzinfo=UTC)),
    ],
    ids=[
        "the day before autumn's change", "the day of it", "London after its own change", "London after both",
        "the day before spring's change", "the day of it in spring",
    ],
)  # fmt: skip
@pytest.mark.parametrize("policy", ["round", "game"])
def test_case_17_no_game_locks_an_hour_early_or_late_when_clocks_change(
    tell, schedule: ScheduleFile, clock, policy, day, clock_there, lock
):
    """each locks at its own kickoff;"""
    schedule.sync([*season(), row(9, "KC_SEA", day, gametime=clock_there)])
    story = tell(competition=game("KC_SEA").competition, lock=policy, first_week=9)
    (entry,) = story.entries(1)
    assert game_of(story.round(9), "KC").kickoff_at == lock

    clock.just_before(lock)
    assert story.pick(entry, 9, "KC")[0] == ON_TIME
    clock.at(lock)
    assert story.pick(entry, 9, "SEA") == TOO_LATE
