"""The second person's word about a record, and what follows from it.

The word is committed first, with a message that carries it on; then what became of the money is looked up like that of
any other provider. A crash in between only delays it.
"""

from typing import Any

from django.db import transaction

from accounts.models import User
from config import outbox
from config.reasons import check_reason
from payments.models import ManualRecord, ManualState, Refund, RefundState
from payments.services import payouts
from payments.services.manual.records import lock_record, sign
from payments.services.provider_state import Source, apply_provider_state
from payments.services.refunds import sending
from payments.services.refunds.deciding import approve_refund, decline_refund
from payments.services.winners import corrections


def confirm_record(*, record_id: int, by: User) -> ManualRecord:
    """The money has passed as it was written down: now it counts.

    A payment is booked, and buys its place or is held; a refund or a prize is out. Refuses whoever recorded it, the
    player whose money it is, and a record that is decided.
    """
    return _decide(record_id, ManualState.CONFIRMED, by, "")


def reject_record(*, record_id: int, by: User, reason: str) -> ManualRecord:
    """It has not passed, or not like that: the record counts for nothing, and its number is free again."""
    return _decide(record_id, ManualState.REJECTED, by, check_reason(reason))


def _decide(record_id: int, status: ManualState, by: User, reason: str) -> ManualRecord:
    about = ManualRecord.objects.filter(pk=record_id).values_list("payment_id", "refund_id").first() or (None, None)
    payment_id, refund_id = about
    if refund_id is not None:
        return _decide_refund(record_id, refund_id, status, by, reason)
    record = _sign(record_id, status, by, reason)
    if payment_id is not None:
        apply_provider_state(payment_id=payment_id, source=Source.ADMIN, by=by)
    return record


@transaction.atomic
def _sign(record_id: int, status: ManualState, by: User, reason: str) -> ManualRecord:
    record = sign(lock_record(record_id), status=status, by=by, reason=reason)
    if record.payment_id is not None:
        outbox.post(kind="manual.decided", key=f"manual-decided-{record.pk}", payload={"payment": record.payment_id})
    if record.payout is not None and status == ManualState.CONFIRMED:
        payouts.mark_paid(payout=record.payout, record=record, by=by)
    if record.correction is not None:
        corrections.decide_repayment(record=record, by=by)
    return record


def _decide_refund(record_id: int, refund_id: int, status: ManualState, by: User, reason: str) -> ManualRecord:
    """The second name of a refund that is only wished is the record's, too; of a decided one only the record waits."""
    if Refund.objects.filter(pk=refund_id, status=RefundState.REQUESTED).exists():
        if status == ManualState.CONFIRMED:
            approve_refund(refund_id=refund_id, by=by)
        else:
            decline_refund(refund_id=refund_id, by=by, reason=reason)
    else:
        _sign(record_id, status, by, reason)
    sending.ask_about(refund_id=refund_id, source=Source.ADMIN)
    return ManualRecord.objects.get(pk=record_id)


@outbox.handler("manual.decided")
def follow_decision(payload: dict[str, Any]) -> None:
    """What the second person's word means for the payment, if that was not looked into at once."""
    apply_provider_state(payment_id=payload["payment"], source=Source.ADMIN)
