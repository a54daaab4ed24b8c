"""Payments with and without money, for tests that do not need a provider."""

from datetime import timedelta
from itertools import count

from django.db import transaction

from config.clock import database_now
from entries.services.places import grant_place
from payments.models import Payment, PaymentState, Receipt, ReceiptState, Refund, RefundState
from payments.services.booking import book_place, book_receipt, book_refund_decided, book_refund_paid
from payments.services.refunds.decisions import settle_receipt
from tests.factories.entries import RequestFactory

_numbers = count(1)


def payment_for(request, **fields) -> Payment:
    """A payment of the request's fee; an open one unless `status` says otherwise."""
    given = {
        "provider": "stripe",
        "status": PaymentState.OPEN,
        "amount_cents": request.fee_cents,
        "currency": request.currency,
        "provider_reference": f"cs_test_{next(_numbers)}",
        "expires_at": database_now() + timedelta(hours=1),
        "created_by": request.user,
    }
    return Payment.objects.create(request=request, **(given | fields))


@transaction.atomic
def paid_entry(request=None, **fields):
    """The entry of an approved request that was paid just now, with its payment and receipt."""
    request = request or RequestFactory(approved=True)
    payment = payment_for(request, status=PaymentState.SUCCEEDED, **fields)
    entry = grant_place(request=request, by=None, now=database_now())
    receipt_of(payment, status="allocated", entry=entry)
    return entry


@transaction.atomic
def unapplied_money(request=None, *, because="too_late", amount_cents=None, **fields) -> Receipt:
    """Money that came and bought nothing."""
    request = request or RequestFactory(approved=True)
    payment = payment_for(request, status=PaymentState.SUCCEEDED, **fields)
    changes = {} if amount_cents is None else {"amount_cents": amount_cents}
    return receipt_of(payment, status="unapplied", unapplied_because=because, **changes)


def receipt_of(payment, **fields) -> Receipt:
    """Money that came for the payment, booked as it stands."""
    given = {
        "provider": payment.provider,
        "charge_id": f"ch_{next(_numbers)}",
        "livemode": payment.livemode,
        "amount_cents": payment.amount_cents,
        "currency": payment.currency,
        "source": "webhook",
        "received_at": database_now(),
    }
    receipt = Receipt.objects.create(payment=payment, **(given | fields))
    with transaction.atomic():
        book_receipt(receipt)
        if receipt.status == ReceiptState.ALLOCATED:
            book_place(receipt)
    return receipt


@transaction.atomic
def refund_of(receipt, *, status=RefundState.SUCCEEDED, **fields) -> Refund:
    """Money of the receipt that went back, or is on its way; of an allocated one the house gave it."""
    given = {
        "provider": receipt.provider,
        "livemode": receipt.livemode,
        "amount_cents": receipt.amount_cents,
        "currency": receipt.currency,
        "status": RefundState.REQUESTED if status == RefundState.REQUESTED else RefundState.SENDING,
        "origin": "auto",
        "taken_from": "house" if receipt.status == ReceiptState.ALLOCATED else "unapplied",
        "decided_at": database_now(),
    }
    refund = Refund.objects.create(receipt=receipt, **(given | fields))
    if status != RefundState.REQUESTED:
        book_refund_decided(refund)
    if status != refund.status:
        refund.status, refund.is_paid = status, status == RefundState.SUCCEEDED
        refund.provider_reference = f"re_{next(_numbers)}"
        refund.save(update_fields=["status", "is_paid", "provider_reference"])
    if refund.is_paid:
        book_refund_paid(refund, database_now())
    settle_receipt(receipt)
    return refund
