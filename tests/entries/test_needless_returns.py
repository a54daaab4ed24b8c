"""Paid returns that a correction made needless: found by grading once more, and held against settlement itself."""

import pytest

from config.clock import database_now
from entries.models import Reprieve, Ruling
from entries.queries.buy_backs import needless_returns
from pools.models import Game
from tests.factories.accounts import UserFactory
from tests.factories.entries import pick
from tests.factories.pools import finish
from tests.support.buying_back import ask, fallen_in, fresh, generous_pool, pay, settle
from tests.support.playing import enter, play, void

pytestmark = pytest.mark.django_db


def correct(pool, number, away, home_score, away_score):
    """Another score for the game of that away side."""
    competition = pool.competition
    finish(
        Game.objects.get(round__competition=competition, round__number=number, away__code=away), home_score, away_score
    )
    settle(pool)


def without(request):
    """The entry as it would stand if it had not bought back in: its reprieve revoked, the pool settled."""
    pool, entry = request.pool, request.bought_entry
    first, second = UserFactory(), UserFactory()
    ruling = Ruling.objects.create(
        kind="reinstate", competition=pool.competition, pool=pool, entry=entry, reason="To compare", status="confirmed",
        proposed_by=first, decided_by=second, decided_at=request.decided_at,
    )  # fmt: skip
    Reprieve.objects.filter(request=request).update(revoked_by=ruling, revoked_at=database_now())
    settle(pool)
    return fresh(entry)


def returned(entry):
    """Bought back in, paid and settled."""
    request = ask(entry)
    pay(request)
    settle(entry.pool)
    return request


def is_needless(request):
    """As the query says, which must be as settlement would have it."""
    found = needless_returns() == {request.pk}
    assert needless_returns([request.pk]) == ({request.pk} if found else set())
    entry = without(request)
    has_fallen = (entry.status, entry.eliminated_round_number) == ("eliminated", request.round_number)
    assert found is not has_fallen
    return found


@pytest.fixture
def pool():
    return generous_pool()


def test_a_return_after_a_real_fall_was_needed(pool):
    assert not is_needless(returned(fallen_in(pool)))


@pytest.mark.parametrize(("home", "away"), [(10, 20), (None, None)])
def test_a_corrected_score_or_one_taken_back_makes_it_needless(pool, home, away):
    request = returned(fallen_in(pool))
    game = Game.objects.get(round__competition=pool.competition, round__number=1, away__code="BAT")
    game.status, game.home_score, game.away_score = ("final", home, away) if home else ("scheduled", None, None)
    game.save(update_fields=["status", "home_score", "away_score"])
    settle(pool)
    assert is_needless(request)


def test_another_loss_instead_still_needs_it(pool):
    request = returned(fallen_in(pool))
    correct(pool, 1, "BAT", 15, 15)
    assert not is_needless(request)


def test_a_tie_that_costs_nothing_makes_it_needless():
    pool = generous_pool(tie="void")
    request = returned(fallen_in(pool))
    correct(pool, 1, "BAT", 15, 15)
    assert is_needless(request)


def test_a_missed_pick_stays_missed(pool):
    entry = enter(pool)
    play(pool, 1)
    request = returned(entry)
    correct(pool, 1, "BAT", 10, 20)
    assert not is_needless(request)


def test_a_strike_that_is_undone_leaves_one_for_the_fall():
    pool = generous_pool(strikes=1)
    entry = enter(pool, "BAT", "DOG")
    for number in (1, 2):
        play(pool, number)
    assert fresh(entry).eliminated_round_number == 2
    request = returned(entry)
    correct(pool, 1, "BAT", 10, 20)
    assert is_needless(request)


def test_a_fall_that_moves_to_an_earlier_round_makes_it_needless():
    pool = generous_pool()
    entry = enter(pool, "ANT", "DOG")
    for number in (1, 2):
        play(pool, number)
    request = returned(entry)
    correct(pool, 1, "BAT", 10, 20)
    assert fresh(entry).eliminated_round_number == 1
    assert is_needless(request)


def test_each_of_two_returns_is_judged_by_its_own_fall():
    pool = generous_pool(limit=2)
    entry = fallen_in(pool)
    first = returned(entry)
    pick(entry, 2, "DOG")
    play(pool, 2)
    second = returned(fresh(entry))
    correct(pool, 1, "BAT", 10, 20)
    assert needless_returns() == {first.pk}
    correct(pool, 2, "DOG", 10, 20)
    assert needless_returns() == {first.pk, second.pk}


def test_the_fee_of_a_disqualified_entry_stays(pool):
    entry = fallen_in(pool)
    returned(entry)
    correct(pool, 1, "BAT", 10, 20)
    void(fresh(entry))
    assert needless_returns() == set()
