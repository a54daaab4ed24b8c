"""Prizes in the books: what settlement says each entry has won, moved out of the pot to its player's credit.

Settlement decides, and can decide anew when a result is corrected; the books follow. Each time the prizes differ from
what was booked last, that is reversed and the new prizes are booked, under the next number. Nothing is ever edited, so
what was paid out before a correction stays visible as what it is: too much.
"""

import logging
from collections import Counter
from collections.abc import Mapping

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from config import outbox
from config.audit import attribute
from config.clock import database_now
from config.money import format_amount
from entries.models import Entry
from payments.ledger import rules
from payments.ledger.models import JournalEntry
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import DiscrepancyKind, ManualRecord, ManualState, Payout, PayoutState, PrizeBooking
from payments.models.payout import LIVE_PAYOUTS, WAITING_PAYOUTS
from payments.services.booking import livemode
from payments.services.discrepancies import raise_discrepancy, settle_discrepancy
from payments.services.pots import pot_of
from payments.services.winners.overpaid import note_overpaid
from payments.services.winners.standing import standings
from pools.models import Pool, PoolStatus

logger = logging.getLogger(__name__)

# Entry → minor units. Keys are texts, as JSON keeps them.
Prizes = Mapping[str, int]

# Pools whose prizes are not what was booked last; a pool that opened again has none.
NOT_BOOKED = """
    SELECT p.id FROM pools_pool p
    LEFT JOIN LATERAL (
        SELECT prizes FROM payments_prizebooking WHERE pool_id = p.id ORDER BY number DESC LIMIT 1
    ) booked ON true
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(e.id, e.prize_cents) AS prizes FROM entries_entry e
        WHERE p.status = 'finished' AND e.pool_id = p.id AND e.prize_cents > 0
    ) won ON true
    WHERE (p.status = 'finished' OR booked.prizes IS NOT NULL)
      AND coalesce(won.prizes, '{}'::jsonb) <> coalesce(booked.prizes, '{}'::jsonb)
    ORDER BY p.id
"""


@outbox.handler("prizes.changed")
def _book(payload: dict[str, int]) -> None:
    book_prizes(pool_id=payload["pool"])


@transaction.atomic
def book_prizes(*, pool_id: int) -> PrizeBooking | None:
    """Bring the books to what the pool's entries have won now; the booking that holds, None where there is none.

    Books nothing while the prizes do not add up to the pot: a person looks (`pot_short`). Twice changes nothing.
    """
    pool = Pool.objects.locked().get(pk=pool_id)
    last = latest_booking(pool)
    won, booked = _prizes_of(pool), {} if last is None else last.prizes
    if won == booked:
        return last
    pot = pot_of(pool) + (last.amount_cents if last is not None else 0)
    if pool.status == PoolStatus.FINISHED and not _adds_up(pool, won, pot):
        return last
    attribute(reason="the prizes as settlement has them")
    if last is not None:
        _reverse(last)
    booking = _post_prizes(pool, won, number=1 if last is None else last.number + 1)
    _look_at_payouts(booking)
    return booking


def sweep_prizes() -> int:
    """Book the prizes of every pool whose books are behind: its message was lost, or its pot was short. How many.

    One whose prizes cannot be booked keeps no other waiting.
    """
    with connection.cursor() as cursor:
        cursor.execute(NOT_BOOKED)
        pools = [pool_id for (pool_id,) in cursor.fetchall()]
    for pool_id in pools:
        try:
            book_prizes(pool_id=pool_id)
        except Exception:  # whatever one pool does, the others still have their turn
            logger.exception("the prizes of pool %s could not be booked", pool_id)
    return len(pools)


def latest_booking(pool: Pool) -> PrizeBooking | None:
    """The one that holds; it is empty once the pool opened again."""
    return PrizeBooking.objects.filter(pool=pool).order_by("-number").first()


def _prizes_of(pool: Pool) -> Prizes:
    if pool.status != PoolStatus.FINISHED:
        return {}
    won = Entry.objects.filter(pool=pool, prize_cents__gt=0).order_by("pk")
    return {str(entry): cents or 0 for entry, cents in won.values_list("pk", "prize_cents")}


def _adds_up(pool: Pool, won: Prizes, pot: int) -> bool:
    """Whether exactly the pot is shared out."""
    key, total = f"prizes:{pool.pk}", sum(won.values())
    if total == pot:
        settle_discrepancy(kind=DiscrepancyKind.POT_SHORT, object_key=key, resolution="the prizes are the pot")
        return True
    raise_discrepancy(
        kind=DiscrepancyKind.POT_SHORT,
        object_key=key,
        sentence=f"The prizes of {pool.name} come to {format_amount(total, pool.currency)}, its pot in the ledger to"
        f" {format_amount(pot, pool.currency)}: nothing was booked.",
        suggestion="Look for a place that was paid and not booked, or taken back. It is tried again every hour.",
        details={"pool": pool.pk, "prizes_cents": total, "pot_cents": pot},
        amount_cents=total - pot,
        currency=pool.currency,
    )
    return False


def _post_prizes(pool: Pool, won: Prizes, number: int) -> PrizeBooking:
    booking = PrizeBooking.objects.create(
        pool=pool, number=number, prizes=dict(won), amount_cents=sum(won.values()), currency=pool.currency
    )
    post(rules.pool_settled(_source(booking), pool.pk, _by_player(won), _sum_of(booking)))
    return booking


def _reverse(booking: PrizeBooking) -> None:
    settled = JournalEntry.objects.filter(source_type="pool", source_id=_source(booking), event="settled")
    journal_id = settled.values_list("pk", flat=True).first()
    if journal_id is not None:
        players = _by_player(booking.prizes)
        post(rules.settlement_reversed(_source(booking), booking.pool_id, players, _sum_of(booking), journal_id))


def _by_player(prizes: Prizes) -> dict[int, int]:
    """Somebody with three winning entries has one account."""
    owners = Entry.objects.filter(pk__in=[int(entry) for entry in prizes]).values_list("pk", "user_id")
    sums: Counter[int] = Counter()
    for entry, player in owners:
        sums[player] += prizes[str(entry)]
    return dict(sorted(sums.items()))


def _source(booking: PrizeBooking) -> str:
    return f"{booking.pool_id}:{booking.number}"


def _sum_of(booking: PrizeBooking) -> Sum:
    return Sum(booking.amount_cents, booking.currency, livemode(), database_now())


def _look_at_payouts(booking: PrizeBooking) -> None:
    """What waits for another prize than the one won now is cancelled; what was paid too much is put before a person."""
    payouts = Payout.objects.filter(booking__pool=booking.pool_id, status__in=LIVE_PAYOUTS)
    players = sorted(set(payouts.values_list("player_id", flat=True)))
    # Money that somebody says was handed over is booked as what it was.
    said = ManualRecord.objects.filter(payout=OuterRef("pk")).exclude(status=ManualState.REJECTED)
    waiting = payouts.filter(~Exists(said), status__in=WAITING_PAYOUTS)
    won = standings(booking.pool_id, players)
    for payout in waiting.locked().order_by("pk"):
        if payout.won_cents != won[payout.player_id].won:
            attribute(reason="a correction changed the prize")
            payout.move_to(PayoutState.CANCELLED)
            payout.save(update_fields=["status"])
    for player in players:
        note_overpaid(booking.pool, player, won[player])
