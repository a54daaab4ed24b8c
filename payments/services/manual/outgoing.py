"""Money that leaves by hand: each function works in the transaction of the refund or the prize that it is about."""

from django.db import transaction

from accounts.models import User
from config.clock import database_now
from config.errors import Code, Conflict, Forbidden, NotFound
from config.phrases import Name, phrase
from payments.models import ManualRecord, ManualState, Payout, Provider, Refund, RefundState
from payments.services.manual.records import Handover, check_handover, lock_record, sign, write_record
from payments.services.refunds.decisions import lock_receipt

HAND_OVER_IN = (RefundState.REQUESTED, RefundState.SENDING, RefundState.PENDING)


class NotByHand(Conflict):
    """The refund does not go out by hand, or not any more."""

    def __init__(self, refund: Refund) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase(
                "Refund {refund} goes through {provider} and is {status}: nothing is handed over for it.",
                refund=refund.pk,
                provider=refund.provider,
                status=Name(refund.status),
            ),
            {"from": str(refund.status)},
        )


def record_refund(*, refund: Refund, handover: Handover, by: User) -> ManualRecord:
    """Write down that the refund's money was handed over; another person confirms it, and only then it is out.

    For a locked refund of provider `manual`. Refuses the player whose money it is, one that has a record, and one that
    is over.
    """
    if refund.provider != Provider.MANUAL or refund.status not in HAND_OVER_IN:
        raise NotByHand(refund)
    if refund.receipt.payment.request.user_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody hands money back to themselves. Ask a colleague.")
    known = ManualRecord.objects.filter(refund=refund).first()
    if known is not None:
        raise Conflict(
            Code.VERSION_CONFLICT,
            phrase("Refund {refund} is recorded already: record {known}.", refund=refund.pk, known=known.pk),
            {"record": known.pk},
        )
    check_handover(handover, now=database_now())
    return write_record(
        handover=handover, amount_cents=refund.amount_cents, currency=refund.currency, by=by, refund=refund
    )


@transaction.atomic
def hand_back(*, refund_id: int, handover: Handover, by: User) -> ManualRecord:
    """The same for a refund that is decided and waits for somebody to hand it over; refuses what `record_refund` does.

    What a second person then confirms is out.
    """
    receipt_id = Refund.objects.filter(pk=refund_id).values_list("receipt_id", flat=True).first()
    if receipt_id is None:
        raise NotFound(Code.NOT_FOUND, "There is no such refund.")
    receipt = lock_receipt(receipt_id)
    refund = Refund.objects.locked().get(pk=refund_id)
    refund.receipt = receipt
    return record_refund(refund=refund, handover=handover, by=by)


def confirm_refund_record(*, refund: Refund, by: User) -> ManualRecord | None:
    """The second name under the refund's record, if it has one; see `records.sign` for what is refused."""
    return _sign(refund, ManualState.CONFIRMED, by)


def reject_refund_record(*, refund: Refund, by: User, reason: str) -> ManualRecord | None:
    """The refund's record is turned down, if it has one that waits."""
    return _sign(refund, ManualState.REJECTED, by, reason)


def record_payout(*, payout: Payout, handover: Handover, by: User) -> ManualRecord:
    """Write down that a prize was handed over, less the tax that is withheld, for another person to confirm.

    Refuses the winner, and a prize that has a record waiting or confirmed.
    """
    if payout.player_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody hands a prize to themselves. Ask a colleague.")
    known = payout.manual_records.exclude(status=ManualState.REJECTED).first()
    if known is not None:
        raise Conflict(
            Code.VERSION_CONFLICT,
            phrase("Payout {payout} is recorded already: record {known}.", payout=payout.pk, known=known.pk),
            {"record": known.pk},
        )
    check_handover(handover, now=database_now())
    return write_record(
        handover=handover,
        amount_cents=payout.amount_cents - payout.withheld_cents,
        currency=payout.currency,
        by=by,
        payout=payout,
    )


def _sign(refund: Refund, status: ManualState, by: User, reason: str = "") -> ManualRecord | None:
    known = ManualRecord.objects.filter(refund=refund, status=ManualState.RECORDED).values_list("pk", flat=True).first()
    return None if known is None else sign(lock_record(known), status=status, by=by, reason=reason)
