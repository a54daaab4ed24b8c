"""What may be given back of a receipt, out of whose money, and whether a second person has to agree.

All of it means something only while the caller holds the locks of pool, request and receipt.
"""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast

from config.constraints import explain
from config.errors import Code, Conflict, Forbidden, Refused, invalid
from config.money import exponent, in_minor_units
from config.phrases import Money, phrase
from entries.models import PaymentStatus, Request, RequestKind
from entries.queries.buy_backs import needless_returns
from payments.ledger.accounts import Kind
from payments.ledger.balances import booked_for
from payments.ledger.models import JournalEntry
from payments.models import (
    Dispute,
    DisputeState,
    Payment,
    Provider,
    Receipt,
    ReceiptState,
    Refund,
    RefundOrigin,
    RefundState,
    TakenFrom,
)
from pools.models import PoolStatus
from pools.queries import first_lock_at

# Money that a bank holds, or keeps, on behalf of the player: it must not go to them a second time.
IN_THE_WAY = (
    DisputeState.NEEDS_RESPONSE,
    DisputeState.UNDER_REVIEW,
    DisputeState.APPEAL_NEEDS_RESPONSE,
    DisputeState.APPEAL_UNDER_REVIEW,
    DisputeState.LOST,
    DisputeState.UNKNOWN,
)
# The house's own money is watched ten times as closely.
HOUSE_SHARE = 10

explain("refund_within_receipt", Code.REFUND_TOO_LARGE, "More would go back than came.")
explain("refund_replaced_once", Code.INVALID_TRANSITION, "This refund is being sent again already.")
explain("refund_two_names", Code.FORBIDDEN, "A refund needs two different names.")


class ChargeDisputed(Conflict):
    """The bank is taking, or has taken, the money back for the player."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(
            Code.CHARGE_DISPUTED,
            phrase(
                "Charge {charge} is disputed: its money goes back through the bank, or not at all.",
                charge=receipt.charge_id,
            ),
            {"receipt": receipt.pk},
        )


class NotFromThere(Refused):
    """The rules do not let this money be taken from there."""

    def __init__(self, why: str) -> None:
        super().__init__(Code.REFUND_NOT_ALLOWED, why)


def left_of(receipt: Receipt) -> int:
    """What of the money is neither back nor promised back, in minor units; below nothing where too much went.

    A refund that failed counts as long as it is owed; one that replaces another is the other's money.
    """
    by_id = {refund.pk: refund for refund in receipt.refunds.all()}
    gone = {first_of(refund, by_id).pk for refund in receipt.refunds.filter(_is_withdrawn())}
    given = sum(
        refund.amount_cents
        for refund in by_id.values()
        if refund.replaces_id is None and refund.pk not in gone and not _never_was(refund)
    )
    return receipt.amount_cents - given - _kept_by_banks(receipt)


def _kept_by_banks(receipt: Receipt) -> int:
    """What lost disputes have taken of it while it had no place, or once its place was gone."""
    disputes = [dispute.journal_name for dispute in receipt.disputes.all()]
    return booked_for(Kind.UNALLOCATED, {"dispute": disputes}) + made_good(receipt) if disputes else 0


def made_good(receipt: Receipt) -> int:
    """How much of a lost dispute the receipt's own fee has made good, when its pool was cancelled."""
    return booked_for(Kind.UNALLOCATED, {"receipt": [str(receipt.pk)]}, event="chargeback_recovered")


def first_of(refund: Refund, by_id: Mapping[int, Refund]) -> Refund:
    """The refund whose money it was before it was sent again; `by_id` has all of its receipt."""
    while refund.replaces_id is not None:
        refund = by_id[refund.replaces_id]
    return refund


def owed(refunds: QuerySet[Refund]) -> QuerySet[Refund]:
    """Those whose money failed to arrive, and which nothing replaces: the player still has it to get."""
    replaced = Refund.objects.filter(replaces=OuterRef("pk")).exclude(status=RefundState.CANCELLED)
    return (
        refunds.filter(status=RefundState.FAILED)
        .exclude(taken_from=TakenFrom.UNDECIDED)
        .filter(~Exists(replaced), ~_is_withdrawn())
    )


def _is_withdrawn() -> Exists:
    """Whether the books say that the money is owed no more."""
    withdrawn = JournalEntry.objects.filter(source_type="refund", event="withdrawn")
    return Exists(withdrawn.filter(source_id=Cast(OuterRef("ref"), TextField())))


