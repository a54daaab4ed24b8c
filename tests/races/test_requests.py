"""Races for places, with real threads on real PostgreSQL. Each is run twenty times.

Two negative controls run the naive SQL, which looks before it locks or does not lock at all, through the same thread
runner: there the race is lost, so these tests would notice.
"""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction

from config.clock import database_now
from config.errors import Code
from config.models import OutboxMessage
from entries.models import Entry, Request, RequestChange
from entries.models.request import NUMBER_HOLDING
from entries.services.approvals import approve_request, reject_request, waitlist_request
from entries.services.expiry import expire_unpaid, promote_everywhere
from entries.services.places import PlaceRefused, grant_place
from entries.services.requests import ask_to_join, withdraw_request
from pools.models import Pool
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.support.threads import again_and_again, codes, errors, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def competition():
    return league(first_kickoff_in=timedelta(days=60))


@pytest.fixture
def staff():
    return ModeratorFactory()


def approving(request, staff):
    return lambda: approve_request(request=request, by=staff, now=database_now())


def statuses(*requests):
    return [Request.objects.get(pk=request.pk).status for request in requests]


def moves(request):
    """The transitions of a request, as the append-only table tells them."""
    changes = RequestChange.objects.filter(subject_id=request.pk).exclude(from_status="").order_by("id")
    return [(change.from_status, change.to_status) for change in changes if change.from_status != change.to_status]


@again_and_again
def test_the_last_places_of_a_pool_are_given_once(competition, staff):
    pool = PoolFactory(competition=competition, capacity=2)
    requests = [RequestFactory(pool=pool) for _ in range(8)]
    outcomes = run_together([approving(request, staff) for request in requests])
    assert len(successes(outcomes)) == 2
    assert codes(outcomes) == [Code.POOL_FULL] * 6
    assert pool.requests.holding_a_place().count() == 2


@again_and_again
def test_fifty_asks_at_the_limit_get_exactly_the_numbers_there_are(competition):
    pool, user = PoolFactory(competition=competition), UserFactory()
    outcomes = run_together([lambda: ask_to_join(pool_id=pool.pk, user=user, now=database_now())] * 50)
    assert sorted(request.number for request in successes(outcomes)) == [1, 2, 3]
    assert codes(outcomes) == [Code.REQUEST_LIMIT_REACHED] * 47
    assert sorted(pool.requests.values_list("number", flat=True)) == [1, 2, 3]


@again_and_again
def test_two_asks_for_the_last_number_get_one(competition):
    pool, user = PoolFactory(competition=competition), UserFactory()
    for number in (1, 3):
        RequestFactory(pool=pool, user=user, number=number)
    outcomes = run_together([lambda: ask_to_join(pool_id=pool.pk, user=user, now=database_now())] * 2)
    assert [request.number for request in successes(outcomes)] == [2]
    assert codes(outcomes) == [Code.REQUEST_LIMIT_REACHED]


@again_and_again
def test_approve_against_withdraw_ends_in_one_order_or_the_other(competition, staff):
    request = RequestFactory(pool=PoolFactory(competition=competition, capacity=1))
    approval, withdrawal = run_together(
        [approving(request, staff), lambda: withdraw_request(request=request, by=request.user, now=database_now())]
    )
    # Withdrawing works before and after an approval; an approval only before a withdrawal.
    assert withdrawal.worked
    assert codes([approval]) == ([] if approval.worked else [Code.INVALID_TRANSITION])
    approved = [("pending", "approved"), ("approved", "withdrawn")]
    assert moves(request) == (approved if approval.worked else [("pending", "withdrawn")])
    assert statuses(request) == ["withdrawn"]


@again_and_again
def test_approve_against_reject_has_one_winner(competition, staff):
    request = RequestFactory(pool=PoolFactory(competition=competition))
    colleague = ModeratorFactory()
    outcomes = run_together(
        [
            approving(request, staff),
            lambda: reject_request(request=request, by=colleague, now=database_now(), reason="No."),
        ]
    )
    (winner,) = successes(outcomes)
    assert codes(outcomes) == [Code.INVALID_TRANSITION]
    assert moves(request) == [("pending", winner.status)]


