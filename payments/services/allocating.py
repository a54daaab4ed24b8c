"""Money that waits, made a place after all: a pool has room again, a player is back, the machine had been too careful.

Only for the request that it was paid for, only to the cent, and only while all of it is here: whoever wants anything
else gives it back. The money counts as paid when it came, as it would have then.
"""

from django.db import transaction

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Conflict, Forbidden
from config.phrases import Name, phrase
from config.words import spoken
from entries.models import PaymentStatus
from entries.services.places import PlaceRefused, grant_place
from payments.models import DiscrepancyKind, Receipt, ReceiptState
from payments.services import booking
from payments.services.discrepancies import settle_discrepancy
from payments.services.provider_state import fits_limit
from payments.services.refunds.checks import is_disputed, left_of
from payments.services.refunds.decisions import WAITED_AS, lock_receipt
from payments.services.refunds.unapplied import Held


class NotAllocated(Conflict):
    """This money cannot become a place as things stand; nothing has changed."""

    def __init__(self, why: str, because: str) -> None:
        super().__init__(Code.INVALID_TRANSITION, why, {"because": because})


@transaction.atomic
def allocate_again(*, receipt_id: int, reason: str, by: User | None = None) -> Receipt:
    """Make money without a place the price of the place it was paid for; the receipt, allocated.

    Refuses (INVALID_TRANSITION, with `because`) money that has a place or is on its way back, of which a part is
    gone, that a bank disputes, that is not the fee to the cent; and whatever `grant_place` refuses. Refuses the
    person who paid it (FORBIDDEN).
    """
    receipt = lock_receipt(receipt_id)
    request = receipt.payment.request
    if by is not None and request.user_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody decides about a payment of their own. Ask a colleague.")
    _refuse(receipt)
    attribute(by=by, reason=reason)
    try:
        entry = grant_place(request=request, by=by, now=database_now(), paid_at=receipt.received_at)
    except PlaceRefused as refusal:
        because = str(refusal.because)
        raise NotAllocated(
            phrase("There is no place for it: {because}. Give it back.", because=Name(spoken(because))), because
        ) from refusal
    attribute(by=by, reason=reason)
    receipt.move_to(ReceiptState.ALLOCATED)
    receipt.entry, receipt.unapplied_because = entry, ""
    receipt.save(update_fields=["status", "entry", "unapplied_because"])
    booking.book_place(receipt)
    outbox.post(kind="mail.payment_received", key=f"receipt-allocated-{receipt.pk}", payload={"receipt": receipt.pk})
    for kind in (*WAITED_AS, DiscrepancyKind.PAID_NO_ENTRY):
        settle_discrepancy(kind=kind, object_key=f"receipt:{receipt.pk}", resolution="It is the price of a place now.")
    return receipt


def _refuse(receipt: Receipt) -> None:
    request, payment = receipt.payment.request, receipt.payment
    came = (receipt.amount_cents, receipt.currency)
    if receipt.status != ReceiptState.UNAPPLIED:
        raise NotAllocated(
            phrase("This money is {status}: it does not wait.", status=Name(spoken(receipt.status))), "not_waiting"
        )
    if is_disputed(receipt, to_the_card=False):
        raise NotAllocated("A bank disputes it.", "disputed")
    if left_of(receipt) != receipt.amount_cents:
        raise NotAllocated("A part of it is gone, or is about to go.", "not_whole")
    if came != (request.fee_cents, request.currency) or came != (payment.amount_cents, payment.currency):
        raise NotAllocated("It is not the fee to the cent.", "wrong_amount")
    if request.payment_status == PaymentStatus.COMPLETED:
        raise NotAllocated("The request is paid by other money.", "duplicate")
    if receipt.unapplied_because == Held.SPENDING_LIMIT and not fits_limit(payment):
        raise NotAllocated("It is beyond what the player wanted to spend.", "spending_limit")
