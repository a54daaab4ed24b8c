"""What became of a payout, in the books: it has moved, it came back, or nobody knows and a person looks.

A payout is booked when the money has moved, never before, so a prize stays owed until then, whatever fails.
"""

from datetime import datetime

from config import outbox
from config.reasons import LONGEST_REASON
from payments.ledger import rules
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import CorrectionState, DiscrepancyKind, Payout, PayoutState
from payments.services.discrepancies import raise_discrepancy, settle_discrepancy
from payments.services.winners.overpaid import note_overpaid, prize_key
from payments.services.winners.standing import left_withheld


def book_paid(payout: Payout, *, at: datetime, reference: str = "") -> Payout:
    """It has moved: booked once, whatever happened to the prize since. For a payout held by `lock_payout`."""
    payout.move_to(PayoutState.PAID)
    payout.paid_at, payout.failure = at, ""
    payout.provider_reference = payout.provider_reference or reference
    payout.save(update_fields=["status", "paid_at", "failure", "provider_reference"])
    money = Sum(payout.amount_cents, payout.currency, payout.livemode, at)
    post(rules.winner_paid(str(payout.ref), payout.player_id, payout.withheld_cents, payout.provider, money))
    settle_discrepancy(
        kind=DiscrepancyKind.PAYOUT_FAILED, object_key=_key(payout), resolution=f"paid by payout {payout.pk}"
    )
    outbox.post(kind="mail.prize_paid", key=f"prize-paid-{payout.pk}", payload={"payout": payout.pk})
    note_overpaid(payout.booking.pool, payout.player_id)
    return fresh(payout)


def book_returned(payout: Payout, *, at: datetime, why: str) -> Payout:
    """It is back: what had not come back, or been released, before is owed again. For one held by `lock_payout`."""
    payout.move_to(PayoutState.RETURNED)
    payout.returned_at, payout.reason = at, why[:LONGEST_REASON]
    payout.save(update_fields=["status", "returned_at", "reason"])
    parts = payout.corrections.filter(status=CorrectionState.DONE)
    gone = sum(parts.values_list("amount_cents", flat=True))
    paid = JournalEntry.objects.filter(source_type="payout", source_id=str(payout.ref), event="paid")
    post(
        rules.winner_payment_returned(
            str(payout.ref),
            payout.player_id,
            left_withheld(payout),
            payout.provider,
            Sum(payout.amount_cents - gone, payout.currency, payout.livemode, at),
            paid.values_list("pk", flat=True).first(),
        )
    )
    outbox.post(kind="mail.prize_returned", key=f"prize-returned-{payout.pk}", payload={"payout": payout.pk})
    note_overpaid(payout.booking.pool, payout.player_id)
    doubt_payout(payout, f"came back: {why}", "Ask the winner where to send it, and ask for another payout.")
    return fresh(payout)


def doubt_payout(payout: Payout, what: str, suggestion: str) -> None:
    """Put a payout that did not arrive, or does not end, before a person."""
    raise_discrepancy(
        kind=DiscrepancyKind.PAYOUT_FAILED,
        object_key=_key(payout),
        sentence=f"Payout {payout.pk} to {payout.player.display_name} {what}",
        suggestion=suggestion,
        details={"payout": payout.pk, "pool": payout.booking.pool_id, "player": payout.player_id},
    )


def fresh(payout: Payout) -> Payout:
    """The row as it is now, with what is shown of it."""
    return Payout.objects.select_related("booking__pool", "player").get(pk=payout.pk)


def _key(payout: Payout) -> str:
    return prize_key(payout.booking.pool_id, payout.player_id)
