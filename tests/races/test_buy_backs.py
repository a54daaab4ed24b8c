"""Buying back in, and coming in late, against everything that can happen at the same instant."""

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
from tests.factories.entries import RequestFactory
from tests.factories.pools import CODES, PoolFactory, league, play_round
from tests.support.buying_back import ask
from tests.support.deadlines import AHEAD
from tests.support.playing import enter
from tests.support.threads import again_and_again, errors, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)

RULES = {"buy_back_until": 2, "buy_back_limit": 1, "buy_back_fee_cents": 100}
# How long before the lock the money arrives: a little earlier or later each time.
HEAD_STARTS = itertools.cycle(timedelta(milliseconds=25 * number) for number in range(20))


def played_pool(*picks, **fields):
    """A pool whose first round is played and settled, and an entry for each of these rows of picks."""
    pool = PoolFactory(competition=league(rounds=4, codes=CODES), **fields)
    entries = [enter(pool, *codes) for codes in picks]
    play_round(pool.competition.rounds.get(number=1), winners=set())
    settle_competition(competition_id=pool.competition_id)
    return pool, entries


def fallen():
    """An entry that fell in round 1 of a pool of its own, where two others live on."""
    _, (_, _, entry) = played_pool(("ANT", "CAT"), ("CAT", "ANT"), ("BAT",), rules=RULES)
    entry.refresh_from_db()
    return entry


def payable(entry):
    """Approved, with more time to pay than the round leaves."""
    request = ask(entry)
    Request.objects.filter(pk=request.pk).update(pay_by=database_now() + timedelta(days=1))
    return request


def pay(request):
    mine = Request.objects.get(pk=request.pk)
    return grant_place(request=mine, by=None, now=database_now(), paid_at=request.decided_at)


def second_round(pool):
    return Round.objects.get(competition=pool.competition, number=2)


def locking_soon(pool, ahead=timedelta(milliseconds=800)):
    """The instant at which round 2 locks, which is about to come."""
    Game.objects.filter(round=second_round(pool)).update(kickoff_at=database_now() + ahead)
    return second_round(pool).locks_at


def at(instant, act):
    """The act, begun at that instant of the database's clock."""

    def wait_and_act():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(greatest(extract(epoch FROM %s - clock_timestamp()), 0))", [instant])
        return act()

    return wait_and_act


def reveal(pool):
    return lambda: revealed_rounds(pool.competition_id)


def assert_too_late(outcome):
    assert isinstance(outcome.error, PlaceRefused), outcome.error
    assert outcome.error.because == "too_late"


@again_and_again
def test_two_clicks_make_one_request():
    entry = fallen()
    outcomes = run_together([lambda: ask(entry)] * 4)
    assert errors(outcomes) == []
    assert len({request.pk for request in successes(outcomes)}) == 1
    assert Request.objects.filter(bought_entry=entry).count() == 1


@again_and_again
def test_the_same_money_twice_brings_back_once():
    request = ask(fallen())
    outcomes = run_together([lambda: pay(request)] * 4)
    assert len(successes(outcomes)) == 1
    assert [error.because for error in errors(outcomes)] == ["already_paid"] * 3
    assert Reprieve.objects.filter(request=request).count() == 1


@again_and_again
def test_money_against_expiry_brings_back_or_is_refused_never_both():
    entry = fallen()
    request = ask(entry)
    pay_by = database_now()
    Request.objects.filter(pk=request.pk).update(pay_by=pay_by)
    sweep, payment = run_together([lambda: expire_unpaid(now=database_now()), lambda: pay(request)])
    assert sweep.worked
    request.refresh_from_db()
    if payment.worked:
        assert (request.status, request.payment_status) == ("approved", "completed")
        assert Reprieve.objects.get(entry=entry).request_id == request.pk
    else:
        assert isinstance(payment.error, PlaceRefused), payment.error
        assert (request.status, payment.error.because) == ("expired", "expired")
        assert not Reprieve.objects.filter(entry=entry).exists()


