"""Many requests decided at once by several people: the same ones, in other orders, in pools with few places."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, transaction

from config.clock import database_now
from entries.models import Request
from entries.services.approvals import approve_request
from entries.services.decisions import approve_requests, reject_requests
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.support.threads import again_and_again, errors, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)
POOLS, PLACES, EACH = 4, 2, 5


def asked():
    """Requests in pools with too few places, pool after pool."""
    competition = league(first_kickoff_in=timedelta(days=60))
    pools = [PoolFactory(competition=competition, capacity=PLACES) for _ in range(POOLS)]
    return pools, [RequestFactory(pool=pool).pk for pool in pools for _ in range(EACH)]


def orders(ids):
    """The same in four orders, so that everybody would like another pool first."""
    return [ids, ids[::-1], ids[len(ids) // 2 :] + ids[: len(ids) // 2], ids[1::2] + ids[::2]]


@again_and_again
def test_in_whatever_order_nobody_waits_in_a_circle_and_no_place_is_given_twice():
    pools, ids = asked()
    people = ModeratorFactory.create_batch(4)
    outcomes = run_together(
        [
            lambda by=by, order=order: approve_requests(request_ids=order, by=by, now=database_now())
            for by, order in zip(people, orders(ids), strict=True)
        ]
    )
    assert errors(outcomes) == []
    decided = [one.request_id for decisions in successes(outcomes) for one in decisions if one.refusal is None]
    assert len(decided) == len(set(decided)) == POOLS * PLACES
    assert [pool.requests.holding_a_place().count() for pool in pools] == [PLACES] * POOLS


@again_and_again
def test_one_by_one_in_one_transaction_waits_in_a_circle():
    """The control: the same without all locks beforehand."""
    _, ids = asked()
    people, both_hold_one = ModeratorFactory.create_batch(2), threading.Barrier(2)

    def one_by_one(by, one, other):
        with transaction.atomic():
            approve_request(request=Request.objects.get(pk=one), by=by, now=database_now())
            both_hold_one.wait(30)
            approve_request(request=Request.objects.get(pk=other), by=by, now=database_now())

    one, other = ids[0], ids[-1]
    outcomes = run_together([lambda: one_by_one(people[0], one, other), lambda: one_by_one(people[1], other, one)])
    assert [type(error) for error in errors(outcomes)] == [OperationalError]


@again_and_again
def test_who_is_approved_by_one_is_not_rejected_by_another():
    _, ids = asked()
    one, other = ModeratorFactory.create_batch(2)
    outcomes = run_together(
        [
            lambda: approve_requests(request_ids=ids, by=one, now=database_now()),
            lambda: reject_requests(request_ids=ids[::-1], by=other, now=database_now(), reason="No."),
        ]
    )
    approved, rejected = (
        {one.request_id for one in decisions if one.refusal is None} for decisions in successes(outcomes)
    )
    assert approved & rejected == set()
    assert set(Request.objects.filter(status="approved").values_list("pk", flat=True)) >= approved
    assert set(Request.objects.filter(status="rejected").values_list("pk", flat=True)) >= rejected
