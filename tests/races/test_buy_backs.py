"""Buying back in against everything that can happen at the same instant."""

import itertools
from datetime import timedelta

import pytest
from django.db import connection, transaction

from config.clock import database_now
from entries.models import Entry, Reprieve, Request
from entries.queries.reveal import revealed_rounds
from entries.services.expiry import expire_unpaid
from entries.services.places import PlaceRefused, grant_place
from entries.services.settlement import settle_competition
from pools.models import Game, Pool, PoolStatus, Round
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import CODES, PoolFactory, league, play_round
from tests.support.buying_back import ask
from tests.support.playing import enter
from tests.support.threads import errors, run_together, successes, twenty_times

pytestmark = pytest.mark.django_db(transaction=True)

RULES = {"buy_back_until": 2, "buy_back_limit": 1, "buy_back_fee_cents": 100}


def fallen(*, survivors=2, lock_in=None):
    """An entry that fell in round 1 of a pool of its own, where so many others live on."""
    pool = PoolFactory(competition=league(rounds=4, codes=CODES), rules=RULES)
    for code in ("ANT", "CAT")[:survivors]:
        enter(pool, code, (code == "ANT" and "CAT") or "ANT")
    entry = enter(pool, "BAT")
    play_round(pool.competition.rounds.get(number=1), winners=set())
    settle_competition(competition_id=pool.competition_id)
    if lock_in is not None:
        Game.objects.filter(round__competition=pool.competition, round__number=2).update(
            kickoff_at=database_now() + lock_in
        )
    entry.refresh_from_db()
    return entry


def pay(request):
    mine = Request.objects.get(pk=request.pk)
    return grant_place(request=mine, by=None, now=database_now(), paid_at=request.decided_at)


def payable(entry):
    """Approved, with more time to pay than the round leaves."""
    request = ask(entry)
    Request.objects.filter(pk=request.pk).update(pay_by=database_now() + timedelta(days=1))
    return request


@twenty_times
def test_two_clicks_make_one_request():
    entry = fallen()
    outcomes = run_together([lambda: ask(entry)] * 4)
    assert errors(outcomes) == []
    assert len({request.pk for request in successes(outcomes)}) == 1
    assert Request.objects.filter(bought_entry=entry).count() == 1


@twenty_times
def test_the_same_money_twice_brings_back_once():
    request = ask(fallen())
    outcomes = run_together([lambda: pay(request)] * 4)
    assert len(successes(outcomes)) == 1
    assert [error.because for error in errors(outcomes)] == ["already_paid"] * 3
    assert Reprieve.objects.filter(request=request).count() == 1


@twenty_times
def test_money_against_expiry_brings_back_or_is_refused_never_both():
    entry = fallen()
    request = ask(entry)
    pay_by = database_now() - timedelta(seconds=1)
    Request.objects.filter(pk=request.pk).update(pay_by=pay_by)
    mine = Request.objects.get(pk=request.pk)
    sweep, payment = run_together(
        [
            lambda: expire_unpaid(now=database_now()),
            lambda: grant_place(
                request=mine, by=None, now=database_now(), paid_at=pay_by - timedelta(seconds=1)
            ),
        ]
    )  # fmt: skip
    assert sweep.worked
    request.refresh_from_db()
    if payment.worked:
        assert (request.status, request.payment_status) == ("approved", "completed")
        assert Reprieve.objects.get(entry=entry).request_id == request.pk
    else:
        assert isinstance(payment.error, PlaceRefused)
        assert (request.status, payment.error.because) == ("expired", "expired")
        assert not Reprieve.objects.filter(entry=entry).exists()


WAITS = itertools.count()


