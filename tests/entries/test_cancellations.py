"""What becomes of the requests of a pool that is cancelled."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import outbox
from config.clock import database_now
from config.models import OutboxMessage
from entries.models import Request, RequestChange
from entries.services.cancellations import REASON, end_late_requests
from pools.models import Pool
from pools.services.pools import cancel_pool, close_pool
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.buying_back import ask, fallen_in, generous_pool

pytestmark = pytest.mark.django_db


def messages(kind):
    return sorted(OutboxMessage.objects.filter(kind=kind).values_list("payload__request", flat=True))


def standing(request):
    return Request.objects.values_list("status", "payment_status", "reason").get(pk=request.pk)


def test_what_waits_ends_with_the_pool(moderator):
    pool = PoolFactory()
    pending, listed = RequestFactory(pool=pool), RequestFactory(pool=pool, waitlisted_at=database_now())
    unpaid = RequestFactory(pool=pool, approved=True)
    failed = RequestFactory(pool=pool, approved=True, payment_status="failed")
    cancel_pool(pool=pool, by=moderator, reason="too few")
    for request in (pending, listed):
        assert standing(request) == ("rejected", "not_due", REASON)
    for request in (unpaid, failed):
        assert standing(request) == ("withdrawn", "not_due", REASON)
    change = RequestChange.objects.filter(subject_id=pending.pk).last()
    assert (change.actor_id, change.reason) == (moderator.pk, "the pool was cancelled")
    assert Request.objects.get(pk=pending.pk).decided_by == moderator
    assert messages("mail.request_rejected") == [pending.pk, listed.pk]
    assert messages("mail.request_withdrawn") == [unpaid.pk, failed.pk]
    assert messages("request.closed") == [unpaid.pk, failed.pk]


def test_the_players_read_why(moderator, mailoutbox):
    pool = PoolFactory()
    RequestFactory(pool=pool), RequestFactory(pool=pool, approved=True)
    cancel_pool(pool=pool, by=moderator, reason="too few")
    OutboxMessage.objects.filter(kind__in=("request.closed", "pool.closed")).delete()
    outbox.drain()
    assert len(mailoutbox) == 2
    assert all("the pool was cancelled" in mail.body for mail in mailoutbox)


def test_what_is_paid_or_has_ended_stays_as_it_is(moderator):
    pool = PoolFactory()
    entry = EntryFactory(in_pool=pool)
    ended = [RequestFactory(pool=pool, status=status) for status in ("rejected", "withdrawn", "expired")]
    elsewhere = RequestFactory()
    close_pool(pool=pool, by=moderator, reason="rain")
    assert standing(entry.request)[:2] == ("approved", "completed")
    assert [standing(request)[0] for request in ended] == ["rejected", "withdrawn", "expired"]
    assert standing(elsewhere)[0] == "pending"
    assert messages("mail.request_rejected") == messages("request.closed") == []


def test_an_offer_to_buy_back_in_ends_too(moderator):
    pool = generous_pool()
    asked = ask(fallen_in(pool))
    close_pool(pool=pool, by=moderator, reason="rain")
    assert standing(asked) == ("withdrawn", "not_due", REASON)
    assert (messages("mail.buy_back_withdrawn"), messages("request.closed")) == ([asked.pk], [asked.pk])


def test_a_free_place_leaves_no_payment_to_close(moderator):
    pool = PoolFactory()
    RequestFactory(pool=pool, approved=True, fee_cents=0)
    close_pool(pool=pool, by=moderator, reason="rain")
    assert messages("request.closed") == []


def test_who_came_in_at_that_moment_is_found_later(moderator):
    pool = PoolFactory()
    early = RequestFactory(pool=pool)
    close_pool(pool=pool, by=moderator, reason="rain")
    late = RequestFactory(pool=pool)
    payload = OutboxMessage.objects.get(kind="pool.cancelled").payload
    end_late_requests(payload), end_late_requests(payload)
    assert standing(late) == ("rejected", "not_due", REASON)
    assert messages("mail.request_rejected") == [early.pk, late.pk]
    assert RequestChange.objects.filter(subject_id=late.pk).count() == 2


def test_a_pool_in_play_loses_nobody():
    request = RequestFactory()
    end_late_requests({"pool": request.pool_id})
    assert standing(request)[0] == "pending"


def test_it_costs_the_same_for_one_request_and_for_many(moderator):
    pools = [PoolFactory(), PoolFactory()]
    RequestFactory(pool=pools[0]), RequestFactory.create_batch(5, pool=pools[1])
    counted = []
    for pool in pools:
        with CaptureQueriesContext(connection) as seen:
            cancel_pool(pool=pool, by=moderator, reason="rain")
        counted.append([query["sql"][:40] for query in seen.captured_queries if "SAVEPOINT" not in query["sql"]])
    assert counted[0] == counted[1]
    assert Pool.objects.filter(status="cancelled").count() == 2
