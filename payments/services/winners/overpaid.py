"""What was paid above the prize, after a correction: put before a person, and taken back once it is no longer so."""

from django.db import transaction

from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.money import format_amount
from payments.ledger import rules
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import (
    CorrectionKind,
    CorrectionState,
    DiscrepancyKind,
    Payout,
    PayoutState,
    PrizeCorrection,
)
from payments.services.booking import livemode
from payments.services.discrepancies import raise_discrepancy, settle_discrepancy
from payments.services.winners.standing import Standing, standing_of
from pools.models import Pool


def prize_key(pool_id: int, player_id: int) -> str:
    """How doubts about a player's prize of a pool are named."""
    return f"prize:{pool_id}:{player_id}"


@transaction.atomic
def note_overpaid(pool: Pool, player_id: int, standing: Standing | None = None) -> None:
    """Put before a person what was paid above the prize as it is now, or take it back once that is no longer so.

    What the house had borne of it, it has back first, where the prize was raised again. The pool is locked.
    """
    standing = standing or standing_of(pool.pk, player_id)
    if standing.reclaimable:
        _reclaim(pool, player_id, standing.reclaimable)
    if not standing.over:
        settle_discrepancy(
            kind=DiscrepancyKind.PRIZE_OVERPAID,
            object_key=prize_key(pool.pk, player_id),
            resolution="what was paid is what was won",
        )
        return
    paid = Payout.objects.filter(booking__pool=pool, player=player_id, status=PayoutState.PAID)
    last = paid.select_related("player").latest("pk")
    over, currency = standing.over, pool.currency
    raise_discrepancy(
        kind=DiscrepancyKind.PRIZE_OVERPAID,
        object_key=prize_key(pool.pk, player_id),
        sentence=f"{last.player.display_name} was paid {format_amount(standing.paid, currency)} in {pool.name}; after a"
        f" correction the prize is {format_amount(standing.won, currency)}. The player owes"
        f" {format_amount(over, currency)}.",
        suggestion="Ask the player to send it back and record it, or let the house bear it: both on the payout's page."
        " The books show it as a debt of theirs.",
        details={"pool": pool.pk, "player": player_id, "payout": last.pk, "over_cents": over},
        amount_cents=over,
        currency=currency,
    )


def book_correction(correction: PrizeCorrection) -> None:
    """The books of a correction that is done, once."""
    post(
        rules.prize_corrected(
            str(correction.pk),
            correction.kind,
            correction.player_id,
            "manual" if correction.payout is None else correction.payout.provider,
            Sum(
                correction.amount_cents,
                correction.currency,
                correction.livemode,
                correction.decided_at or database_now(),
            ),
        )
    )


def _reclaim(pool: Pool, player_id: int, amount_cents: int) -> None:
    attribute(reason="the prize was raised again: the house has back what it had borne")
    made = PrizeCorrection.objects.create(
        pool=pool,
        player_id=player_id,
        kind=CorrectionKind.RECLAIMED,
        amount_cents=amount_cents,
        currency=pool.currency,
        livemode=livemode(),
        reason="The prize was raised again.",
        status=CorrectionState.DONE,
        decided_at=ClockTimestamp(),
    )
    made.refresh_from_db(fields=["decided_at"])
    book_correction(made)