def _never_was(refund: Refund) -> bool:
    """Turned down; or made past us, and failed before anybody had said whose money it was."""
    if refund.status == RefundState.FAILED:
        return refund.taken_from == TakenFrom.UNDECIDED
    return refund.status == RefundState.CANCELLED


def is_disputed(receipt: Receipt, *, to_the_card: bool = True) -> bool:
    """Whether a dispute forbids to give it back. Some let a refund through, but only the one to the card itself.

    One that is lost and booked has taken what it took: the rest of money without a place is free.
    """
    disputes: QuerySet[Dispute] = receipt.disputes.filter(status__in=IN_THE_WAY)
    if receipt.status in (ReceiptState.UNAPPLIED, ReceiptState.RETURNING):
        disputes = disputes.exclude(~Q(borne_by=""), status=DisputeState.LOST)
    return disputes.filter(Q(is_charge_refundable=False) if to_the_card else Q()).exists()


def refuse_disputed(receipt: Receipt, provider: str) -> None:
    """Raises `ChargeDisputed`."""
    if is_disputed(receipt, to_the_card=provider != Provider.MANUAL):
        raise ChargeDisputed(receipt)


def refuse_own(payment: Payment, by_id: int) -> None:
    """Nobody gives money to themselves."""
    if payment.request.user_id == by_id:
        raise Forbidden(Code.FORBIDDEN, "Nobody refunds a payment of their own. Ask a colleague.")


def refuse_amount(amount: int, currency: str, provider: str, left: int) -> None:
    """Refuses what is nothing, what the provider cannot count, and more than is left."""
    if amount <= 0:
        raise invalid("amount_cents", "Must be more than 0.")
    if exponent(currency) == 3 and amount % 10 and provider != Provider.MANUAL:
        raise invalid(
            "amount_cents", phrase("Must end in 0: {currency} is refunded in hundredths.", currency=currency.upper())
        )
    if amount > left:
        raise TooLarge(left, currency)


class TooLarge(Conflict):
    """More than is left."""

    def __init__(self, left: int, currency: str) -> None:
        super().__init__(
            Code.REFUND_TOO_LARGE,
            phrase("Only {amount} of this payment can still be given back.", amount=Money(max(left, 0), currency)),
            {"left_cents": max(left, 0), "currency": currency},
        )


def refuse_source(taken_from: str, receipt: Receipt, now: datetime) -> None:
    """Refuses to take the money from where it is not, or is not ours to take."""
    is_allocated = receipt.status == ReceiptState.ALLOCATED
    if taken_from == TakenFrom.UNAPPLIED:
        if receipt.status != ReceiptState.UNAPPLIED:
            raise NotFromThere("This money is the price of a place: say whether the place is taken back as well.")
    elif taken_from == TakenFrom.HOUSE:
        if not is_allocated:
            raise NotFromThere("This money paid for no place, so the house need not give its own.")
    elif taken_from == TakenFrom.PLACE:
        if not is_allocated:
            raise NotFromThere("This money paid for no place that could be taken back.")
        if not may_take_place(receipt.payment.request, now):
            raise NotFromThere("The contest has begun: the pot belongs to those who play. Only the house can give.")
    else:
        raise invalid("taken_from", "Must be place, house or unapplied.")


def may_take_place(request: Request, now: datetime) -> bool:
    """Whether the fee may still leave the pot: before the contest begins, if it never will, or if it bought nothing."""
    pool, first_lock = request.pool, first_lock_at(request.pool)
    if request.payment_status != PaymentStatus.COMPLETED:
        return False
    if pool.status == PoolStatus.CANCELLED:
        return True
    if pool.status in (PoolStatus.DRAFT, PoolStatus.OPEN) and (first_lock is None or now < first_lock):
        return True
    return request.kind == RequestKind.BUY_BACK and request.pk in needless_returns([request.pk])


def needs_second_name(receipt: Receipt, amount: int, taken_from: str, provider: str) -> bool:
    """Whether somebody else has to approve it: by hand always, else from an amount on that the settings name.

    What one person gives back of a receipt in several parts counts together.
    """
    if provider == Provider.MANUAL:
        return True
    limit = in_minor_units(settings.REFUND_APPROVAL_ABOVE, receipt.currency)
    if taken_from == TakenFrom.HOUSE:
        limit //= HOUSE_SHARE
    alone = receipt.refunds.filter(origin=RefundOrigin.STAFF, needs_approval=False, replaces__isnull=True)
    before = 0 if taken_from == TakenFrom.REPLACED else alone.aggregate(total=Sum("amount_cents"))["total"]
    return (before or 0) + amount > limit
