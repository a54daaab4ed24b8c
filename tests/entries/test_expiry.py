"""Unpaid places fall free on time, and go to those who wait."""

from datetime import timedelta

import pytest
from django.db import connection

from config.clock import database_now
from config.models import OutboxMessage
from entries.models import Entry, Request, RequestChange
from entries.services import expiry
from entries.services.approvals import waitlist_request
from entries.services.expiry import expire_unpaid, promote_everywhere
from entries.tasks import expire_unpaid_requests
from pools.models import Pool
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory

pytestmark = pytest.mark.django_db


def due(**fields):
    return RequestFactory(approved=True, pay_by=database_now() - timedelta(minutes=1), **fields)


def status_of(request):
    return Request.objects.get(pk=request.pk).status


def test_an_unpaid_request_expires_after_its_time():
    request = due()
    assert expire_unpaid(now=database_now()) == 1
    request.refresh_from_db()
    assert (request.status, request.payment_status) == ("expired", "not_due")
    change = RequestChange.objects.filter(subject_id=request.pk).last()
    assert (change.from_status, change.to_status, change.actor_id) == ("approved", "expired", None)
    assert change.reason == "not paid in time"
    assert OutboxMessage.objects.get(kind="mail.request_expired").payload == {"request": request.pk}


def test_the_last_instant_is_still_in_time():
    request = RequestFactory(approved=True)
    assert expire_unpaid(now=request.pay_by) == 0
    assert expire_unpaid(now=request.pay_by + timedelta(microseconds=1)) == 1


def test_a_failed_payment_does_not_hold_the_place():
    assert expire_unpaid(now=database_now()) == 0
    due(payment_status="failed")
    assert expire_unpaid(now=database_now()) == 1


@pytest.mark.parametrize("fields", [{"paid": True}, {"status": "pending"}, {"status": "withdrawn"}])
def test_what_owes_nothing_does_not_expire(fields):
    request = RequestFactory(**fields)
    Request.objects.filter(pk=request.pk).update(pay_by=database_now() - timedelta(days=1))
    assert expire_unpaid(now=database_now()) == 0


def test_running_twice_changes_nothing():
    due()
    assert expire_unpaid(now=database_now()) == 1
    assert expire_unpaid(now=database_now()) == 0
    assert RequestChange.objects.filter(to_status="expired").count() == 1


def test_a_place_that_falls_free_goes_to_the_next_in_line(moderator):
    pool = PoolFactory(capacity=1)
    unpaid = due(pool=pool)
    first = waitlist_request(request=RequestFactory(pool=pool), by=moderator, now=database_now())
    second = waitlist_request(request=RequestFactory(pool=pool), by=moderator, now=database_now())
    expire_unpaid(now=database_now())
    assert [status_of(request) for request in (unpaid, first, second)] == ["expired", "approved", "pending"]


def test_a_row_that_cannot_expire_keeps_nobody_else():
    broken = due()
    # As a replica, guards rest: a living entry of an unpaid request, which no service can make.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    Entry.objects.create(request=broken, pool=broken.pool, user=broken.user, number=broken.number)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = origin")
    sound = due()
    assert expire_unpaid(now=database_now()) == 1
    assert (status_of(broken), status_of(sound)) == ("approved", "expired")


def test_many_are_expired_batch_by_batch(monkeypatch):
    monkeypatch.setattr(expiry, "BATCH", 2)
    pool, pay_by = PoolFactory(), database_now() - timedelta(minutes=1)
    for _ in range(5):
        RequestFactory(approved=True, pool=pool, pay_by=pay_by)
    assert expire_unpaid(now=database_now()) == 5


def test_a_sweep_stops_when_its_time_is_over():
    due()
    assert expire_unpaid(now=database_now(), seconds=-1) == 0
    assert expire_unpaid(now=database_now()) == 1


def test_a_larger_pool_is_filled_by_the_next_sweep(moderator):
    pool = PoolFactory(capacity=1)
    RequestFactory(pool=pool, approved=True)
    waiting = [waitlist_request(request=RequestFactory(pool=pool), by=moderator, now=database_now()) for _ in range(3)]
    assert promote_everywhere(now=database_now()) == 0
    Pool.objects.filter(pk=pool.pk).update(capacity=3)
    assert expire_unpaid_requests() == 2
    assert [status_of(request) for request in waiting] == ["approved", "approved", "pending"]


def test_a_refunded_place_is_free_for_the_next_sweep(moderator):
    pool = PoolFactory(capacity=1)
    entry = EntryFactory(in_pool=pool)
    request = waitlist_request(request=RequestFactory(pool=pool), by=moderator, now=database_now())
    Entry.objects.filter(pk=entry.pk).update(status="void")
    Request.objects.filter(pk=entry.request_id).update(payment_status="refunded")
    assert promote_everywhere(now=database_now()) == 1
    assert status_of(request) == "approved"


def test_a_pool_without_a_limit_lets_everybody_in(moderator):
    pool = PoolFactory(capacity=1)
    RequestFactory(pool=pool, approved=True)
    request = waitlist_request(request=RequestFactory(pool=pool), by=moderator, now=database_now())
    Pool.objects.filter(pk=pool.pk).update(capacity=None)
    assert promote_everywhere(now=database_now()) == 1
    assert status_of(request) == "approved"


def test_the_sweep_is_on_the_schedule():
    from config.celery import BEAT

    assert BEAT["expire unpaid requests"] == {"task": "entries.tasks.expire_unpaid_requests", "schedule": 60.0}
