"""What a feed may say and what it may not: refused whole, raised for a ruling, or left alone; never a lost pick."""

import pytest

from config.clock import database_now
from entries.models import Pick
from pools.models import FeedSource, Game, GameChange, LetStand, Round
from pools.services.feeds import pull_source
from pools.services.results import close_review, record_result
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory
from tests.pools.feeds.conftest import game, result
from tests.support import bad_server as bad
from tests.support.bad_server import BadServer
from tests.support.feeds import PLAYED, QUICK, TO_COME, as_csv, season
from tests.support.schedules import import_rows, nfl_row

WON = {"score": (20, 17)}
CORRECTED = {"score": (20, 23)}
SCHEDULED = ("scheduled", None, None)
FINAL = ("final", 20, 17)


def review(sides: str) -> str:
    return game(sides).review


def raised(pulled) -> int:
    assert pulled.outcome == "applied", pulled.pull.refusal
    return pulled.pull.raised if pulled.pull else 0


@pytest.fixture
def picked(competition) -> Pick:
    """BUF at KC of the week to come, picked by one entry."""
    entry = EntryFactory(in_pool=PoolFactory(competition=competition, last_round_number=2, first_round_number=2))
    pick(entry, 2, "KC")
    return Pick.objects.get()


# --- Refused as a whole ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (season(KC_BUF=WON | {"away_team": "XXX"}), "Line 2: nfl-2024 has no team XXX."),
        ([*season(KC_BUF=WON), season()[0]], "Line 10: 2024_01_KC_BUF is the game of line 2 (2024_01_KC_BUF) again."),
        (
            [*season(KC_BUF=WON), nfl_row("2024_03_KC_BUF", gameday="2095-09-18")],
            "Line 10: 2024_03_KC_BUF is the game of line 2 (2024_01_KC_BUF) again.",
        ),
        (season(KC_BUF=WON, **dict.fromkeys(TO_COME)), "4 of 8 games are missing: this is not the whole season."),
        (
            season(BUF_KC=None, LV_DEN=None, SEA_SF=None, DEN_LV=None, KC_BUF=WON),
            "4 of 8 games are missing: this is not the whole season.",
        ),
        (season(KC_BUF=WON, DEN_LV={"home_score": "-3"}), "Line 3: home_score is '-3', not a whole number"),
        (season(KC_BUF=WON, DEN_LV={"home_score": "1e9"}), "Line 3: home_score is '1e9', not a whole number"),
        (season(KC_BUF=WON, DEN_LV={"home_score": "NaN"}), "Line 3: home_score is 'NaN', not a whole number"),
        (season(KC_BUF=WON, DEN_LV={"week": "99999"}), "Line 3: week is '99999', not a whole number from 1 to 99."),
        (season(KC_BUF=WON, DEN_LV={"gameday": "soon"}), "Line 3: gameday is 'soon', not a date such as 2024-09-05."),
        (season(KC_BUF=WON, DEN_LV={"gametime": "00:00"}), "1 kickoffs are doubtful."),
        ([row | {"season": "2023"} for row in season(KC_BUF=WON)], "The file has no games of season 2024."),
    ],
    ids=[
        "unknown team", "repeated", "repeated under another name", "a week missing", "half missing", "negative",
        "absurd", "NaN", "no such week", "no date", "doubtful", "another season",
    ],
)  # fmt: skip
def test_a_batch_whose_structure_is_wrong_is_refused_whole(bring, rows, why):
    changes, rounds = GameChange.objects.count(), Round.objects.count()
    pulled = bring(rows)
    assert (pulled.outcome, pulled.pull.refusal[: len(why)]) == ("refused", why)
    assert (GameChange.objects.count(), Round.objects.count()) == (changes, rounds)
    assert result("KC_BUF") == SCHEDULED


def test_a_season_that_contradicts_us_in_everything_is_refused_whole(bring):
    bring(season(**dict.fromkeys(PLAYED, WON)))
    changes = GameChange.objects.count()
    pulled = bring(season(**dict.fromkeys(PLAYED, CORRECTED)))
    assert pulled.pull.refusal == "4 of 8 games would have to be raised for a ruling: this is another season's."
    assert GameChange.objects.count() == changes


def test_a_feed_does_not_begin_a_competition(bring, competition, source):
    empty = PoolFactory().competition.__class__.objects.create(code="nfl-2025", name="x", season="2024")
    FeedSource.objects.filter(pk=source.pk).update(competition=empty)
    assert bring(season()).pull.refusal == "nfl-2025 has no games yet: import its schedule first."


def test_a_feed_renames_no_round(bring, competition):
    competition.rounds.filter(number=1).update(name="Opening night")
    bring(season(KC_BUF=WON))
    assert competition.rounds.get(number=1).name == "Opening night"