@again_and_again
def test_a_double_approval_counts_once(competition, staff):
    request = RequestFactory(pool=PoolFactory(competition=competition, entry_fee_cents=0))
    outcomes = run_together([approving(request, staff)] * 4)
    assert len(successes(outcomes)) == 1
    assert codes(outcomes) == [Code.INVALID_TRANSITION] * 3
    assert moves(request) == [("pending", "approved")]
    assert Entry.objects.filter(request=request).count() == 1


@again_and_again
def test_expiry_against_the_approval_of_another_never_oversells(competition, staff):
    pool = PoolFactory(competition=competition, capacity=1)
    unpaid = RequestFactory(pool=pool, approved=True, pay_by=database_now() - timedelta(minutes=1))
    waiting = waitlist_request(request=RequestFactory(pool=pool), by=staff, now=database_now())
    outsider = RequestFactory(pool=pool)
    outcomes = run_together(
        [lambda: expire_unpaid(now=database_now()), approving(outsider, staff), approving(waiting, staff)]
    )
    assert outcomes[0].worked
    # A sweep that met the pool busy leaves the rest to the next one.
    expire_unpaid(now=database_now())
    assert statuses(unpaid, waiting, outsider) == ["expired", "approved", "pending"]
    assert set(codes(outcomes)) <= {Code.POOL_FULL, Code.INVALID_TRANSITION}


@again_and_again
def test_two_sweeps_expire_each_request_once(competition, staff):
    pay_by = database_now() - timedelta(minutes=1)
    pools = [PoolFactory(competition=competition, capacity=2) for _ in range(3)]
    due = [RequestFactory(pool=pool, approved=True, pay_by=pay_by) for pool in pools for _ in range(2)]
    outcomes = run_together([lambda: expire_unpaid(now=database_now())] * 3)
    assert errors(outcomes) == []
    left = expire_unpaid(now=database_now())
    assert sum(successes(outcomes)) + left == len(due)
    assert all(moves(request) == [("approved", "expired")] for request in due)
    keys = [f"request_expired-{request.pk}" for request in due]
    assert OutboxMessage.objects.filter(key__in=keys).count() == len(due)


@again_and_again
def test_money_against_expiry_makes_an_entry_or_a_refusal_never_both(competition):
    pool = PoolFactory(competition=competition, capacity=1)
    pay_by = database_now() - timedelta(minutes=1)
    request = RequestFactory(pool=pool, approved=True, pay_by=pay_by)
    paid_at = pay_by - timedelta(minutes=1)
    fresh = Request.objects.get(pk=request.pk)
    sweep, payment = run_together(
        [
            lambda: expire_unpaid(now=database_now()),
            lambda: grant_place(request=fresh, by=None, now=database_now(), paid_at=paid_at),
        ]
    )
    assert sweep.worked
    if payment.worked:
        assert statuses(request) == ["approved"]
        assert Entry.objects.get(pool=pool).request_id == request.pk
    else:
        assert isinstance(payment.error, PlaceRefused)
        assert payment.error.because == "expired"
        assert statuses(request) == ["expired"]
        assert not Entry.objects.filter(pool=pool).exists()


@again_and_again
def test_the_same_money_twice_makes_one_entry(competition):
    request = RequestFactory(pool=PoolFactory(competition=competition), approved=True)
    copies = [Request.objects.get(pk=request.pk) for _ in range(4)]
    outcomes = run_together(
        [lambda copy=copy: grant_place(request=copy, by=None, now=database_now()) for copy in copies]
    )
    assert len(successes(outcomes)) == 1
    assert [error.because for error in errors(outcomes)] == ["already_paid"] * 3
    assert Entry.objects.filter(request=request).count() == 1


