"""Money by hand, many hands at once: it counts once, and money that comes another way in that moment is kept, too."""

import pytest

from config import outbox
from config.clock import database_now
from entries.models import Entry
from payments.models import Discrepancy, ManualRecord, Payment, PaymentState, Receipt, ReceiptState
from payments.services.manual.deciding import confirm_record, reject_record
from payments.services.provider_state import Source, apply_provider_state
from payments.services.refunds.deciding import approve_refund, request_refund
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.support.by_hand import cash, paid_by_hand, recorded
from tests.support.charging import balance
from tests.support.payments import start, started
from tests.support.threads import again_and_again, codes, errors, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)

HANDS = 6


def new_request():
    return RequestFactory(approved=True)


@again_and_again
def test_a_record_is_confirmed_once(db):
    request = new_request()
    record = recorded(request)
    people = [FinanceFactory() for _ in range(HANDS)]

    outcomes = run_together([lambda by=by: confirm_record(record_id=record.pk, by=by) for by in people])

    assert len(successes(outcomes)) == 1
    assert codes(outcomes) == ["INVALID_TRANSITION"] * (HANDS - 1)
    assert Receipt.objects.filter(payment__request=request).count() == 1
    assert Entry.objects.filter(request=request).count() == 1


@again_and_again
def test_a_record_is_confirmed_or_turned_down(db):
    request = new_request()
    record = recorded(request)
    one, other = FinanceFactory(), FinanceFactory()

    outcomes = run_together(
        [
            lambda: confirm_record(record_id=record.pk, by=one),
            lambda: reject_record(record_id=record.pk, by=other, reason="a false note"),
        ]
    )

    assert codes(outcomes) == ["INVALID_TRANSITION"]
    (decided,) = successes(outcomes)
    is_in = decided.status == "confirmed"
    assert Entry.objects.filter(request=request).exists() is is_in
    assert Payment.objects.get(request=request).status == (PaymentState.SUCCEEDED if is_in else PaymentState.FAILED)


@again_and_again
def test_one_number_is_recorded_once(db):
    requests = [new_request() for _ in range(HANDS)]
    reference = f"receipt of request {requests[0].pk}"

    outcomes = run_together(
        [lambda request=request: recorded(request, handover=cash(reference)) for request in requests]
    )

    (record,) = successes(outcomes)
    assert codes(outcomes) == ["REFERENCE_USED"] * (HANDS - 1)
    assert {error.details["record"] for error in errors(outcomes)} == {record.pk}
    assert ManualRecord.objects.filter(reference=reference).count() == 1
    assert Payment.objects.filter(request__in=requests).count() == 1


@again_and_again
def test_one_request_has_one_record_that_waits(db):
    request = new_request()

    outcomes = run_together([lambda: recorded(request)] * HANDS)

    assert len(successes(outcomes)) == 1
    assert codes(outcomes) == ["VERSION_CONFLICT"] * (HANDS - 1)
    assert Payment.objects.live().filter(request=request).count() == 1


@again_and_again
def test_a_card_that_pays_while_it_is_recorded_is_kept_beside_it(api, double):
    """Whoever is first has the place; the other is money without one, and nothing is lost."""
    request = new_request()
    payment = started(api(request.user), request, key=f"key-{request.pk}")

    outcomes = run_together(
        [
            lambda: recorded(request),
            lambda: double.pay(payment.checkout_url),
            lambda: apply_provider_state(payment_id=payment.pk, source=Source.WEBHOOK),
        ]
    )
    assert errors(outcomes) == []
    apply_provider_state(payment_id=payment.pk, source=Source.SWEEP)
    confirm_record(record_id=outcomes[0].value.pk, by=FinanceFactory())

    came = Receipt.objects.filter(payment__request=request)
    was_paid = outcomes[1].value[0] == 200
    assert came.count() == 1 + was_paid
    assert came.filter(status=ReceiptState.ALLOCATED).count() == 1
    assert Entry.objects.filter(request=request).count() == 1
    if was_paid:
        by_hand = came.get(provider="manual")
        assert (by_hand.status, by_hand.unapplied_because) == ("unapplied", "duplicate")
        assert Discrepancy.objects.filter(kind="duplicate_payment", object_key=f"receipt:{by_hand.pk}").exists()


@again_and_again
def test_a_page_opened_while_it_is_recorded(api, double):
    """One of the two is first; there is never a second live payment."""
    request = new_request()

    outcomes = run_together(
        [lambda: recorded(request), lambda: start(api(request.user), request, key=f"key-{request.pk}")]
    )

    assert [error for error in errors(outcomes) if getattr(error, "code", "") != "VERSION_CONFLICT"] == []
    assert Payment.objects.live().filter(request=request).count() == 1


@again_and_again
def test_a_refund_by_hand_is_signed_once(db):
    request = new_request()
    paid_by_hand(request)
    receipt = Receipt.objects.get(payment__request=request)
    refund = request_refund(
        receipt_id=receipt.pk, amount_cents=2000, taken_from="house", reason="goodwill", by=FinanceFactory(),
        now=database_now(), manual=cash(),
    )  # fmt: skip
    record, before = refund.manual_record, balance("clearing", provider="manual")
    people = [FinanceFactory() for _ in range(HANDS)]

    outcomes = run_together(
        [
            (lambda by=by: confirm_record(record_id=record.pk, by=by))
            if number % 2
            else (lambda by=by: approve_refund(refund_id=refund.pk, by=by))
            for number, by in enumerate(people)
        ]
    )

    assert len(successes(outcomes)) == 1
    assert set(codes(outcomes)) == {"INVALID_TRANSITION"}
    outbox.drain()
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert balance("clearing", provider="manual") == before - 2000
