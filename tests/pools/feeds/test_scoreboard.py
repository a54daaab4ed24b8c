"""A scoreboard: results of games we know, and whatever a scoreboard can get wrong."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from config.clock import database_now
from config.models import OutboxMessage
from pools.models import Competition, FeedPull, FeedSource, Game, GameChange
from pools.services.feeds import scoreboard
from pools.services.results import close_review, record_result
from pools.services.schedule.nflverse import LEAGUE
from tests.factories.pools import lock_round
from tests.pools.feeds.conftest import fresh, game, result
from tests.support import bad_server as bad
from tests.support.feeds import ago, as_json, event, season
from tests.support.schedules import import_rows, nfl_row

SCHEDULED = ("scheduled", None, None)
WON = event("KC_BUF", ("20", "17"))
RUNNING = {"state": "in", "completed": False, "name": "STATUS_IN_PROGRESS"}
COMING = {"state": "pre", "completed": False, "name": "STATUS_SCHEDULED"}
OVER = {"state": "post", "completed": False, "name": "STATUS_SUSPENDED"}


@pytest.fixture
def competition(db, tmp_path) -> Competition:
    """The small season, and a game each of the two teams whose codes are other ones there."""
    rows = [*season(), nfl_row("2024_01_WAS_LA"), nfl_row("2024_02_LA_WAS", gameday="2095-09-11")]
    return import_rows(tmp_path, rows).competition


@pytest.fixture
def source(server, competition) -> FeedSource:
    return FeedSource.objects.create(
        competition=competition, kind="scoreboard", url=server.address("/scoreboard"), season="2024"
    )


@pytest.fixture
def show(pull):
    """`show(event, …)` pulls a scoreboard of these games."""
    return lambda *events: pull(bad.answer(as_json(*events)))


def review(sides: str) -> str:
    return game(sides).review


# --- Results --------------------------------------------------------------------------------------------------------


def test_a_final_is_taken_and_told(show, competition, source):
    OutboxMessage.objects.all().delete()
    pulled = show(WON)
    assert (pulled.outcome, pulled.pull.games, pulled.pull.results) == ("applied", 1, 1)
    assert result("KC_BUF") == ("final", 20, 17)
    assert GameChange.objects.latest("id").reason == f"pull of feed {source.pk}"
    message = OutboxMessage.objects.get()
    assert (message.kind, message.payload) == ("results.arrived", {"competition": competition.pk})


def test_scores_may_be_numbers(show):
    show(event("KC_BUF", (20, 17)))
    assert result("KC_BUF") == ("final", 20, 17)


def test_codes_that_differ_are_known(show):
    show(event("WSH_LAR", ("3", "6")))
    assert result("WAS_LA") == ("final", 3, 6)


def test_sides_that_are_the_other_way_round_keep_their_points(show):
    show(event("BUF_KC", ("17", "20")))
    assert result("KC_BUF") == ("final", 20, 17)


def test_a_tie_is_a_tie(show):
    show(event("KC_BUF", ("20", "20")))
    assert result("KC_BUF") == ("final", 20, 20)


def test_a_game_that_runs_is_shown_and_settles_nothing(show):
    OutboxMessage.objects.all().delete()
    show(event("KC_BUF", ("3", "0"), **RUNNING))
    assert result("KC_BUF") == ("in_progress", 3, 0)
    show(event("KC_BUF", ("3", "7"), **RUNNING))
    assert result("KC_BUF") == ("in_progress", 3, 7)
    show(event("KC_BUF", **RUNNING))
    assert result("KC_BUF") == ("in_progress", None, None)
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("state", [COMING, OVER, RUNNING | {"date": "2095-09-11T17:00Z"}])
def test_everything_else_changes_nothing(show, state):
    sides = "BUF_KC" if "date" in state else "KC_BUF"
    changes = GameChange.objects.count()
    assert show(event(sides, ("0", "0"), **state)).pull.changed == 0
    assert GameChange.objects.count() == changes


def test_what_a_scoreboard_does_not_show_says_nothing(show):
    assert show().outcome == "applied"
    assert not Game.objects.exclude(review="").exists()


def test_games_that_are_none_of_ours_are_left_out(show):
    pulled = show(
        WON,
        event("KC_DEN", ("1", "0")),
        event("KC_BUF", ("9", "9"), date="2024-08-10T17:00Z") | {"season": {"type": 1}},
    )
    assert pulled.pull.warnings == ["1 games are none of ours and are left out."]
    assert result("KC_BUF") == ("final", 20, 17)


def test_the_same_scoreboard_again_changes_nothing(pull):
    body = as_json(WON)
    assert pull(bad.answer(body)).outcome == "applied"
    assert pull().outcome == "unchanged"
    assert FeedPull.objects.count() == 1


# --- Raised for a ruling --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (event("KC_BUF"), "The scoreboard has it as final, but without both scores."),
        (event("KC_BUF", ("20", None)), "The scoreboard has it as final, but without both scores."),
        (event("KC_BUF", ("0", "0")), "The scoreboard has a final 0-0."),
        (event("KC_BUF", ("999", "0")), "The scoreboard has a final 999-0."),
        (event("KC_BUF", name="STATUS_POSTPONED"), "The scoreboard has it as postponed."),
        (event("KC_BUF", name="STATUS_CANCELED", completed=False), "The scoreboard has it as cancelled."),
        (event("KC_BUF", ("20", "17"), date="2024-10-08T17:00Z"), "The scoreboard has it at 2024-10-08 17:00 UTC now."),
    ],
    ids=["no scores", "one score", "0-0", "unlikely", "postponed", "cancelled", "moved"],
)
def test_one_doubtful_game_is_raised_and_the_others_taken(show, shown, text):
    pulled = show(shown, event("DEN_LV", ("6", "3")))
    assert (pulled.outcome, pulled.pull.raised, pulled.pull.results) == ("applied", 1, 1)
    assert (review("KC_BUF"), result("KC_BUF")) == (text, SCHEDULED)
    assert result("DEN_LV") == ("final", 6, 3)


def test_a_final_result_is_never_changed(show):
    show(WON)
    assert show(event("KC_BUF", ("20", "23"))).pull.raised == 1
    assert review("KC_BUF") == "The scoreboard has it at 20-23 now, not 20-17."
    assert result("KC_BUF") == ("final", 20, 17)


@pytest.mark.parametrize("state", [COMING, RUNNING])
def test_a_final_taken_back_is_raised_and_stays(show, state):
    show(WON)
    assert show(event("KC_BUF", ("20", "17"), **state)).pull.raised == 1
    assert review("KC_BUF") == "The scoreboard does not have it as final any more."
    assert result("KC_BUF") == ("final", 20, 17)


@pytest.mark.parametrize("state", [COMING, RUNNING])
def test_a_scoreboard_that_is_behind_takes_nothing_back(show, moderator, state):
    record_result(game_id=game("KC_BUF").pk, status="final", home_score=20, away_score=17, by=moderator)
    show(event("KC_BUF", ("20", "14"), **state))
    assert (review("KC_BUF"), result("KC_BUF")) == ("", ("final", 20, 17))


def test_a_final_impossibly_soon_waits_until_it_can_be(pull, server, source, monkeypatch):
    kickoff = ago(minutes=30)
    lock_round(game("KC_BUF").round)
    Game.objects.filter(pk=game("KC_BUF").pk).update(kickoff_at=kickoff)
    pull(bad.marked(as_json(event("KC_BUF", ("20", "17"), date=kickoff)), '"1"'))
    assert review("KC_BUF") == "The scoreboard has it as final, 20-17, before it can have ended."
    assert result("KC_BUF") == SCHEDULED
    # As if more than an hour had gone by: the very same body is read again, whatever its mark says.
    monkeypatch.setattr(scoreboard, "LEAGUE", replace(LEAGUE, shortest_game=timedelta(minutes=20)))
    pull()
    assert "if-none-match" not in server.asked[-1].headers
    assert (review("KC_BUF"), result("KC_BUF")) == ("", ("final", 20, 17))
    assert fresh(source).etag == '"1"'


def test_a_final_before_the_lock_is_raised_and_not_taken(show):
    assert game("BUF_KC").round.locks_at > database_now()
    show(event("BUF_KC", ("20", "17"), date="2095-09-11T17:00Z"))
    assert review("BUF_KC") == "The scoreboard has it as final, 20-17, before it can have ended."
    assert result("BUF_KC") == SCHEDULED


def test_what_staff_let_stand_is_not_raised_again(show, moderator):
    show(event("KC_BUF", name="STATUS_POSTPONED"))
    close_review(game_id=game("KC_BUF").pk, by=moderator, reason="it will be played tonight")
    assert show(event("KC_BUF", name="STATUS_POSTPONED"), event("DEN_LV", ("6", "3"))).pull.raised == 0
    assert review("KC_BUF") == ""
    show(WON)
    assert result("KC_BUF") == ("final", 20, 17)


def test_a_game_that_a_ruling_decided_is_left_alone(show):
    Game.objects.filter(pk=game("KC_BUF").pk).update(is_ruled=True)
    assert show(WON).pull.changed == 0
    assert result("KC_BUF") == SCHEDULED


# --- Refused as a whole ---------------------------------------------------------------------------------------------


def broken(**changes) -> dict:
    """An event, one part of it replaced."""
    return json.loads(json.dumps(WON)) | changes


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "The scoreboard is empty."),
        (b"  \n", "The scoreboard is empty."),
        (b"<html>Sorry</html>", "The scoreboard is not JSON."),
        (as_json(WON)[:-5], "The scoreboard is not JSON."),
        (b"[" * 100_000, "The scoreboard is not JSON."),
        (b'{"events": [NaN]}', "The scoreboard is not JSON."),
        ('{"events": "\u00e9"}'.encode("latin-1"), "The scoreboard is not a text in UTF-8."),
        (as_json(WON).decode().encode("utf-16"), "The scoreboard is not a text in UTF-8."),
        (b"[]", "The scoreboard has no list of events."),
        (b'{"events": {}}', "The scoreboard has no list of events."),
        (as_json(WON, {}), "Event 2 of the scoreboard cannot be read (no 'status')."),
        (as_json(WON, 7), "Event 2 of the scoreboard cannot be read"),
        (as_json(WON, broken(date="soon")), "Event 2 of the scoreboard cannot be read (Invalid isoformat"),
        (as_json(broken(date="2024-09-08T17:00")), "Event 1 of the scoreboard cannot be read (a date without a zone)."),
        (as_json(WON, broken(competitions=[])), "Event 2 of the scoreboard cannot be read"),
        (as_json(event("DEN_LV", ("-3", "0"))), "Event 1 of the scoreboard cannot be read (a score of '-3')."),
        (as_json(event("DEN_LV", ("1000", "0"))), "Event 1 of the scoreboard cannot be read (a score of '1000')."),
        (as_json(event("DEN_LV", (True, "0"))), "Event 1 of the scoreboard cannot be read (a score of 'True')."),
        (as_json(event("DEN_LV", ("٣", "0"))), "Event 1 of the scoreboard cannot be read (a score of '٣')."),
        (as_json(event("DEN_LV", state="done")), "Event 1 of the scoreboard cannot be read (the state 'done')."),
        (as_json(WON, event("AFC_NFC", ("3", "0"))), "Event 2: nfl-2024 has no team NFC."),
        (as_json(WON, event("KC_KC", ("3", "0"))), "Event 2: KC against itself."),
        (as_json(WON, event("DEN_LV", ("3", "0")), WON), "Event 3 is the game of event 1 again."),
    ],
)  # fmt: skip
def test_a_broken_scoreboard_is_refused_whole(pull, body, why):
    changes = GameChange.objects.count()
    pulled = pull(bad.answer(body))
    assert (pulled.outcome, pulled.pull.refusal[: len(why)]) == ("refused", why)
    assert GameChange.objects.count() == changes


def test_a_scoreboard_that_contradicts_everything_is_refused_whole(show):
    sides = ("KC_BUF", "DEN_LV", "SF_SEA", "NYJ_NE")
    show(*(event(one, ("20", "17")) for one in sides))
    pulled = show(*(event(one, ("20", "23")) for one in sides))
    assert pulled.pull.refusal == "4 of 10 games would have to be raised for a ruling: this is another season's."
    assert not Game.objects.exclude(review="").exists()


def test_a_final_that_a_person_entered_early_is_not_doubted_by_a_feed_that_agrees(show, moderator):
    kickoff = ago(minutes=30)
    lock_round(game("KC_BUF").round)
    Game.objects.filter(pk=game("KC_BUF").pk).update(kickoff_at=kickoff)
    said = {"game_id": game("KC_BUF").pk, "status": "final", "home_score": 20, "away_score": 17}
    record_result(**said, by=moderator, reason="abandoned; the league counts it")
    show(event("KC_BUF", ("20", "17"), date=kickoff))
    assert (review("KC_BUF"), result("KC_BUF")) == ("", ("final", 20, 17))