@again_and_again
def test_money_against_the_lock_comes_before_the_reveal_or_not_at_all():
    entry = fallen()
    request, head_start = payable(entry), next(HEAD_STARTS)
    locks_at = locking_soon(entry.pool)
    payment, _ = run_together([at(locks_at - head_start, lambda: pay(request)), at(locks_at, reveal(entry.pool))])
    revealed_rounds(entry.pool.competition_id)
    if payment.worked:
        assert Reprieve.objects.get(entry=entry).created_at < locks_at <= second_round(entry.pool).revealed_at
    else:
        assert_too_late(payment)
        request.refresh_from_db()
        assert request.payment_status == "pending"
        assert not Reprieve.objects.filter(entry=entry).exists()


@again_and_again
def test_the_last_two_come_back_while_the_pool_would_end():
    """One is left, and two others buy back in while the next round locks: nobody wins who still has company."""
    rows = (("ANT", "CAT"), ("BAT", None, "CAT"), ("DOG", None, "ANT"))
    pool, (living, *out) = played_pool(*rows, rules=RULES)
    assert Pool.objects.get(pk=pool.pk).status != PoolStatus.FINISHED
    requests, head_start = [payable(entry) for entry in out], next(HEAD_STARTS)
    locks_at = locking_soon(pool)
    payments = [at(locks_at - head_start, lambda request=request: pay(request)) for request in requests]
    settlement = at(locks_at, lambda: settle_competition(competition_id=pool.competition_id))
    *paid, settled = run_together([*payments, settlement])
    settle_competition(competition_id=pool.competition_id)

    assert settled.worked, settled.error
    fates = dict(Entry.objects.filter(pool=pool).values_list("pk", "status"))
    has_company = any(outcome.worked for outcome in paid)
    assert (Pool.objects.get(pk=pool.pk).status == PoolStatus.FINISHED) is not has_company
    assert fates[living.pk] == ("active" if has_company else "winner")
    for entry, outcome in zip(out, paid, strict=True):
        assert fates[entry.pk] == ("active" if outcome.worked else "eliminated")
        assert outcome.worked or outcome.error.because in ("too_late", "pool_closed")


@again_and_again
def test_a_late_entry_against_the_lock_plays_a_round_that_is_not_revealed():
    pool, _ = played_pool(("ANT", "CAT"), ("CAT", "ANT"), status=PoolStatus.RUNNING, rules={"late_entry_until": 2})
    request, head_start = RequestFactory(pool=pool, approved=True), next(HEAD_STARTS)
    locks_at = locking_soon(pool)
    payment, _ = run_together([at(locks_at - head_start, lambda: pay(request)), at(locks_at, reveal(pool))])
    revealed_rounds(pool.competition_id)
    if payment.worked:
        assert payment.value.first_round_number == 2
        assert payment.value.created_at < second_round(pool).revealed_at
    else:
        assert_too_late(payment)


def held_across_the_lock(locks_at, grant):
    """Granted before the lock, committed after it; when that was."""

    def hold():
        with transaction.atomic():
            grant()
            return at(locks_at + timedelta(milliseconds=400), database_now)()

    return hold


def test_nobody_sees_the_round_before_a_return_that_was_in_time_has_landed():
    entry = fallen()
    request = payable(entry)
    locks_at = locking_soon(entry.pool, AHEAD)
    payment, look = run_together(
        [held_across_the_lock(locks_at, lambda: pay(request)), at(locks_at, reveal(entry.pool))]
    )
    assert payment.worked, payment.error
    assert second_round(entry.pool).pk not in look.value
    assert second_round(entry.pool).pk in revealed_rounds(entry.pool.competition_id)
    assert second_round(entry.pool).revealed_at > payment.value


def test_nobody_sees_the_round_before_a_late_entry_that_was_in_time_has_landed():
    pool, _ = played_pool(("ANT", "CAT"), ("CAT", "ANT"), status=PoolStatus.RUNNING, rules={"late_entry_until": 2})
    request = RequestFactory(pool=pool, approved=True)
    locks_at = locking_soon(pool, AHEAD)
    payment, look = run_together([held_across_the_lock(locks_at, lambda: pay(request)), at(locks_at, reveal(pool))])
    assert payment.worked, payment.error
    assert Entry.objects.get(request=request).first_round_number == 2
    assert second_round(pool).pk not in look.value
    assert second_round(pool).pk in revealed_rounds(pool.competition_id)
    assert second_round(pool).revealed_at > payment.value
