"""The demo's money: bank transfers that two people signed for, and a few that wait for the second name."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.models import Role, User
from entries.models import Entry, Request
from payments.models import (
    ManualMethod,
    ManualRecord,
    ManualState,
    Payment,
    PaymentState,
    Provider,
    Receipt,
    ReceiptState,
)
from payments.providers.manual import name_of
from payments.services.manual.evidence import Scan
from payments.services.manual.incoming import record_payment
from payments.services.manual.records import Handover
from payments.services.refunds.deciding import request_refund

Staff = dict[Role, User]

# A scan of one white dot: what stands beside a cheque in the demo.
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63f80f00010101001bb6ee5600"
    "00000049454e44ae426082"
)


def book_transfers(staff: Staff, requests: Sequence[Request], entries: Sequence[Entry], now: datetime) -> None:
    """Each entry was paid by bank transfer: recorded by finance, confirmed by the admin, in bulk for there are many."""
    payments = Payment.objects.bulk_create(
        Payment(
            request=request,
            provider=Provider.MANUAL,
            status=PaymentState.SUCCEEDED,
            amount_cents=request.fee_cents or 0,
            currency=request.currency,
            created_by=staff[Role.FINANCE],
            created_at=request.decided_at or now,
        )
        for request in requests
    )
    records = ManualRecord.objects.bulk_create(_record(staff, payment) for payment in payments)
    _sign(records, staff)
    for payment, record in zip(payments, records, strict=True):
        payment.provider_reference = name_of(record)
    Payment.objects.bulk_update(payments, ["provider_reference"])
    Receipt.objects.bulk_create(
        Receipt(
            payment=payment,
            provider=Provider.MANUAL,
            charge_id=payment.provider_reference,
            amount_cents=payment.amount_cents,
            currency=payment.currency,
            status=ReceiptState.ALLOCATED,
            entry=entry,
            source="demo",
            received_at=payment.created_at,
        )
        for payment, entry in zip(payments, entries, strict=True)
    )


def leave_work(staff: Staff, unpaid: Sequence[Request], paid: Entry, now: datetime) -> None:
    """What the second person of finance finds in the morning: a cheque, some cash, and a refund somebody asked for."""
    finance = staff[Role.FINANCE]
    cheque = Handover("cheque", "004711", now - timedelta(hours=3), "Came by post.", (Scan("cheque.png", DOT),))
    cash = Handover("cash", "till 12", now - timedelta(hours=1))
    for request, handover in zip(unpaid, (cheque, cash), strict=False):
        record_payment(
            request_id=request.pk, handover=handover, amount_cents=request.fee_cents or 0, currency=request.currency,
            by=finance, now=now,
        )  # fmt: skip
    request_refund(
        receipt_id=paid.receipts.get().pk, amount_cents=1000, taken_from="house", by=finance, now=now,
        reason="The confirmation mail came two days late.", manual=Handover("cash", "till 13", now),
    )  # fmt: skip


def _record(staff: Staff, payment: Payment) -> ManualRecord:
    return ManualRecord(
        payment=payment,
        method=ManualMethod.TRANSFER,
        reference=f"demo-{payment.request_id:04}",
        amount_cents=payment.amount_cents,
        currency=payment.currency,
        passed_at=payment.created_at,
        recorded_by=staff[Role.FINANCE],
    )


def _sign(records: Sequence[ManualRecord], staff: Staff) -> None:
    ManualRecord.objects.filter(pk__in=[record.pk for record in records]).update(
        status=ManualState.CONFIRMED, decided_by=staff[Role.ADMIN], decided_at=records[0].passed_at
    )
