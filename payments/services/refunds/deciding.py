"""A person gives money back: the wish, the second name where one is needed, and sending again what failed.

Each locks pool, request, payment and receipt in this order, looks only then, and books in the same transaction. The
provider is asked after the commit (`sending`).
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Forbidden, InvalidTransition, NotFound, invalid
from config.phrases import Money, phrase
from config.reasons import check_reason
from payments.models import (
    DiscrepancyKind,
    Provider,
    Receipt,
    ReceiptState,
    Refund,
    RefundOrigin,
    RefundState,
    TakenFrom,
)
from payments.services.discrepancies import raise_discrepancy
from payments.services.manual.outgoing import confirm_refund_record, record_refund, reject_refund_record
from payments.services.manual.records import Handover
from payments.services.refunds.checks import (
    NotFromThere,
    TooLarge,
    is_disputed,
    left_of,
    needs_second_name,
    owed,
    refuse_amount,
    refuse_disputed,
    refuse_own,
    refuse_source,
)
from payments.services.refunds.decisions import Wish, decide, lock_receipt, settle_receipt, take_place, write

DISPUTED = "disputed"


@transaction.atomic
def request_refund(
    *,
    receipt_id: int,
    amount_cents: int | None,
    taken_from: str,
    reason: str,
    by: User,
    now: datetime,
    manual: Handover | None = None,
) -> Refund:
    """Give back a part of a receipt, or (None) all that is left; decided at once, or once somebody else approves.

    `taken_from`: `unapplied` for money without a place, `place` to take the place back with its fee, `house` to leave
    place and pot as they are. Money that came by hand goes back by hand: `manual` tells how.
    Refuses whoever paid it (FORBIDDEN), more than is left (REFUND_TOO_LARGE), a charge whose money a bank has or is
    taking (CHARGE_DISPUTED), and what the rules do not allow (REFUND_NOT_ALLOWED): the pot belongs to those who play
    once the first round has locked.
    """
    reason = check_reason(reason)
    receipt = lock_receipt(receipt_id)
    refuse_own(receipt.payment, by.pk)
    _refuse_wrong_hand(receipt.provider, manual)
    refuse_source(taken_from, receipt, now)
    refuse_disputed(receipt, receipt.provider)
    left = left_of(receipt)
    amount = left if amount_cents is None else amount_cents
    _refuse_parts(receipt, taken_from, amount, left)
    refuse_amount(amount, receipt.currency, receipt.provider, left)
    wish = Wish(
        amount_cents=amount,
        taken_from=TakenFrom(taken_from),
        origin=RefundOrigin.STAFF,
        reason=reason,
        by=by,
        provider=receipt.provider,
        needs_approval=needs_second_name(receipt, amount, taken_from, receipt.provider),
    )
    return _begin(receipt, wish, by, manual)


@transaction.atomic
def approve_refund(*, refund_id: int, by: User) -> Refund:
    """The second name: from here on it goes back. Whatever the request was checked for is checked again.

    Refuses the person who asked for it, the one who paid it, and a refund that does not wait (INVALID_TRANSITION).
    """
    refund = lock_refund(refund_id)
    receipt = refund.receipt
    if refund.status != RefundState.REQUESTED:
        raise InvalidTransition("refund", refund.status, RefundState.SENDING)
    if refund.requested_by_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Whoever asked for a refund cannot approve it: somebody else has to.")
    refuse_own(receipt.payment, by.pk)
    refuse_disputed(receipt, refund.provider)
    if refund.replaces_id is None:
        refuse_source(refund.taken_from, receipt, database_now())
        left = left_of(receipt)
        if left < 0:
            raise TooLarge(left + refund.amount_cents, receipt.currency)
    decide(refund, by)
    if refund.provider == Provider.MANUAL:
        confirm_refund_record(refund=refund, by=by)
    return refund


@transaction.atomic
def decline_refund(*, refund_id: int, by: User, reason: str) -> Refund:
    """Turn a wish down, or take one's own back. Refuses one that is decided (INVALID_TRANSITION)."""
    reason = check_reason(reason)
    refund = lock_refund(refund_id)
    _cancel(refund, by, reason)
    if refund.provider == Provider.MANUAL:
        reject_refund_record(refund=refund, by=by, reason=reason)
    return refund


@transaction.atomic
def replace_refund(*, refund_id: int, by: User, reason: str, manual: Handover | None = None) -> Refund:
    """Send the money of a failed refund again: the same way, or by hand, as `manual` tells.

    Refuses one whose money is not owed any more: it did not fail, or is being sent again already.
    """
    reason = check_reason(reason)
    failed = lock_refund(refund_id)
    receipt = failed.receipt
    refuse_own(receipt.payment, by.pk)
    provider = receipt.provider if manual is None else str(Provider.MANUAL)
    _refuse_wrong_hand(provider, manual)
    if not owed(receipt.refunds.filter(pk=failed.pk)).exists():
        raise NotFromThere("Nothing of this refund is owed: it did not fail, or its money is on its way again.")
    refuse_disputed(receipt, provider)
    wish = Wish(
        amount_cents=failed.amount_cents,
        taken_from=TakenFrom.REPLACED,
        origin=RefundOrigin.STAFF,
        reason=reason,
        by=by,
        provider=provider,
        replaces=failed,
        needs_approval=needs_second_name(receipt, failed.amount_cents, TakenFrom.REPLACED, provider),
    )
    return _begin(receipt, wish, by, manual)