@again_and_again
def test_withdrawals_promote_as_many_as_they_free(competition, staff):
    pool = PoolFactory(competition=competition, capacity=3)
    held = [RequestFactory(pool=pool, approved=True) for _ in range(3)]
    waiting = [waitlist_request(request=RequestFactory(pool=pool), by=staff, now=database_now()) for _ in range(4)]
    outcomes = run_together(
        [lambda row=row: withdraw_request(request=row, by=row.user, now=database_now()) for row in held]
    )
    assert errors(outcomes) == []
    assert statuses(*waiting) == ["approved", "approved", "approved", "pending"]
    assert pool.requests.holding_a_place().count() == 3


@contextmanager
def held(pool):
    """Somebody else works on the pool all the while."""
    is_held, is_over = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                Pool.objects.locked().get(pk=pool.pk)
                is_held.set()
                is_over.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert is_held.wait(30)
    yield
    is_over.set()
    thread.join(30)


def test_a_busy_pool_is_left_to_the_next_sweep_and_keeps_no_other(competition, staff):
    busy, idle = (PoolFactory(competition=competition, capacity=1) for _ in range(2))
    pay_by = database_now() - timedelta(minutes=1)
    due = [RequestFactory(pool=pool, approved=True, pay_by=pay_by) for pool in (busy, idle)]
    with held(busy):
        assert expire_unpaid(now=database_now()) == 1
        assert statuses(*due) == ["approved", "expired"]
    assert expire_unpaid(now=database_now()) == 1


def test_a_pool_that_cannot_be_locked_keeps_no_other_from_filling_up(competition, staff):
    busy, idle = (PoolFactory(competition=competition, capacity=1) for _ in range(2))
    for pool in (busy, idle):
        RequestFactory(pool=pool, approved=True)
    waiting = [
        waitlist_request(request=RequestFactory(pool=pool), by=staff, now=database_now()) for pool in (busy, idle)
    ]
    Pool.objects.update(capacity=2)
    with held(busy), connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
        assert promote_everywhere(now=database_now()) == 1
        cursor.execute("RESET lock_timeout")
    assert statuses(*waiting) == ["pending", "approved"]


# --- Negative controls: the same races without our locks, in plain SQL ------------------------------------------


def naive_approval(request, barrier):
    """Count the places first, then lock and write: what a careful reader would still take for safe."""

    def approve():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT p.capacity > count(r.id) FROM pools_pool p"
                " LEFT JOIN entries_request r ON r.pool_id = p.id AND r.status = 'approved'"
                " WHERE p.id = %s GROUP BY p.capacity",
                [request.pool_id],
            )
            has_room = cursor.fetchone()[0]
            barrier.wait(10)
            cursor.execute("SELECT 1 FROM pools_pool WHERE id = %s FOR NO KEY UPDATE", [request.pool_id])
            if has_room:
                cursor.execute(
                    "UPDATE entries_request SET status = 'approved', payment_status = 'pending', fee_cents = 1,"
                    " currency = 'usd', decided_at = now(), pay_by = now() + interval '1 day' WHERE id = %s",
                    [request.pk],
                )
            return has_room

    return approve


def test_without_the_lock_before_the_look_a_pool_is_oversold(competition):
    pool = PoolFactory(competition=competition, capacity=1)
    requests = [RequestFactory(pool=pool) for _ in range(4)]
    barrier = threading.Barrier(4)
    outcomes = run_together([naive_approval(request, barrier) for request in requests])
    assert errors(outcomes) == []
    assert pool.requests.holding_a_place().count() > Pool.objects.get(pk=pool.pk).capacity


def test_without_the_lock_of_the_player_asks_collide_in_the_database(competition):
    """The unique index holds the number even so, but callers meet an error instead of the next free number."""
    pool, user = PoolFactory(competition=competition), UserFactory()
    barrier = threading.Barrier(3)

    def naive_ask():
        with transaction.atomic():
            taken = set(pool.requests.of(user.pk).filter(status__in=NUMBER_HOLDING).values_list("number", flat=True))
            barrier.wait(10)
            return Request.objects.create(pool=pool, user=user, number=min({1, 2, 3} - taken))

    outcomes = run_together([naive_ask] * 3)
    assert len(successes(outcomes)) == 1
    constraints = {error.__cause__.diag.constraint_name for error in errors(outcomes)}
    assert constraints == {"request_number_unique"}
