"""Who bears a dispute that was lost, and what becomes of the place: decided once, and booked once.

The house bears it, and the pot of those who play stays whole; only where the pool's policy says `pot`, and its first
round has not locked, or the pool is cancelled, does the fee leave the pot again. Money that had no place is simply
gone. Whoever has the fee taken back by the bank loses what it had bought, in any case.
"""

from config.audit import attribute
from config.clock import database_now
from config.money import format_amount
from entries.models import PaymentStatus, RequestKind
from entries.services.lost_places import lose_return, void_entry
from payments.ledger import rules
from payments.ledger.accounts import Kind
from payments.ledger.balances import booked_for
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import DiscrepancyKind, Dispute, LossBearer, Receipt, ReceiptState
from payments.services import booking
from payments.services.discrepancies import raise_discrepancy, raise_once, settle_discrepancy
from payments.services.refunds.checks import made_good, may_take_place
from payments.services.refunds.decisions import explain_all_external, take_place, withdraw_owed
from pools.models import Pool, PoolStatus
from pools.models.pool import ChargebackBearer

# Why money has no place: it was won back on appeal; or it is what a lost dispute has left.
DISPUTE_WON, PARTLY_LOST = "dispute_won", "partly_lost"


def bear_loss(dispute: Dispute, receipt: Receipt) -> None:
    """Book what a lost dispute took, once, and take what the money had bought. The receipt and its like are locked.

    Nothing where no money has left for it; that is put before a person.
    """
    if dispute.borne_by:
        return
    lost = outstanding_of(dispute)
    if lost <= 0:
        _tell_of_nothing(dispute, receipt)
        return
    reason = f"dispute {dispute.provider_reference} was lost"
    # Where it was paid before there was a ledger: what comes out must have gone in.
    booking.book_receipt(receipt)
    bearer = _take_what_it_bought(receipt, lost, reason)
    if bearer is not LossBearer.HOUSE and unallocated_of(receipt) < lost:
        withdraw_owed(receipt, reason)
    free = 0 if bearer is LossBearer.HOUSE else min(lost, max(unallocated_of(receipt), 0))
    post(rules.dispute_lost(dispute.provider_reference, receipt.provider, _sum(dispute, lost), from_unallocated=free))
    attribute(reason=reason)
    dispute.borne_by = bearer if free else LossBearer.HOUSE
    dispute.save(update_fields=["borne_by"])
    _charge_back(receipt)
    _tell_of_loss(dispute, receipt, lost)
    settle_discrepancy(
        kind=DiscrepancyKind.DISPUTE_UNKNOWN, object_key=f"dispute:{dispute.pk}", resolution="Its money has left."
    )


def recover_loss(dispute: Dispute, receipt: Receipt) -> None:
    """Make good a loss that was booked: the dispute was won on appeal. The place stays taken until a person decides."""
    lost = JournalEntry.objects.filter(
        source_type="dispute", source_id=dispute.journal_name, event="lost", reversed_by__isnull=True
    ).first()
    if lost is None:
        return
    lines = {line.account.kind: line.amount for line in lost.postings.select_related("account")}
    back = -lines[Kind.DISPUTES_RECEIVABLE]
    # What the fee made good when its pool was cancelled is the player's, too: the house has its loss back twice.
    free = min(back, lines.get(Kind.UNALLOCATED, 0) + made_good(receipt))
    post(
        rules.dispute_recovered(
            dispute.provider_reference, receipt.provider, _sum(dispute, back), lost.pk, to_unallocated=free
        )
    )
    attribute(reason=f"dispute {dispute.provider_reference} was won on appeal")
    _have_back(receipt, free)
    amount = format_amount(back, dispute.currency)
    raise_once(
        kind=DiscrepancyKind.HELD_MONEY if free else DiscrepancyKind.DISPUTE_LOST,
        object_key=f"receipt:{receipt.pk}" if free else f"dispute:{dispute.pk}:won",
        sentence=f"{amount} of charge {receipt.charge_id} came back: its dispute was lost, and is won on appeal.",
        suggestion="The place was taken when it was lost. Decide whether the player gets it, or the money, back.",
        details={"dispute": dispute.pk, "receipt": receipt.pk, "amount_cents": back},
    )