# --- Raised for a ruling --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"home_score": "20"}, "The schedule has only one of the two scores."),
        ({"result": "3"}, "The schedule has a result without scores."),
        ({"score": (20, 17), "result": "4"}, "The schedule has a result of 4 for a score of 20-17."),
        ({"score": (0, 0)}, "The schedule has a final 0-0."),
        ({"score": (250, 3)}, "The schedule has a final 250-3."),
    ],
    ids=["half a score", "final without scores", "at odds with itself", "0-0", "unlikely"],
)
def test_a_result_that_can_hardly_be_true_is_raised_and_not_taken(bring, row, text):
    assert raised(bring(season(KC_BUF=row, DEN_LV=WON))) == 1
    assert (review("KC_BUF"), result("KC_BUF")) == (text, SCHEDULED)
    assert result("DEN_LV") == FINAL


def test_a_result_before_the_kickoff_is_raised_and_not_taken(bring):
    assert raised(bring(season(BUF_KC=WON))) == 1
    assert review("BUF_KC") == "The schedule has it as final, 20-17, before it can have ended."
    assert result("BUF_KC") == SCHEDULED


def test_a_final_result_is_never_changed_by_a_feed(bring):
    bring(season(KC_BUF=WON))
    assert raised(bring(season(KC_BUF=CORRECTED))) == 1
    assert (review("KC_BUF"), result("KC_BUF")) == ("The schedule has it at 20-23 now, not 20-17.", FINAL)


def test_a_result_that_a_person_entered_is_never_changed_by_a_feed(bring, moderator):
    said = {"game_id": game("KC_BUF").pk, "status": "final", "home_score": 20, "away_score": 17}
    record_result(**said, by=moderator)
    bring(season(KC_BUF=CORRECTED))
    assert (review("KC_BUF"), result("KC_BUF")) == ("The schedule has it at 20-23 now, not 20-17.", FINAL)


@pytest.mark.parametrize("row", [{}, {"home_score": "20"}], ids=["none", "half"])
def test_a_result_taken_back_is_raised_and_stays(bring, row):
    bring(season(KC_BUF=WON))
    assert raised(bring(season(KC_BUF=row))) == 1
    assert review("KC_BUF").startswith("The schedule ")
    assert result("KC_BUF") == FINAL


def test_a_feed_that_is_behind_another_takes_nothing_back(bring, competition):
    with BadServer() as faster:
        faster.does(bad.answer(as_csv(season(KC_BUF=WON))))
        other = FeedSource.objects.create(competition=competition, kind="nflverse", url=faster.address(), season="2024")
        pull_source(source_id=other.pk, limits=QUICK)
    assert raised(bring(season())) == 0
    assert (review("KC_BUF"), result("KC_BUF")) == ("", FINAL)


@pytest.mark.parametrize("status", ["cancelled", "postponed"])
def test_a_result_of_a_game_that_was_called_off_is_raised(bring, moderator, status):
    record_result(game_id=game("KC_BUF").pk, status=status, by=moderator)
    bring(season(KC_BUF=WON))
    assert review("KC_BUF") == f"The schedule has a result, 20-17, but here it is {status}."
    assert result("KC_BUF") == (status, None, None)


@pytest.mark.parametrize("before", [{}, WON], ids=["open", "final"])
def test_a_dropped_game_is_raised_and_stays(bring, before):
    bring(season(KC_BUF=before))
    stands = result("KC_BUF")
    assert raised(bring(season(KC_BUF=None))) == 1
    assert (review("KC_BUF"), result("KC_BUF")) == ("The schedule does not list it any more.", stands)


MOVED = {"week": "1", "gameday": "2095-09-04"}


def test_a_picked_game_that_moves_is_raised_and_no_pick_is_lost(bring, picked):
    before = game("BUF_KC")
    assert raised(bring(season(BUF_KC=MOVED))) == 1
    after = game("BUF_KC")
    assert (after.round, after.kickoff_at) == (before.round, before.kickoff_at)
    assert after.review == "The schedule has it in round 1 now, not 2."
    assert list(Pick.objects.values_list("pk", "game_id")) == [(picked.pk, before.pk)]


def test_a_game_without_picks_moves(bring):
    assert raised(bring(season(BUF_KC=MOVED))) == 0
    assert game("BUF_KC").round.number == 1


def test_a_final_game_moves_for_nobody(bring):
    bring(season(KC_BUF=WON))
    before = game("KC_BUF")
    bring(season(KC_BUF=WON | {"week": "2", "gametime": "16:25"}))
    after = game("KC_BUF")
    assert (after.round, after.kickoff_at, after.status) == (before.round, before.kickoff_at, "final")
    assert after.review == "The schedule has it in round 2 now, not 1."


def test_a_kickoff_that_slips_into_the_past_locks_no_round(bring, competition):
    bring(season(BUF_KC={"gameday": "2024-09-09"}))
    assert review("BUF_KC") == "The schedule has it at 2024-09-09 17:00 UTC now, which is past."
    assert competition.rounds.get(number=2).locks_at > database_now()


