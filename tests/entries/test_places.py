"""When a request becomes an entry, and when money cannot."""

from datetime import timedelta

import pytest

from accounts.models import User
from config.clock import database_now
from config.errors import Code
from config.models import OutboxMessage
from entries.models import Entry, EntryChange, PaymentStatus, Request, RequestChange
from entries.services.places import Because, PlaceRefused, grant_place, note_payment_failed, note_payment_pending
from pools.models import PoolStatus
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.buying_back import ask, fallen_in, generous_pool

pytestmark = pytest.mark.django_db


def approved(**fields):
    return RequestFactory(approved=True, **fields)


def because(**given):
    with pytest.raises(PlaceRefused) as caught:
        grant_place(**({"by": None, "now": database_now()} | given))
    assert caught.value.code == Code.PAYMENT_NOT_DUE
    return caught.value.because


@pytest.mark.parametrize("payment_status", ["pending", "failed"])
def test_a_paid_request_becomes_an_active_entry_of_the_same_number(payment_status):
    request = approved(number=2, payment_status=payment_status)
    entry = grant_place(request=request, by=None, now=database_now())
    entry.refresh_from_db()
    assert (entry.request, entry.pool, entry.user, entry.number) == (request, request.pool, request.user, 2)
    assert (entry.status, entry.strikes) == ("active", 0)
    assert Request.objects.get(pk=request.pk).payment_status == PaymentStatus.COMPLETED


def test_the_request_handed_in_is_brought_up_to_date():
    stale = approved()
    Request.objects.filter(pk=stale.pk).update(payment_status="failed")
    grant_place(request=stale, by=None, now=database_now())
    assert stale.payment_status == PaymentStatus.COMPLETED


def test_the_place_is_recorded_and_confirmed_by_mail(finance):
    request = approved()
    entry = grant_place(request=request, by=finance, now=database_now())
    change = RequestChange.objects.filter(subject_id=request.pk).last()
    assert (change.details["payment_status"], change.actor_id, change.reason) == ("completed", finance.pk, "paid")
    born = EntryChange.objects.get(subject_id=entry.pk)
    assert (born.from_status, born.to_status, born.actor_id) == ("", "active", finance.pk)
    assert OutboxMessage.objects.get(kind="mail.entry_confirmed").payload == {"entry": entry.pk}


def test_a_waiver_carries_a_name_and_a_reason(finance):
    request = approved()
    grant_place(request=request, by=finance, now=database_now(), waiver_reason="Winner of last year")
    request.refresh_from_db()
    assert (request.waived_by, request.waiver_reason) == (finance, "Winner of last year")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "withdrawn"}, Because.WITHDRAWN),
        ({"status": "expired"}, Because.EXPIRED),
        ({"status": "pending"}, Because.NOT_APPROVED),
        ({"status": "rejected"}, Because.NOT_APPROVED),
        ({"paid": True}, Because.ALREADY_PAID),
        ({"approved": True, "payment_status": "refunded"}, Because.ALREADY_PAID),
    ],
)
def test_money_for_a_request_that_waits_for_none_gets_no_entry(fields, reason):
    assert because(request=RequestFactory(**fields)) == reason
    assert not Entry.objects.exists()


@pytest.mark.parametrize("status", [PoolStatus.CANCELLED, PoolStatus.FINISHED])
def test_money_for_a_pool_that_is_over_gets_no_entry(status):
    assert because(request=approved(pool=PoolFactory(status=status))) == Because.POOL_CLOSED


def test_money_in_time_gets_its_entry_though_the_pool_has_started():
    assert grant_place(request=approved(pool=PoolFactory(status=PoolStatus.RUNNING)), by=None, now=database_now()).pk


def test_the_last_instant_to_pay_is_in_time_and_the_next_is_not():
    request = approved()
    late = request.pay_by + timedelta(microseconds=1)
    assert because(request=request, paid_at=late, now=late) == Because.TOO_LATE
    assert grant_place(request=request, by=None, now=late, paid_at=request.pay_by).pk


def test_without_word_of_when_it_was_paid_now_counts():
    request = approved()
    assert because(request=request, now=request.pay_by + timedelta(seconds=1)) == Because.TOO_LATE


def test_a_refused_place_changes_nothing():
    request = RequestFactory(status="expired")
    changes = RequestChange.objects.count()
    because(request=request)
    assert RequestChange.objects.count() == changes
    assert not OutboxMessage.objects.exists()


def test_a_failed_payment_is_noted_and_a_new_attempt_too():
    request = approved()
    assert note_payment_failed(request=request).payment_status == PaymentStatus.FAILED
    assert note_payment_pending(request=request).payment_status == PaymentStatus.PENDING
    reasons = RequestChange.objects.filter(subject_id=request.pk).order_by("id").values_list("reason", flat=True)
    assert list(reasons)[1:] == ["a payment failed", "a payment was started"]


@pytest.mark.parametrize("fields", [{"paid": True}, {"status": "expired"}, {"status": "withdrawn"}, {}])
def test_a_late_word_about_a_failed_payment_changes_nothing(fields):
    request = RequestFactory(**fields)
    before = request.payment_status
    assert note_payment_failed(request=request).payment_status == before


def test_a_player_who_has_closed_the_account_gets_no_place():
    request = approved()
    User.objects.filter(pk=request.user_id).update(is_active=False)
    assert because(request=request) == Because.PLAYER_GONE
    assert not Entry.objects.exists()


def test_a_player_who_has_gone_is_not_brought_back():
    asked = ask(fallen_in(generous_pool()))
    User.objects.filter(pk=asked.user_id).update(is_active=False)
    assert because(request=asked) == Because.PLAYER_GONE == "player_gone"
