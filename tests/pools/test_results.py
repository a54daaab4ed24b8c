"""Recording how a game ended."""

import pytest
from django.db import connection, transaction

from config.errors import Conflict, Malformed, NotFound
from entries.models.pick import LATE_SETTING
from pools.models import Game, GameChange, GameStatus
from pools.services.results import close_review, record_result
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, league, lock_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def game() -> Game:
    """A game of a round that has locked."""
    competition = league()
    lock_round(competition.rounds.get(number=1))
    return competition.games.filter(round__number=1).first()


def fresh(game):
    game.refresh_from_db()
    return game.status, game.home_score, game.away_score


def test_a_final_score_is_recorded_with_who_and_why(game, moderator):
    assert record_result(game_id=game.pk, status="final", home_score=20, away_score=17, by=moderator, reason="seen")
    assert fresh(game) == ("final", 20, 17)
    change = GameChange.objects.latest("id")
    assert (change.actor_id, change.reason) == (moderator.pk, "seen")
    assert (change.before["status"], change.after["status"]) == ("scheduled", "final")


def test_the_same_result_again_changes_nothing(game, moderator):
    said = {"game_id": game.pk, "status": "final", "home_score": 20, "away_score": 17, "by": moderator}
    record_result(**said)
    changes = GameChange.objects.count()
    assert record_result(**said) is False
    assert GameChange.objects.count() == changes


def test_nil_nil_is_final_when_it_is_said(game, moderator):
    assert record_result(game_id=game.pk, status="final", home_score=0, away_score=0, by=moderator)
    assert fresh(game) == ("final", 0, 0)


@pytest.mark.parametrize(
    ("status", "home", "away", "field"),
    [
        ("final", None, None, "home_score"),
        ("final", 20, None, "away_score"),
        ("final", None, 0, "home_score"),
        ("final", -1, 0, "home_score"),
        ("final", 1000, 0, "home_score"),
        ("in_progress", 3, None, "away_score"),
        ("in_progress", None, 3, "home_score"),
        ("postponed", 3, 0, "home_score"),
        ("cancelled", 0, 0, "home_score"),
        ("scheduled", 0, 0, "home_score"),
        ("abandoned", None, None, "status"),
    ],
)
def test_a_score_that_cannot_be_is_refused(game, moderator, status, home, away, field):
    with pytest.raises(Malformed) as refusal:
        record_result(game_id=game.pk, status=status, home_score=home, away_score=away, by=moderator)
    assert list(refusal.value.details) == [field]
    assert fresh(game) == ("scheduled", None, None)


def test_a_game_runs_is_postponed_and_comes_back(game, moderator):
    for status, home, away in [
        ("in_progress", None, None), ("in_progress", 3, 0), ("postponed", None, None), ("scheduled", None, None),
        ("cancelled", None, None), ("final", 6, 3), ("final", 6, 7),
    ]:  # fmt: skip
        assert record_result(game_id=game.pk, status=status, home_score=home, away_score=away, by=moderator)
        assert fresh(game) == (status, home, away)


@pytest.mark.parametrize("status", ["final", "in_progress"])
def test_no_score_before_the_lock(moderator, status):
    game = league().games.first()
    with pytest.raises(Conflict, match="Round 1 has not locked"):
        record_result(game_id=game.pk, status=status, home_score=1, away_score=0, by=moderator)


@pytest.mark.parametrize("status", ["postponed", "cancelled"])
def test_a_game_can_be_called_off_before_the_lock(moderator, status):
    game = league().games.first()
    assert record_result(game_id=game.pk, status=status, by=moderator)


def test_a_raised_game_takes_a_persons_word_but_not_a_feeds(game, moderator):
    Game.objects.filter(pk=game.pk).update(review="The schedule has it in round 2 now, not 1.")
    with pytest.raises(Conflict, match="waits for a ruling"):
        record_result(game_id=game.pk, status="final", home_score=1, away_score=0, by=None)
    assert record_result(game_id=game.pk, status="cancelled", by=moderator, reason="moved away")
    assert Game.objects.get(pk=game.pk).review == ""


def test_an_unknown_game_is_not_found(db, moderator):
    with pytest.raises(NotFound):
        record_result(game_id=99, status=GameStatus.CANCELLED, by=moderator)
    with pytest.raises(NotFound):
        close_review(game_id=99, by=moderator, reason="x")


