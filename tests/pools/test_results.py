"""Recording how a game ended."""

import pytest

from config.errors import Conflict, Malformed, NotFound
from pools.models import Game, GameChange, GameStatus
from pools.services.results import close_review, record_result
from tests.factories.pools import league, lock_round

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