def expect_back(dispute: Dispute, receipt: Receipt) -> None:
    """Put before a person that a dispute is over in our favour, as long as its money has not come back."""
    key, out = f"dispute:{dispute.pk}", outstanding_of(dispute)
    if out > 0:
        raise_once(
            kind=DiscrepancyKind.DISPUTE_UNKNOWN,
            object_key=key,
            sentence=f"Dispute {dispute.provider_reference} is {dispute.status}, and "
            f"{format_amount(out, dispute.currency)} of charge {receipt.charge_id} have not come back.",
            suggestion="Look at the provider when they will. It is asked again every week.",
            details={"dispute": dispute.pk, "receipt": receipt.pk, "amount_cents": out},
        )
    else:
        settle_discrepancy(kind=DiscrepancyKind.DISPUTE_UNKNOWN, object_key=key, resolution="Its money has come back.")


def make_good(receipt: Receipt) -> None:
    """The place of a lost payment leaves a cancelled pool, and its fee the pot: it covers what the house had lost.

    More than that is the player's money again, without a place, and waits for a person. The receipt is locked.
    """
    free = booking.book_place_taken(receipt) - explain_all_external(receipt)
    disputes = [dispute.journal_name for dispute in receipt.disputes.all()]
    lost = min(max(free, 0), booked_for(Kind.CHARGEBACK_LOSS, {"dispute": disputes}))
    post(rules.chargeback_recovered(receipt.pk, Sum(lost, receipt.currency, receipt.livemode, database_now())))
    if free > lost:
        _wait_for_a_person(receipt, free - lost)


def outstanding_of(dispute: Dispute) -> int:
    """What is out for this dispute and neither back nor given up, in minor units of its currency."""
    movements = [f"{dispute.provider}:{name}" for name in dispute.movements.values_list("reference", flat=True)]
    return booked_for(Kind.DISPUTES_RECEIVABLE, {"movement": movements, "dispute": [dispute.journal_name]})


def unallocated_of(receipt: Receipt) -> int:
    """How much of this receipt's money has no place, by the books: not its price, not given back, not lost."""
    refs = [str(ref) for ref in receipt.refunds.values_list("ref", flat=True)]
    disputes = [dispute.journal_name for dispute in receipt.disputes.all()]
    return -booked_for(
        Kind.UNALLOCATED,
        {
            "charge": [f"{receipt.provider}:{receipt.charge_id}"],
            "receipt": [str(receipt.pk)],
            "refund": refs,
            "dispute": disputes,
        },
    )


def _sum(dispute: Dispute, amount: int) -> Sum:
    return Sum(amount, dispute.currency, dispute.livemode, dispute.closed_at or database_now())


def _take_what_it_bought(receipt: Receipt, lost: int, reason: str) -> LossBearer:
    """Take the place, or the return, and say who bears the loss. Money without a place loses nothing more."""
    if receipt.status != ReceiptState.ALLOCATED:
        return LossBearer.UNAPPLIED
    request = receipt.payment.request
    if _pot_bears(receipt, request.pool, lost):
        take_place(receipt, by=None, reason=reason)
        return LossBearer.POT
    if request.kind == RequestKind.BUY_BACK:
        lose_return(request=request, by=None, reason=reason)
    elif receipt.entry is not None:
        void_entry(entry=receipt.entry, by=None, reason=reason)
    return LossBearer.HOUSE


def _pot_bears(receipt: Receipt, pool: Pool, lost: int) -> bool:
    """Only the whole fee leaves a pot, and only one of which the house has given nothing back already."""
    is_whole = lost == receipt.amount_cents and not receipt.refunds.counted().exists()
    is_policy = pool.chargeback_bearer == ChargebackBearer.POT or pool.status == PoolStatus.CANCELLED
    return is_whole and is_policy and may_take_place(receipt.payment.request, database_now())


