"""Money that came and became no place: it goes back by itself, or it waits for a person, and never anything else.

What is certain goes back: too late, twice, for a pool or a request that is over. Where a person may know better (the
wrong amount, a player who is gone) and where money passed by hand, it waits. All in the transaction that books it.
"""

from enum import StrEnum

from django.conf import settings

from config import outbox
from config.money import format_amount
from entries.services.places import Because
from payments.models import (
    DiscrepancyKind,
    Provider,
    Receipt,
    ReceiptState,
    Refund,
    RefundOrigin,
    TakenFrom,
)
from payments.services.discrepancies import raise_discrepancy
from payments.services.refunds.checks import is_disputed, left_of
from payments.services.refunds.decisions import Wish, decide, write


class Held(StrEnum):
    """Why money did not become a place, where its payment tells; `grant_place` has reasons of its own."""

    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    DUPLICATE = "duplicate"
    SPENDING_LIMIT = "spending_limit"


TWICE: tuple[str, ...] = (Held.DUPLICATE, Because.ALREADY_PAID)
GOES_BACK: frozenset[str] = frozenset(
    {
        *TWICE,
        Because.TOO_LATE,
        Because.POOL_CLOSED,
        Because.WITHDRAWN,
        Because.EXPIRED,
        Because.NOT_NEEDED,
        Because.ENTRY_VOID,
        Because.NOT_APPROVED,
    }
)


def return_or_hold(*, receipt: Receipt, because: str) -> Refund | None:
    """What becomes of money that became no place; the refund, if it goes back by itself. The player is told anyhow."""
    if because in GOES_BACK and settings.AUTO_RETURN and receipt.provider != Provider.MANUAL:
        return return_unapplied(receipt=receipt, because=because)
    hold(receipt=receipt, because=because)
    return None


def return_unapplied(*, receipt: Receipt, because: str) -> Refund | None:
    """Give back all that is left of money without a place: decided and booked here, sent after the commit.

    None where nothing is left, or where a bank is taking it already: that waits for a person. The receipt is locked.
    """
    left = left_of(receipt)
    if receipt.status != ReceiptState.UNAPPLIED or left <= 0:
        return None
    if is_disputed(receipt):
        hold(receipt=receipt, because=because)
        return None
    refund = write(
        receipt,
        Wish(
            amount_cents=left,
            taken_from=TakenFrom.UNAPPLIED,
            origin=RefundOrigin.AUTO,
            reason=because,
            by=None,
            provider=receipt.provider,
        ),
    )
    outbox.post(kind="mail.payment_returned", key=f"receipt-{receipt.pk}", payload={"receipt": receipt.pk})
    return decide(refund, None)


def hold(*, receipt: Receipt, because: str) -> None:
    """Put the money before a person, and tell the player that it is safe."""
    amount = format_amount(receipt.amount_cents, receipt.currency)
    raise_discrepancy(
        kind=_kind(receipt, because),
        object_key=f"receipt:{receipt.pk}",
        sentence=f"{amount} came for request {receipt.payment.request_id}: {because.replace('_', ' ')}.",
        suggestion="Look at the receipt and give the money back, all or a part of it.",
        details={"receipt": receipt.pk, "because": because, "amount_cents": receipt.amount_cents},
    )
    outbox.post(kind="mail.payment_held", key=f"receipt-{receipt.pk}", payload={"receipt": receipt.pk})


def _kind(receipt: Receipt, because: str) -> DiscrepancyKind:
    if because == Held.WRONG_AMOUNT:
        return DiscrepancyKind.AMOUNT_MISMATCH
    if because == Held.WRONG_CURRENCY:
        return DiscrepancyKind.CURRENCY_MISMATCH
    is_twice_by_hand = because in TWICE and receipt.provider == Provider.MANUAL
    return DiscrepancyKind.DUPLICATE_PAYMENT if is_twice_by_hand else DiscrepancyKind.HELD_MONEY
