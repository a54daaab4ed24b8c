"""Races around places that are lost, with real threads on real PostgreSQL."""

import pytest

from config.clock import database_now
from entries.models import Entry, Request, RequestChange
from entries.services.cancellations import end_late_requests
from entries.services.lost_places import suspend_entry, take_place_back
from entries.services.picks import save_pick
from entries.services.places import PlaceRefused, grant_place
from entries.services.requests import ask_to_join
from entries.services.settlement import settle_competition
from pools.services.pools import close_pool
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.playing import enter, play
from tests.support.threads import again_and_again, errors, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)


def taking(request):
    return lambda: take_place_back(request=request, by=None, reason="asked")


@again_and_again
def test_a_fee_goes_back_once_and_one_player_moves_up():
    pool = PoolFactory(capacity=1)
    entry = EntryFactory(in_pool=pool)
    waiting = [RequestFactory(pool=pool, waitlisted_at=database_now()) for _ in range(3)]
    outcomes = run_together([taking(entry.request)] * 8)
    assert successes(outcomes) == [entry] * 8
    refunds = RequestChange.objects.filter(subject_id=entry.request_id, details__payment_status="refunded")
    assert refunds.count() == 1
    approved = Request.objects.filter(pk__in=[request.pk for request in waiting], status="approved")
    assert list(approved) == waiting[:1]


@again_and_again
def test_places_of_one_pool_are_taken_back_while_it_is_settled():
    pool = PoolFactory()
    entries = [enter(pool, "ANT", "CAT") for _ in range(4)]
    play(pool, 1)
    calls = [taking(entry.request) for entry in entries[:3]]
    outcomes = run_together([*calls, lambda: settle_competition(competition_id=pool.competition_id)])
    assert errors(outcomes) == []
    settle_competition(competition_id=pool.competition_id)
    assert [Entry.objects.get(pk=entry.pk).status for entry in entries] == ["void"] * 3 + ["winner"]
    assert Entry.objects.get(pk=entries[3].pk).prize_cents == 5000


@again_and_again
def test_a_pick_and_a_suspension_at_once_both_end():
    pool = PoolFactory(suspended_may_pick=False)
    entry = EntryFactory(in_pool=pool)
    save, suspend = run_together(
        [
            lambda: save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["ANT"]),
            lambda: suspend_entry(entry=entry, by=None, reason="disputed"),
        ]
    )
    assert suspend.worked
    assert entry.picks.exists() == save.worked


@again_and_again
def test_money_and_the_end_of_its_pool_leave_no_entry_unseen():
    pool, staff = PoolFactory(), ModeratorFactory()
    request = RequestFactory(pool=pool, approved=True)
    paid, closed = run_together(
        [
            lambda: grant_place(request=request, by=None, now=database_now()),
            lambda: close_pool(pool=pool, by=staff, reason="rain"),
        ]
    )
    assert closed.worked
    assert paid.worked or isinstance(paid.error, PlaceRefused)
    assert Request.objects.get(pk=request.pk).status == ("approved" if paid.worked else "withdrawn")


@again_and_again
def test_nobody_is_left_waiting_in_a_cancelled_pool():
    pool, staff, players = PoolFactory(minimum_age=0), ModeratorFactory(), UserFactory.create_batch(5)
    calls = [lambda p=player: ask_to_join(pool_id=pool.pk, user=p, now=database_now()) for player in players]
    run_together([*calls, lambda: close_pool(pool=pool, by=staff, reason="rain")])
    end_late_requests({"pool": pool.pk})
    assert not pool.requests.exclude(status="rejected").exists()
