"""What the ledger is told of payments: each function books one event, once, in the caller's transaction.

The rules, line by line, are those of `payments.ledger.rules`; here a row of ours becomes the facts that they take. The
split of a fee between pot and house is the one that settlement counts with: the newest rules of the pool, rounded down
for each fee.
"""

from datetime import datetime

from config.clock import database_now
from entries.models import Request
from entries.services.imports.land import WAIVER_REASON
from payments.ledger import rules
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Fee, Sum
from payments.models import Receipt, Refund, RefundState, TakenFrom
from payments.providers import online_provider
from pools.queries import current_rules


def book_receipt(receipt: Receipt) -> None:
    """Money arrived. It counts from the provider's own instant of the charge."""
    post(rules.charge_received(receipt.provider, receipt.charge_id, _sum_of(receipt, receipt.received_at)))


def book_place(receipt: Receipt) -> None:
    """The money became the price of a place, or of a return."""
    post(rules.place_paid(receipt.pk, _fee_of_receipt(receipt), _sum_of(receipt)))


def book_place_taken(receipt: Receipt) -> int:
    """The place was taken back: its fee leaves pot and house; what the house had given of its own comes out of it.

    Answers how much is left to give back, in minor units.
    """
    # Where it was paid before there was a ledger: what comes out must have gone in.
    book_receipt(receipt)
    book_place(receipt)
    post(
        rules.place_taken(
            receipt.pk, _fee_of_receipt(receipt), _sum_of(receipt), _journal_id("receipt", receipt.pk, "allocated")
        )
    )
    # Also what failed to arrive: it is owed to the player all the same.
    given = sum(
        receipt.refunds.filter(taken_from=TakenFrom.HOUSE)
        .exclude(status__in=(RefundState.REQUESTED, RefundState.CANCELLED))
        .values_list("amount_cents", flat=True)
    )
    pool_id = receipt.payment.request.pool_id
    if given:
        post(rules.goodwill_recovered(receipt.pk, pool_id, _sum_of(receipt, amount=given)))
    return receipt.amount_cents - given


def book_waiver(request: Request) -> None:
    """Nobody paid: the house stands in for the pot's part. A free place has no money to book."""
    fee = _fee_of_request(request)
    post(rules.fee_waived(request.pk, fee, _sum_of_waiver(request, fee), is_import=_is_import(request)))


def book_waiver_taken(request: Request) -> None:
    """A place that nobody paid for was taken back."""
    fee = _fee_of_request(request)
    waived = _journal_id("request", request.pk, "waived")
    if waived is not None:
        post(
            rules.waived_place_taken(
                request.pk, fee, _sum_of_waiver(request, fee), waived, is_import=_is_import(request)
            )
        )


def book_refund_decided(refund: Refund) -> None:
    """A refund is owed to the player from now on; one that replaces another was owed already."""
    # As above.
    book_receipt(refund.receipt)
    ref, request = str(refund.ref), refund.receipt.payment.request
    if refund.taken_from in (TakenFrom.UNAPPLIED, TakenFrom.PLACE):
        post(rules.refund_decided(ref, request.user_id, _sum_of(refund)))
    elif refund.taken_from == TakenFrom.HOUSE:
        post(rules.goodwill_decided(ref, request.pool_id, request.user_id, _sum_of(refund)))


def book_refund_withdrawn(refund: Refund, first: Refund) -> None:
    """A decided refund of money without a place never arrived, and is owed no more. `first`: whose money it was.

    Where it was sent again and again, that is the first of them; the decision was booked for it alone.
    """
    decided = _journal_id("refund", first.ref, "decided")
    if decided is not None:
        player_id = refund.receipt.payment.request.user_id
        post(rules.refund_withdrawn(str(refund.ref), player_id, _sum_of(refund), decided))


def book_refund_paid(refund: Refund, at: datetime) -> None:
    """The money has left our balance towards the player."""
    player_id = refund.receipt.payment.request.user_id
    post(rules.refund_paid(str(refund.ref), refund.provider, player_id, _sum_of(refund, at)))


def book_refund_returned(refund: Refund, at: datetime) -> None:
    """Money that had left came back: it is owed again. Nothing where it never left."""
    paid = _journal_id("refund", refund.ref, "paid")
    if paid is not None:
        player_id = refund.receipt.payment.request.user_id
        post(rules.refund_returned(str(refund.ref), refund.provider, player_id, _sum_of(refund, at), paid))


def book_external_refund(refund: Refund, at: datetime) -> None:
    """Money left by somebody's hand at the provider; whose it was is for a person to say."""
    post(rules.external_refund(str(refund.ref), refund.provider, _sum_of(refund, at)))


def book_external_returned(refund: Refund, at: datetime) -> None:
    """It came back: whose it was is no question any more, or it is owed to the player. Nothing where it never left."""
    external = _journal_id("refund", refund.ref, "external")
    if external is None:
        return
    if _journal_id("refund", refund.ref, "explained") is None:
        post(rules.external_refund_returned(str(refund.ref), refund.provider, _sum_of(refund, at), external))
    else:
        player_id = refund.receipt.payment.request.user_id
        post(rules.refund_returned(str(refund.ref), refund.provider, player_id, _sum_of(refund, at), None))


def book_external_settled(refund: Refund, *, by_house: bool) -> None:
    """It is decided whose an external refund was: the house's, or money that has no place (any more)."""
    pool_id = refund.receipt.payment.request.pool_id if by_house else None
    post(rules.external_refund_settled(str(refund.ref), refund.provider, _sum_of(refund), goodwill_of_pool=pool_id))


def _sum_of(row: Receipt | Refund, at: datetime | None = None, *, amount: int | None = None) -> Sum:
    return Sum(row.amount_cents if amount is None else amount, row.currency, row.livemode, at or database_now())


def _sum_of_waiver(request: Request, fee: Fee) -> Sum:
    return Sum(fee.pot, request.currency, livemode(), database_now())


def livemode() -> bool:
    """Whether the house plays with real money: what no provider has touched is of the mode of the others."""
    return online_provider().livemode


def _fee_of_receipt(receipt: Receipt) -> Fee:
    request = receipt.payment.request
    return rules.fee_of(request.pool_id, receipt.amount_cents, current_rules(request.pool).house_fee_bp)


def _fee_of_request(request: Request) -> Fee:
    return rules.fee_of(request.pool_id, request.fee_cents or 0, current_rules(request.pool).house_fee_bp)


def _is_import(request: Request) -> bool:
    return request.waiver_reason == WAIVER_REASON


def _journal_id(source_type: str, source_id: object, event: str) -> int | None:
    found = JournalEntry.objects.filter(source_type=source_type, source_id=str(source_id), event=event)
    return found.values_list("pk", flat=True).first()