def test_closing_a_review_needs_a_reason_and_is_done_once(game, moderator):
    Game.objects.filter(pk=game.pk).update(review="Dropped.")
    with pytest.raises(Malformed):
        close_review(game_id=game.pk, by=moderator, reason=" ")
    assert close_review(game_id=game.pk, by=moderator, reason="a slip of the feed") is True
    assert close_review(game_id=game.pk, by=moderator, reason="a slip of the feed") is False
    assert GameChange.objects.latest("id").reason == "a slip of the feed"


# --- What takes two names ------------------------------------------------------------------------------------------


@pytest.fixture
def contested(game) -> Game:
    """The game in a pool in play, without picks."""
    PoolFactory(competition=game.competition, status="running")
    return game


def refused(game, status, home=None, away=None, *, by):
    with pytest.raises(Conflict) as refusal:
        record_result(game_id=game.pk, status=status, home_score=home, away_score=away, by=by)
    assert (refusal.value.code, refusal.value.details["game"]) == ("CORRECTION_NEEDS_RULING", game.pk)


def pick_late(game):
    """Somebody picked the home side before the round locked."""
    entry = EntryFactory(in_pool=PoolFactory(competition=game.competition))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'import', true)", [LATE_SETTING])
        pick(entry, game.round.number, game.home.code, source="import")


def test_a_first_result_and_its_progress_need_one_name(contested, moderator):
    for status, home, away in (("in_progress", None, None), ("in_progress", 3, 0), ("in_progress", 0, 0)):
        assert record_result(game_id=contested.pk, status=status, home_score=home, away_score=away, by=moderator)
    assert record_result(game_id=contested.pk, status="final", home_score=7, away_score=3, by=moderator)
    assert record_result(game_id=contested.pk, status="final", home_score=7, away_score=3, by=moderator) is False


@pytest.mark.parametrize("outcome", ["final", "cancelled", "postponed"])
@pytest.mark.parametrize("status", ["open", "running", "finished"])
def test_another_outcome_than_pools_are_settled_on_needs_two(game, moderator, outcome, status):
    PoolFactory(competition=game.competition, status=status)
    scores = (7, 3) if outcome == "final" else (None, None)
    record_result(game_id=game.pk, status=outcome, home_score=scores[0], away_score=scores[1], by=moderator)
    for said in (("final", 7, 4), ("scheduled",), ("in_progress",), ("cancelled",), ("postponed",)):
        if said[0] != outcome or outcome == "final":
            refused(game, *said, by=moderator)
    assert fresh(game)[0] == outcome


@pytest.mark.parametrize("pool", [{"status": "draft"}, {"status": "cancelled"}, {"first_round_number": 2}])
def test_where_no_pool_is_settled_on_it_one_name_corrects(game, moderator, pool):
    PoolFactory(competition=game.competition, **pool)
    for home in (7, 8):
        assert record_result(game_id=game.pk, status="final", home_score=home, away_score=3, by=moderator)


def test_a_feed_never_changes_a_final_result(game, moderator):
    record_result(game_id=game.pk, status="final", home_score=7, away_score=3, by=moderator)
    refused(game, "final", 7, 4, by=None)
    refused(game, "postponed", by=None)
    assert record_result(game_id=game.pk, status="final", home_score=7, away_score=3, by=None) is False


@pytest.mark.parametrize("status", ["cancelled", "postponed"])
def test_calling_off_a_picked_game_needs_two_names_once_its_round_has_locked(game, moderator, status):
    other = game.round.games.exclude(pk=game.pk).get()
    pick_late(game)
    refused(game, status, by=moderator)
    refused(game, status, by=None)
    assert record_result(game_id=other.pk, status=status, by=moderator)


def test_a_raised_game_with_picks_waits_for_two_names(game, moderator):
    pick_late(game)
    Game.objects.filter(pk=game.pk).update(review="The schedule has it in round 2 now, not 1.")
    refused(game, "final", 7, 3, by=moderator)
    with pytest.raises(Conflict) as refusal:
        close_review(game_id=game.pk, by=moderator, reason="It is played here.")
    assert refusal.value.code == "CORRECTION_NEEDS_RULING"
    assert Game.objects.get(pk=game.pk).review