@twenty_times
def test_money_against_the_lock_comes_before_the_reveal_or_not_at_all():
    # Around the instant of the lock, a little earlier or later each time.
    lock_in = timedelta(milliseconds=250 + 4 * next(WAITS))
    entry = fallen()
    request = payable(entry)
    Game.objects.filter(round__competition=entry.pool.competition, round__number=2).update(
        kickoff_at=database_now() + lock_in
    )
    locks_at = Round.objects.get(competition=entry.pool.competition, number=2).locks_at

    def pay_at_the_lock():
        wait_until(locks_at - timedelta(milliseconds=25))
        return pay(request)

    def reveal():
        wait_until(locks_at)
        return revealed_rounds(entry.pool.competition_id)

    payment, _ = run_together([pay_at_the_lock, reveal])
    revealed_rounds(entry.pool.competition_id)
    revealed_at = Round.objects.get(competition=entry.pool.competition, number=2).revealed_at
    if payment.worked:
        assert Reprieve.objects.get(entry=entry).created_at < locks_at <= revealed_at
    else:
        assert isinstance(payment.error, PlaceRefused), payment.error
        assert payment.error.because == "too_late"
        request.refresh_from_db()
        assert request.payment_status == "pending"
        assert not Reprieve.objects.filter(entry=entry).exists()


def wait_until(instant):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(greatest(extract(epoch FROM %s - clock_timestamp()), 0))", [instant])


@twenty_times
def test_the_last_two_come_back_while_the_pool_would_end():
    """One is left, and two others buy back in while the next round locks: nobody wins who still has company."""
    pool = PoolFactory(competition=league(rounds=4, codes=CODES), rules=RULES)
    living = enter(pool, "ANT", "CAT")
    out = [enter(pool, "BAT", None, "CAT"), enter(pool, "DOG", None, "ANT")]
    play_round(pool.competition.rounds.get(number=1), winners=set())
    settle_competition(competition_id=pool.competition_id)
    assert Pool.objects.get(pk=pool.pk).status != PoolStatus.FINISHED
    requests = [payable(entry) for entry in out]
    Game.objects.filter(round__competition=pool.competition, round__number=2).update(
        kickoff_at=database_now() + timedelta(milliseconds=150)
    )
    locks_at = Round.objects.get(competition=pool.competition, number=2).locks_at

    def pay_at_the_lock(request):
        wait_until(locks_at - timedelta(milliseconds=30))
        return pay(request)

    def settle():
        wait_until(locks_at)
        return settle_competition(competition_id=pool.competition_id)

    outcomes = run_together([lambda: pay_at_the_lock(requests[0]), lambda: pay_at_the_lock(requests[1]), settle])
    settle_competition(competition_id=pool.competition_id)
    assert outcomes[2].worked, outcomes[2].error
    back = [entry for entry, outcome in zip(out, outcomes, strict=False) if outcome.worked]
    assert all(isinstance(error, PlaceRefused) for error in errors(outcomes))
    statuses = {entry.pk: entry.status for entry in Entry.objects.filter(pool=pool)}
    assert {statuses[entry.pk] for entry in back} <= {"active"}
    if back:
        assert Pool.objects.get(pk=pool.pk).status != PoolStatus.FINISHED
        assert statuses[living.pk] == "active"
    else:
        assert statuses[living.pk] == "winner"


@twenty_times
def test_a_late_entry_against_the_lock_plays_a_round_that_it_can_pick_for():
    pool = PoolFactory(
        competition=league(rounds=4, codes=CODES), status=PoolStatus.RUNNING, rules={"late_entry_until": 2}
    )
    play_round(pool.competition.rounds.get(number=1), winners=set())
    EntryFactory(in_pool=pool)
    request = RequestFactory(pool=pool, approved=True)
    Game.objects.filter(round__competition=pool.competition, round__number=2).update(
        kickoff_at=database_now() + timedelta(milliseconds=100)
    )
    locks_at = Round.objects.get(competition=pool.competition, number=2).locks_at

    def pay_at_the_lock():
        wait_until(locks_at - timedelta(milliseconds=15))
        return grant_place(request=request, by=None, now=database_now(), paid_at=locks_at - timedelta(seconds=1))

    def reveal():
        wait_until(locks_at)
        with transaction.atomic():
            return revealed_rounds(pool.competition_id)

    payment, _ = run_together([pay_at_the_lock, reveal])
    revealed_rounds(pool.competition_id)
    revealed_at = Round.objects.get(competition=pool.competition, number=2).revealed_at
    if payment.worked:
        assert payment.value.first_round_number == 2
        assert Entry.objects.get(pk=payment.value.pk).created_at < revealed_at
    else:
        assert isinstance(payment.error, PlaceRefused), payment.error
        assert payment.error.because == "too_late"
