"""Letting a player in without the fee."""

import pytest

from config.clock import database_now
from config.errors import DomainError
from entries.models import Entry, PaymentStatus, RequestChange
from payments.models import Payment, PaymentState, Receipt
from payments.providers.faults import ProviderError
from payments.services import waivers
from payments.services.waivers import waive_fee
from tests.factories.entries import RequestFactory
from tests.factories.payments import payment_for
from tests.support.payments import started

pytestmark = pytest.mark.django_db(transaction=True)


def waive(request, by, reason="won it in the raffle"):
    return waive_fee(request_id=request.pk, by=by, reason=reason, now=database_now())


def code_of(call):
    with pytest.raises(DomainError) as refusal:
        call()
    return refusal.value.code


def test_it_makes_the_entry_with_a_name_and_a_reason(unpaid, finance):
    entry = waive(unpaid, finance)

    unpaid.refresh_from_db()
    assert entry.request == unpaid
    assert unpaid.payment_status == PaymentStatus.COMPLETED
    assert (unpaid.waived_by, unpaid.waiver_reason) == (finance, "won it in the raffle")
    change = RequestChange.objects.order_by("-id").first()
    assert (change.actor_id, change.reason) == (finance.pk, "won it in the raffle")


def test_an_open_session_is_ended_first(api, player, unpaid, finance, double):
    payment = started(api(player), unpaid)

    waive(unpaid, finance)

    payment.refresh_from_db()
    assert payment.status == PaymentState.CANCELLED
    assert double.pay(payment.checkout_url or double.base_url + f"/pay/{payment.provider_reference}")[0] == 410


def test_money_that_was_faster_makes_the_waiver_needless(api, player, unpaid, finance, double):
    double.pay(started(api(player), unpaid).checkout_url)

    assert code_of(lambda: waive(unpaid, finance)) == "ALREADY_PAID"
    assert Receipt.objects.get().entry == Entry.objects.get()


def test_while_the_session_cannot_be_ended_nothing_is_waived(api, player, unpaid, finance, double, settings):
    started(api(player), unpaid)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    with pytest.raises(ProviderError):
        waive(unpaid, finance)

    assert not Entry.objects.exists()
    assert Payment.objects.get().status == PaymentState.OPEN


def test_money_that_is_being_moved_is_waited_for(unpaid, finance):
    """A slow method that began between the end of the session and our locks."""
    payment_for(unpaid, status=PaymentState.PROCESSING)

    assert code_of(lambda: waivers._grant(unpaid.pk, finance, "a friend", database_now())) == "VERSION_CONFLICT"
    assert not Entry.objects.exists()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_reason_is_needed(unpaid, finance, reason):
    assert code_of(lambda: waive(unpaid, finance, reason)) == "VALIDATION_ERROR"


def test_nobody_waives_an_own_fee(finance):
    assert code_of(lambda: waive(RequestFactory(approved=True, user=finance), finance)) == "FORBIDDEN"


def test_a_request_that_is_not_there(finance):
    assert code_of(lambda: waive_fee(request_id=7, by=finance, reason="x", now=database_now())) == "NOT_FOUND"


def test_a_paid_request_has_nothing_to_waive(finance):
    assert code_of(lambda: waive(RequestFactory(paid=True), finance)) == "ALREADY_PAID"


def test_a_request_that_nobody_approved_gets_no_entry(finance):
    assert code_of(lambda: waive(RequestFactory(), finance)) == "PAYMENT_NOT_DUE"