def _charge_back(receipt: Receipt) -> None:
    """What the bank took is gone; a part that has no place and is still here goes on waiting for a person."""
    left = 0 if receipt.status == ReceiptState.ALLOCATED else unallocated_of(receipt)
    if left > 0 and receipt.status != ReceiptState.UNAPPLIED:
        _wait_for_a_person(receipt, left)
    elif left <= 0 and receipt.can_move_to(ReceiptState.CHARGED_BACK):
        receipt.move_to(ReceiptState.CHARGED_BACK)
        receipt.save(update_fields=["status"])


def _wait_for_a_person(receipt: Receipt, left: int) -> None:
    """So much of it has no place, is not lost, and is on its way to nobody."""
    _take_from_its_place(receipt, PARTLY_LOST)
    raise_discrepancy(
        kind=DiscrepancyKind.HELD_MONEY,
        object_key=f"receipt:{receipt.pk}",
        sentence=f"A dispute took a part of charge {receipt.charge_id};"
        f" {format_amount(left, receipt.currency)} are left, and have no place.",
        suggestion="Look at the receipt and give back what is left.",
        details={"receipt": receipt.pk, "because": PARTLY_LOST, "left_cents": left},
    )


def _take_from_its_place(receipt: Receipt, because: str) -> None:
    """Whatever became of the rest of it: here is money without a place, in the list of those that wait."""
    # The map leads from `returned` only by way of `returning`.
    for status in (ReceiptState.RETURNING, ReceiptState.UNAPPLIED):
        is_on_the_way = status == ReceiptState.UNAPPLIED or receipt.status == ReceiptState.RETURNED
        if is_on_the_way and receipt.can_move_to(status):
            receipt.move_to(status)
            receipt.entry, receipt.unapplied_because = None, receipt.unapplied_because or because
            receipt.save(update_fields=["status", "entry", "unapplied_because"])


def _have_back(receipt: Receipt, free: int) -> None:
    """The receipt after its money came back: without a place, the price of one that is void, or given back before."""
    if free:
        _take_from_its_place(receipt, DISPUTE_WON)
        return
    if receipt.status != ReceiptState.CHARGED_BACK:
        return
    if receipt.entry_id is not None and receipt.payment.request.payment_status == PaymentStatus.COMPLETED:
        receipt.move_to(ReceiptState.ALLOCATED)
    else:
        receipt.move_to(ReceiptState.RETURNED)
    receipt.save(update_fields=["status"])


def _tell_of_loss(dispute: Dispute, receipt: Receipt, lost: int) -> None:
    amount, rest = format_amount(lost, dispute.currency), receipt.amount_cents - lost
    of_rest = f" {format_amount(rest, receipt.currency)} of it are still here." if rest > 0 else ""
    raise_once(
        kind=DiscrepancyKind.DISPUTE_LOST,
        object_key=f"dispute:{dispute.pk}",
        sentence=f"{amount} of charge {receipt.charge_id} were lost to a dispute, borne by: "
        f"{LossBearer(dispute.borne_by).label.lower()}.{of_rest}",
        suggestion="Tell the player, and appeal at the provider if the loss is wrong.",
        details={"dispute": dispute.pk, "receipt": receipt.pk, "amount_cents": lost, "borne_by": dispute.borne_by},
    )


def _tell_of_nothing(dispute: Dispute, receipt: Receipt) -> None:
    raise_once(
        kind=DiscrepancyKind.DISPUTE_UNKNOWN,
        object_key=f"dispute:{dispute.pk}",
        sentence=f"Dispute {dispute.provider_reference} is lost, and no money has left for it.",
        suggestion="Look at the provider what became of the money. Nothing was booked, and no place was taken.",
        details={"dispute": dispute.pk, "receipt": receipt.pk},
    )
