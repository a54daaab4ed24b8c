"""Many requests decided as one piece of work: written down first, each with a result, gone on with after a kill."""

import pytest
from django.db import IntegrityError, transaction

from config import outbox
from config.models import OutboxMessage
from entries.models import BulkDecision, BulkItem, Request, RequestChange
from entries.services import bulk_decisions
from entries.services.bulk_decisions import (
    run_bulk_decision,
    start_bulk_decision,
    stop_bulk_decision,
    sweep_bulk_decisions,
    take_back_bulk_decision,
)
from entries.services.places import grant_place
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.refusals import refused

pytestmark = pytest.mark.django_db


def start(rows, by, kind="approve", **fields):
    return start_bulk_decision(kind=kind, request_ids=[row.pk for row in rows], by=by, **fields)


def results(bulk):
    return list(bulk.items.values_list("outcome", "code"))


def statuses(rows):
    return [Request.objects.get(pk=row.pk).status for row in rows]


def asked(count, **pool):
    pool = PoolFactory(**pool)
    return [RequestFactory(pool=pool) for _ in range(count)]


def test_nothing_is_decided_before_a_worker_comes_and_then_each_has_its_result(moderator):
    rows = [*asked(3, capacity=2), RequestFactory(user=moderator), RequestFactory(status="withdrawn")]
    bulk = start(rows[::-1], moderator)
    assert statuses(rows[:3]) == ["pending"] * 3
    assert results(bulk) == [("waiting", "")] * 5

    outbox.drain()

    bulk.refresh_from_db()
    assert (bulk.status, bulk.finished_at is None) == ("done", False)
    assert results(bulk) == [
        ("done", ""), ("done", ""), ("refused", "POOL_FULL"), ("refused", "FORBIDDEN"),
        ("refused", "INVALID_TRANSITION"),
    ]  # fmt: skip
    assert statuses(rows) == ["approved", "approved", "pending", "pending", "withdrawn"]
    assert RequestChange.objects.filter(subject_id=rows[0].pk).last().actor_id == moderator.pk
    assert run_bulk_decision(bulk_id=bulk.pk)
    assert BulkItem.objects.filter(outcome="done").count() == 2


def test_each_reads_why_it_was_refused_in_their_own_language(client, moderator, admin_user):
    row = RequestFactory(status="withdrawn")
    bulk = start([row], moderator)
    run_bulk_decision(bulk_id=bulk.pk)
    (item,) = bulk.items.all()
    assert item.message == "A request that is withdrawn cannot become approved."

    client.force_login(admin_user)
    client.cookies["outlast_language"] = "de"
    pages = [f"/admin/entries/bulkdecision/{bulk.pk}/change/", "/admin/entries/bulkitem/"]
    said = "Anfrage: Aus „Zurückgezogen“ kann nicht „Genehmigt“ werden."
    assert [said in client.get(page).content.decode() for page in pages] == [True, True]


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("reject", {}, "rejected"),
        ("take_back", {"approved": True}, "withdrawn"),
        ("wait", {}, "pending"),
    ],
)
def test_each_kind_does_what_its_service_does(moderator, kind, before, after):
    row = RequestFactory(pool=PoolFactory(capacity=1), **before)
    if kind == "wait":
        RequestFactory(pool=row.pool, approved=True)
    bulk = start([row], moderator, kind=kind, reason="As you asked." if kind != "wait" else "")
    run_bulk_decision(bulk_id=bulk.pk)
    row.refresh_from_db()
    assert (row.status, row.waitlisted_at is not None) == (after, kind == "wait")
    assert row.reason == bulk.reason


def test_what_is_none_or_too_many_or_without_a_reason_is_refused(moderator, monkeypatch):
    row = RequestFactory()
    monkeypatch.setattr(bulk_decisions, "MOST_REQUESTS", 1)
    for rows, kind, code in (
        ([], "approve", "VALIDATION_ERROR"),
        ([row, RequestFactory()], "approve", "VALIDATION_ERROR"),
        ([Request(pk=row.pk + 9999)], "approve", "NOT_FOUND"),
        ([row], "reject", "VALIDATION_ERROR"),
    ):
        assert refused(start, rows, moderator, kind=kind) == code
    assert not BulkDecision.objects.exists()


