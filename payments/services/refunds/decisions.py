"""The moment at which a refund is decided: what it takes away, what the books say, what is left to do.

Everything here runs in the caller's transaction, which holds the locks of pool, request, payment and receipt.
"""

from dataclasses import dataclass

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, NotFound
from entries.models import Request
from entries.services.lost_places import take_place_back
from payments.models import (
    DiscrepancyKind,
    Payment,
    Receipt,
    ReceiptState,
    Refund,
    RefundOrigin,
    RefundState,
    TakenFrom,
)
from payments.models.refund import UNFINISHED
from payments.services import booking
from payments.services.discrepancies import settle_discrepancy
from payments.services.refunds.checks import first_of, left_of, owed
from pools.models import Pool

# As what money without a place waits for a person.
WAITED_AS = (
    DiscrepancyKind.HELD_MONEY,
    DiscrepancyKind.DUPLICATE_PAYMENT,
    DiscrepancyKind.AMOUNT_MISMATCH,
    DiscrepancyKind.CURRENCY_MISMATCH,
)


def lock_receipt(receipt_id: int) -> Receipt:
    """Lock pool, request, payment and receipt, in this order; the receipt, with the others hanging on it."""
    found = Receipt.objects.filter(pk=receipt_id)
    names = found.values_list("payment__request__pool_id", "payment__request_id", "payment_id").first()
    if names is None:
        raise NotFound(Code.NOT_FOUND, "There is no such receipt.")
    pool = Pool.objects.locked().get(pk=names[0])
    request = Request.objects.select_related("user").locked().get(pk=names[1])
    payment = Payment.objects.locked().get(pk=names[2])
    receipt = Receipt.objects.locked().get(pk=receipt_id)
    request.pool, payment.request, receipt.payment = pool, request, payment
    return receipt


@dataclass(frozen=True, slots=True)
class Wish:
    """A refund as somebody wants it."""

    amount_cents: int
    taken_from: TakenFrom
    origin: RefundOrigin
    reason: str
    by: User | None
    provider: str
    replaces: Refund | None = None
    needs_approval: bool = False


def write(receipt: Receipt, wish: Wish) -> Refund:
    """The refund's row: a wish that waits for a second name, or a decision, which is to be followed by `decide`."""
    attribute(by=wish.by, reason=wish.reason)
    refund = Refund.objects.create(
        receipt=receipt,
        provider=wish.provider,
        livemode=receipt.livemode,
        amount_cents=wish.amount_cents,
        currency=receipt.currency,
        status=RefundState.REQUESTED if wish.needs_approval else RefundState.SENDING,
        origin=wish.origin,
        taken_from=wish.taken_from,
        reason=wish.reason,
        replaces=wish.replaces,
        needs_approval=wish.needs_approval,
        requested_by=wish.by,
    )
    refund.receipt = receipt
    return refund


def decide(refund: Refund, by: User | None) -> Refund:
    """It goes back: the place is taken, the books say so, the provider will be asked."""
    receipt = refund.receipt
    if refund.status == RefundState.REQUESTED:
        attribute(by=by, reason="approved")
        refund.move_to(RefundState.SENDING)
        refund.approved_by = by
    refund.decided_at = database_now()
    refund.save(update_fields=["status", "approved_by", "decided_at"])
    if refund.taken_from == TakenFrom.PLACE:
        take_place(receipt, by=by, reason=refund.reason)
    booking.book_refund_decided(refund)
    settle_receipt(receipt)
    outbox.post(kind="refund.send", key=f"refund-send-{refund.pk}", payload={"refund": refund.pk})
    return refund


def take_place(receipt: Receipt, *, by: User | None, reason: str) -> None:
    """Take what the money bought; from now on it is money on its way back. What went back past us is explained by it.

    The ledger has what is left of it as unallocated, which `left_of` counts.
    """
    request = receipt.payment.request
    take_place_back(request=request, by=by, reason=reason)
    request.refresh_from_db(fields=["payment_status"])
    booking.book_place_taken(receipt)
    attribute(by=by, reason=reason)
    receipt.move_to(ReceiptState.RETURNING)
    receipt.save(update_fields=["status"])
    explain_all_external(receipt)


def explain_all_external(receipt: Receipt) -> int:
    """The place is gone: what went back past us is out of its money. Answers how much that is, in minor units."""
    explained = 0
    for refund in receipt.refunds.filter(taken_from=TakenFrom.UNDECIDED).exclude(status=RefundState.FAILED):
        refund.receipt = receipt
        explain_external(refund, by_house=False)
        explained += refund.amount_cents
    return explained


def explain_external(refund: Refund, *, by_house: bool) -> None:
    """Say whose money a refund was that was made past us, and close the question."""
    refund.taken_from = TakenFrom.HOUSE if by_house else TakenFrom.UNAPPLIED
    refund.save(update_fields=["taken_from"])
    booking.book_external_settled(refund, by_house=by_house)
    settle_discrepancy(
        kind=DiscrepancyKind.EXTERNAL_REFUND,
        object_key=f"refund:{refund.pk}",
        resolution="The house bears it." if by_house else "It was money without a place.",
    )


def settle_receipt(receipt: Receipt) -> None:
    """Bring a receipt without a place to where its refunds are: waiting, on its way back, or back.

    Money that pays for a place stays `allocated`, whatever the house gave; what a bank took stays `charged_back`.
    """
    if receipt.status in (ReceiptState.ALLOCATED, ReceiptState.CHARGED_BACK) or left_of(receipt) > 0:
        return
    waiting = receipt.refunds.filter(status__in=(RefundState.REQUESTED, *UNFINISHED))
    if receipt.status == ReceiptState.UNAPPLIED and waiting.filter(status=RefundState.REQUESTED).exists():
        return
    is_back = not waiting.exists() and not owed(receipt.refunds.all()).exists()
    target = ReceiptState.RETURNED if is_back else ReceiptState.RETURNING
    if receipt.can_move_to(target):
        receipt.move_to(target)
        receipt.save(update_fields=["status"])
        for kind in WAITED_AS:
            settle_discrepancy(kind=kind, object_key=f"receipt:{receipt.pk}", resolution="All of it goes back.")


def withdraw_owed(receipt: Receipt, reason: str) -> int:
    """What failed to go back is owed no more: the player gets it another way. Its money is without a place again.

    Answers how much that is, in minor units. The receipt is locked.
    """
    attribute(reason=reason)
    by_id, withdrawn = {refund.pk: refund for refund in receipt.refunds.all()}, 0
    for refund in owed(receipt.refunds.order_by("id")):
        first = first_of(refund, by_id)
        # What the house gave of its own is the house's to settle, by a person.
        if first.taken_from in (TakenFrom.UNAPPLIED, TakenFrom.PLACE):
            refund.receipt = receipt
            booking.book_refund_withdrawn(refund, first)
            settle_discrepancy(kind=DiscrepancyKind.REFUND_FAILED, object_key=f"refund:{refund.pk}", resolution=reason)
            withdrawn += refund.amount_cents
    return withdrawn