@transaction.atomic
def give_back_place(*, receipt: Receipt, origin: str, reason: str, by: User | None) -> Refund | None:
    """Take the place back and send all of the money that is left, with the caller answering for it: no second name.

    In the caller's transaction. Wishes that wait are turned down, for this does more. None where nothing is left, and
    where a bank has the money or may take it: then it waits without a place until that is over. A receipt without a
    place is left as it is.
    """
    receipt = lock_receipt(receipt.pk)
    if receipt.status != ReceiptState.ALLOCATED:
        return None
    for wish in receipt.refunds.filter(status=RefundState.REQUESTED, replaces__isnull=True):
        wish.receipt = receipt
        _cancel(wish, by, reason)
        if wish.provider == Provider.MANUAL and by is not None:
            reject_refund_record(refund=wish, by=by, reason=reason)
    left = left_of(receipt)
    if left <= 0 or is_disputed(receipt):
        take_place(receipt, by=by, reason=reason)
        _wait_or_end(receipt, left)
        return None
    whole = Wish(
        amount_cents=left,
        taken_from=TakenFrom.PLACE,
        origin=RefundOrigin(origin),
        reason=reason,
        by=by,
        provider=receipt.provider,
    )
    return decide(write(receipt, whole), by)


def lock_refund(refund_id: int) -> Refund:
    """The refund, locked after its receipt and what that hangs on. Raises NOT_FOUND."""
    receipt_id = Refund.objects.filter(pk=refund_id).values_list("receipt_id", flat=True).first()
    if receipt_id is None:
        raise NotFound(Code.NOT_FOUND, "There is no such refund.")
    receipt = lock_receipt(receipt_id)
    refund = Refund.objects.locked().get(pk=refund_id)
    refund.receipt = receipt
    return refund


def _begin(receipt: Receipt, wish: Wish, by: User, manual: Handover | None) -> Refund:
    refund = write(receipt, wish)
    if manual is not None:
        record_refund(refund=refund, handover=manual, by=by)
    return refund if wish.needs_approval else decide(refund, by)


def _cancel(refund: Refund, by: User | None, reason: str) -> None:
    if refund.status != RefundState.REQUESTED:
        # It may be on its way in this very moment: what is decided is only ever brought to its end.
        raise InvalidTransition("refund", refund.status, RefundState.CANCELLED)
    attribute(by=by, reason=reason)
    refund.move_to(RefundState.CANCELLED)
    refund.completed_at = database_now()
    refund.save(update_fields=["status", "completed_at"])


def _refuse_wrong_hand(provider: str, manual: Handover | None) -> None:
    """What came by hand goes back by hand, and the books want to know how; nothing else may."""
    if provider == Provider.MANUAL and manual is None:
        raise invalid("manual", "Say how the money is handed back: the method, its reference, and when.")
    if provider != Provider.MANUAL and manual is not None:
        raise invalid("manual", "This money goes back the way it came. Only when that has failed is it handed over.")


def _refuse_parts(receipt: Receipt, taken_from: str, amount: int, left: int) -> None:
    """A place is taken back with all of its money, and not while somebody wishes for a part of it."""
    if taken_from != TakenFrom.PLACE:
        return
    if receipt.refunds.filter(status=RefundState.REQUESTED, replaces__isnull=True).exists():
        raise NotFromThere("A refund of this payment waits for approval. Decide about it first.")
    if left <= 0:
        raise NotFromThere("All of this money went back already. Say so on the refund that did it.")
    if amount != left:
        raise invalid(
            "amount_cents",
            phrase(
                "A place is taken back with all that is left of its fee: {left}.", left=Money(left, receipt.currency)
            ),
        )


def _wait_or_end(receipt: Receipt, left: int) -> None:
    """A place that is gone without a refund: all went back before, or a bank may take what is left."""
    if left <= 0:
        settle_receipt(receipt)
        return
    receipt.move_to(ReceiptState.UNAPPLIED)
    receipt.entry, receipt.unapplied_because = None, DISPUTED
    receipt.save(update_fields=["status", "entry", "unapplied_because"])
    raise_discrepancy(
        kind=DiscrepancyKind.HELD_MONEY,
        object_key=f"receipt:{receipt.pk}",
        sentence=f"The place of receipt {receipt.pk} is gone, and its charge is disputed.",
        suggestion="If the dispute is won, give the money back; if it is lost, the bank has done so.",
        details={"receipt": receipt.pk, "because": DISPUTED},
    )
