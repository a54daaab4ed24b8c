"""Case 10: what a feed or a file can get wrong about a game that somebody has picked."""

import pytest
from django.core.management import CommandError

from config.http import Limits
from pools.models import FeedSource, Game
from pools.services.feeds import pull_source
from tests.cases.nfl import game, result, row, season
from tests.support.bad_server import BadServer
from tests.support.bad_server import answer as sends
from tests.support.feeds import as_csv, as_json, event

PICKED = "KC_BUF"
PLAYED = {"DEN_LV": {"score": (20, 17)}, "SF_SEA": {"score": (27, 3)}, "NYJ_NE": {"score": (10, 13)}}
PATIENT = Limits(connect=5, read=5, total=10, attempts=1)
REFUSED, RAISED, SILENT = "refused", "raised", "says nothing"

# Of a public schedule, and the same file imported by hand.
SCHEDULES = {
    "final without scores": (season(**PLAYED, KC_BUF={"result": "3"}), RAISED),
    "final with half a score": (season(**PLAYED, KC_BUF={"home_score": "3"}), RAISED),
    "an unknown team": (season(**PLAYED, KC_BUF={"score": (20, 17), "away_team": "XXX"}), REFUSED),
    "a dropped game": (season(**PLAYED, KC_BUF=None), RAISED),
    "moved to another week": ([*season(**PLAYED, KC_BUF=None), row(2, PICKED, "2095-09-18", score=(20, 17))], RAISED),
    "repeated": ([*season(**PLAYED, KC_BUF={"score": (20, 17)}), row(1, PICKED, "2095-09-11")], REFUSED),
}
SUNDAY = {"date": "2095-09-11T17:00Z"}
OTHERS = [event(sides, told["score"], **SUNDAY) for sides, told in PLAYED.items()]
# A scoreboard shows a few days: what it does not have is not dropped.
SCOREBOARDS = {
    "final without scores": ([event(PICKED, **SUNDAY), *OTHERS], RAISED),
    "final with half a score": ([event(PICKED, ("3", None), **SUNDAY), *OTHERS], RAISED),
    "an unknown team": ([event("XXX_BUF", ("20", "17"), **SUNDAY), *OTHERS], REFUSED),
    "a dropped game": (OTHERS, SILENT),
    "moved to another week": ([event(PICKED, ("20", "17"), date="2095-10-02T17:00Z"), *OTHERS], RAISED),
    "repeated": ([event(PICKED, ("20", "17"), **SUNDAY)] * 2 + OTHERS, REFUSED),
}


@pytest.fixture
def pool_of_two(tell, schedule):
    """One entry has the game that the feed gets wrong, the other one of those that it gets right. All were played."""
    story = tell(competition=schedule.competition())
    mistold, other = story.entries(2)
    assert story.pick(mistold, 1, "KC")[0] == story.pick(other, 1, "LV")[0] == 200
    story.kicks_off(1)
    return story, mistold, other


def nothing_is_lost(story, mistold, other, what) -> None:
    """The pick stands and is pending, its game has no score, and nobody is hurt by it or wins by it."""
    story.settled()
    (pick,) = story.shown_picks(mistold)
    assert (pick["team"], pick["game"], pick["result"]) == ("KC", game(PICKED).pk, "pending")
    assert (result(PICKED), game(PICKED).round.number) == (("scheduled", None, None), 1)
    assert story.fates(mistold, other) == ["alive", "alive"]
    assert not story.is_over()
    # What is refused is refused whole; otherwise the good news came through.
    assert result("DEN_LV") == (("scheduled", None, None) if what == REFUSED else ("final", 20, 17))
    assert bool(game(PICKED).review) == (what == RAISED)


@pytest.mark.parametrize(("rows", "what"), SCHEDULES.values(), ids=SCHEDULES)
def test_case_10_a_schedule_that_is_pulled(pool_of_two, rows, what):
    """A feed that says final without scores, names an unknown team, drops a game, moves it to another week or repeats
    it: refused or raised for a ruling, never read as a 0-0 tie, never a lost pick."""
    assert pulled("nflverse", as_csv(rows)) == ("refused" if what == REFUSED else "applied")

    nothing_is_lost(*pool_of_two, what)


@pytest.mark.parametrize(("events", "what"), SCOREBOARDS.values(), ids=SCOREBOARDS)
def test_case_10_a_scoreboard_that_is_pulled(pool_of_two, events, what):
    """A feed that says final without scores, names an unknown team, drops a game, moves it to another week or repeats
    it: refused or raised for a ruling, never read as a 0-0 tie, never a lost pick."""
    assert pulled("scoreboard", as_json(*events)) == ("refused" if what == REFUSED else "applied")

    nothing_is_lost(*pool_of_two, what)


@pytest.mark.parametrize(("rows", "what"), SCHEDULES.values(), ids=SCHEDULES)
def test_case_10_a_file_that_is_imported(pool_of_two, schedule, rows, what):
    """A feed that says final without scores, names an unknown team, drops a game, moves it to another week or repeats
    it: refused or raised for a ruling, never read as a 0-0 tie, never a lost pick."""
    if what == REFUSED:
        with pytest.raises(CommandError):
            schedule.sync(rows)
    else:
        assert "2095_01_KC_BUF: raised for a ruling." in schedule.sync(rows)

    nothing_is_lost(*pool_of_two, what)


def test_case_10_the_ruling_then_decides_the_game(pool_of_two, schedule):
    """raised for a ruling,"""
    story, mistold, other = pool_of_two
    schedule.sync(SCHEDULES["final without scores"][0])

    story.ruled(game(PICKED), 17, 20)

    assert (result(PICKED), game(PICKED).review) == (("final", 17, 20), "")
    assert story.fates(mistold, other) == ["alive", "alive"]
    assert [pick["result"] for pick in story.shown_picks(mistold)] == ["won"]


def pulled(kind: str, body: bytes) -> str:
    """Pull it from a server on this machine; how that ended."""
    with BadServer() as server:
        server.does(sends(body))
        source = FeedSource.objects.create(
            competition=Game.objects.first().competition, kind=kind, url=server.address(), season="2095"
        )
        return pull_source(source_id=source.pk, limits=PATIENT).outcome
