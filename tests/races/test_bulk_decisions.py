"""The same queue decided by two people at once, and one decision worked on by several workers."""

from collections import Counter
from datetime import timedelta

import pytest

from config import outbox
from entries.models import BulkItem, Request, RequestChange
from entries.services.bulk_decisions import run_bulk_decision, start_bulk_decision, stop_bulk_decision
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.support.threads import again_and_again, errors, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)
POOLS, PLACES, EACH = 3, 6, 10


def queue():
    competition = league(first_kickoff_in=timedelta(days=60))
    pools = [PoolFactory(competition=competition, capacity=PLACES) for _ in range(POOLS)]
    return pools, [RequestFactory(pool=pool).pk for _ in range(EACH) for pool in pools]


def worked_on(ids, kind, by):
    reason = "Not this time." if kind == "reject" else ""
    bulk = start_bulk_decision(kind=kind, request_ids=ids, by=by, reason=reason)
    assert run_bulk_decision(bulk_id=bulk.pk)
    return bulk


@again_and_again
def test_two_who_approve_the_same_queue_give_no_place_twice_and_each_row_has_both_results():
    pools, ids = queue()
    people = ModeratorFactory.create_batch(2)
    outcomes = run_together([lambda by=by: worked_on(ids, "approve", by) for by in people])
    assert errors(outcomes) == []
    assert [pool.requests.holding_a_place().count() for pool in pools] == [PLACES] * POOLS
    done = BulkItem.objects.filter(bulk__in=successes(outcomes), outcome="done").values_list("request_id", flat=True)
    assert len(done) == len(set(done)) == POOLS * PLACES
    # The places of each pool went to whoever asked first.
    assert set(done) == {pk for pool in pools for pk in sorted(pool.requests.values_list("pk", flat=True))[:PLACES]}
    assert not BulkItem.objects.filter(outcome="waiting").exists()


@again_and_again
def test_one_who_approves_and_one_who_rejects_decide_each_once():
    _, ids = queue()
    people = ModeratorFactory.create_batch(2)
    outcomes = run_together([lambda: worked_on(ids, "approve", people[0]), lambda: worked_on(ids, "reject", people[1])])
    assert errors(outcomes) == []
    approval, rejection = successes(outcomes)
    approved = set(approval.items.filter(outcome="done").values_list("request_id", flat=True))
    rejected = set(rejection.items.filter(outcome="done").values_list("request_id", flat=True))
    assert approved & rejected == set()
    found = Request.objects.filter(pk__in=ids)
    assert set(found.filter(status="rejected").values_list("pk", flat=True)) == rejected
    assert set(found.filter(status="approved").values_list("pk", flat=True)) == approved


@again_and_again
def test_several_workers_and_one_who_stops_it_decide_nothing_twice():
    _, ids = queue()
    by = ModeratorFactory()
    bulk = start_bulk_decision(kind="approve", request_ids=ids, by=by)
    outcomes = run_together(
        [
            *[lambda: run_bulk_decision(bulk_id=bulk.pk)] * 3,
            lambda: outbox.drain(limit=1),
            lambda: stop_bulk_decision(bulk=bulk, by=by),
        ]
    )
    # Who stops it may come when all is over.
    assert {str(error.code) for error in errors(outcomes)} <= {"INVALID_TRANSITION"}
    run_bulk_decision(bulk_id=bulk.pk)
    told = Counter(RequestChange.objects.filter(subject_id__in=ids, to_status="approved").values_list("subject_id"))
    done = set(bulk.items.filter(outcome="done").values_list("request_id", flat=True))
    assert {pk for (pk,) in told} == done
    assert set(told.values()) <= {1}