def test_a_run_ends_in_time_and_the_next_goes_on(moderator, monkeypatch):
    monkeypatch.setattr(bulk_decisions, "BATCH", 2)
    rows = asked(5)
    bulk = start(rows, moderator)
    assert not run_bulk_decision(bulk_id=bulk.pk, seconds=0)
    assert statuses(rows) == ["approved", "approved", "pending", "pending", "pending"]
    assert run_bulk_decision(bulk_id=bulk.pk)
    assert statuses(rows) == ["approved"] * 5


def test_what_is_stopped_leaves_the_rest_as_it_is(moderator, monkeypatch):
    monkeypatch.setattr(bulk_decisions, "BATCH", 1)
    rows = asked(3)
    bulk = start(rows, moderator)
    run_bulk_decision(bulk_id=bulk.pk, seconds=0)
    other = ModeratorFactory()
    bulk = stop_bulk_decision(bulk=bulk, by=other)
    assert (bulk.status, bulk.stopped_by) == ("stopped", other)
    outbox.drain()
    assert results(bulk) == [("done", ""), ("left", ""), ("left", "")]
    assert statuses(rows) == ["approved", "pending", "pending"]
    assert refused(stop_bulk_decision, bulk=bulk, by=other) == "INVALID_TRANSITION"


def test_an_approval_is_undone_as_far_as_nothing_is_paid(moderator):
    rows = asked(3)
    bulk = start(rows, moderator)
    run_bulk_decision(bulk_id=bulk.pk)
    grant_place(request=rows[0], by=moderator, now=rows[0].created_at, waiver_reason="Paid in cash.")
    undoing = take_back_bulk_decision(bulk=bulk, by=moderator, reason="The wrong list.")
    run_bulk_decision(bulk_id=undoing.pk)
    assert statuses(rows) == ["approved", "withdrawn", "withdrawn"]
    assert [item.request_id for item in undoing.items.all()] == [rows[1].pk, rows[2].pk]
    for nothing_left in (bulk, undoing):
        told = refused(take_back_bulk_decision, bulk=nothing_left, by=moderator, reason="Again.")
        assert told == "INVALID_TRANSITION"


def test_one_that_breaks_keeps_nobody_else_from_their_turn(moderator, monkeypatch):
    rows = asked(2)
    reject = bulk_decisions.reject_request

    def broken(*, request, **how):
        if request.pk == rows[0].pk:
            Request.objects.filter(pk=request.pk).update(reason="half done")
            raise ArithmeticError
        return reject(request=request, **how)

    monkeypatch.setattr(bulk_decisions, "reject_request", broken)
    bulk = start(rows, moderator, kind="reject", reason="Not this time.")
    run_bulk_decision(bulk_id=bulk.pk)
    assert results(bulk) == [("refused", "INTERNAL_ERROR"), ("done", "")]
    assert Request.objects.get(pk=rows[0].pk).reason == ""


def test_a_lost_message_is_made_up_for_by_the_sweep(moderator):
    bulk = start([RequestFactory()], moderator)
    assert sweep_bulk_decisions() == 0
    OutboxMessage.objects.all().delete()
    assert (sweep_bulk_decisions(), sweep_bulk_decisions()) == (1, 0)
    outbox.drain()
    assert (results(bulk), sweep_bulk_decisions()) == ([("done", "")], 0)


def test_it_never_ends_twice_and_is_never_deleted(moderator):
    bulk = start([RequestFactory()], moderator)
    run_bulk_decision(bulk_id=bulk.pk)
    for change in (
        lambda: BulkDecision.objects.filter(pk=bulk.pk).update(status="running", finished_at=None),
        lambda: BulkDecision.objects.filter(pk=bulk.pk).delete(),
        lambda: bulk.items.all().delete(),
        lambda: bulk.items.update(outcome="refused"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