def test_a_new_game_that_is_under_way_already_is_left_to_a_person(bring):
    new = nfl_row("2024_01_BUF_DEN", score=(3, 0))
    pulled = bring([*season(), new])
    assert pulled.pull.warnings == ["New, but already under way, so left to an import by hand: 2024_01_BUF_DEN."]
    assert not Game.objects.filter(external_id="2024_01_BUF_DEN").exists()


def test_a_new_game_to_come_is_taken(bring):
    bring([*season(), nfl_row("2024_03_BUF_DEN", gameday="2095-09-18")])
    assert game("BUF_DEN").round.number == 3


# --- What is open, what closes it, and what stays closed ------------------------------------------------------------


def test_raising_again_changes_nothing(bring):
    assert raised(bring(season(KC_BUF=None))) == 1
    changes = GameChange.objects.filter(game_id=game("KC_BUF").pk).count()
    assert raised(bring(season(KC_BUF=None, DEN_LV=WON))) == 0
    assert GameChange.objects.filter(game_id=game("KC_BUF").pk).count() == changes


def test_a_feed_that_agrees_again_closes_what_it_raised(bring):
    bring(season(KC_BUF=WON))
    bring(season(KC_BUF=CORRECTED))
    bring(season(KC_BUF=WON))
    assert (review("KC_BUF"), result("KC_BUF")) == ("", FINAL)


def test_what_one_source_raised_another_does_not_close(bring, competition):
    bring(season(KC_BUF=WON))
    bring(season(KC_BUF=CORRECTED))
    with BadServer() as agreeing:
        agreeing.does(bad.answer(as_csv(season(KC_BUF=WON))))
        other = FeedSource.objects.create(
            competition=competition, kind="nflverse", url=agreeing.address(), season="2024"
        )
        changes = GameChange.objects.count()
        pull_source(source_id=other.pk, limits=QUICK)
    assert review("KC_BUF") == "The schedule has it at 20-23 now, not 20-17."
    assert GameChange.objects.count() == changes


def test_a_feed_touches_nothing_that_waits_for_a_ruling_of_somebody_elses(bring, tmp_path):
    import_rows(tmp_path, season(KC_BUF={"home_score": "20"}))
    bring(season(KC_BUF=WON))
    assert (review("KC_BUF"), result("KC_BUF")) == ("The schedule has only one of the two scores.", SCHEDULED)


def test_what_staff_let_stand_is_not_raised_again(bring, moderator, tmp_path):
    bring(season(KC_BUF=WON))
    bring(season(KC_BUF=CORRECTED))
    close_review(game_id=game("KC_BUF").pk, by=moderator, reason="the league says 20-17")
    assert LetStand.objects.get().difference == "result 20-17 > 20-23"
    assert raised(bring(season(KC_BUF=CORRECTED, DEN_LV=WON))) == 0
    report = import_rows(tmp_path, season(KC_BUF=CORRECTED, DEN_LV=WON))
    assert report.warnings == ["2024_01_KC_BUF: 20-17 was let stand, not 20-23."]
    assert (review("KC_BUF"), result("KC_BUF")) == ("", FINAL)


def test_another_correction_is_raised_again(bring, moderator):
    bring(season(KC_BUF=WON))
    bring(season(KC_BUF=CORRECTED))
    close_review(game_id=game("KC_BUF").pk, by=moderator, reason="the league says 20-17")
    assert raised(bring(season(KC_BUF={"score": (20, 24)}))) == 1


def test_a_result_entered_by_a_person_settles_what_was_raised(bring, moderator):
    bring(season(KC_BUF={"score": (0, 0)}))
    record_result(game_id=game("KC_BUF").pk, status="final", home_score=6, away_score=0, by=moderator, reason="seen")
    assert raised(bring(season(KC_BUF={"score": (6, 0)}))) == 0
    assert (review("KC_BUF"), result("KC_BUF")) == ("", ("final", 6, 0))


@pytest.mark.parametrize(
    "row", [None, CORRECTED, {"home_score": "3"}, {"week": "2"}], ids=["dropped", "corrected", "half", "moved"]
)
def test_a_game_that_a_ruling_decided_is_left_alone(bring, row):
    bring(season(KC_BUF=WON))
    Game.objects.filter(pk=game("KC_BUF").pk).update(is_ruled=True)
    changes = GameChange.objects.filter(game_id=game("KC_BUF").pk).count()
    assert raised(bring(season(KC_BUF=row))) == 0
    assert GameChange.objects.filter(game_id=game("KC_BUF").pk).count() == changes


def test_an_import_by_hand_takes_a_corrected_score_and_closes_the_review(bring, tmp_path):
    bring(season(KC_BUF=WON))
    bring(season(KC_BUF=CORRECTED))
    report = import_rows(tmp_path, season(KC_BUF=CORRECTED))
    assert report.warnings == ["2024_01_KC_BUF: score corrected from 20-17 to 20-23."]
    assert (review("KC_BUF"), result("KC_BUF")) == ("", ("final", 20, 23))
