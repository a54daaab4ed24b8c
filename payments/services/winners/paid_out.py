"""What went out already, or is about to, to players whose prize a correction would make smaller."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from entries.services.rulings.paid_out import Payment
from entries.services.settlement import Line
from payments.models.payout import LIVE_PAYOUTS, PayoutState

# A payout is a player's, of all that the player's entries won in the pool.
PAYOUTS = """
    SELECT o.id, b.pool_id, o.amount_cents, o.currency, o.status = %(gone)s
    FROM payments_payout o JOIN payments_prizebooking b ON b.id = o.booking_id
    WHERE o.status = ANY(%(live)s) AND (b.pool_id, o.player_id) IN (
        SELECT e.pool_id, e.user_id FROM entries_entry e WHERE e.id = ANY(%(entries)s))
    ORDER BY o.id
"""


def paid_out_to(lines: Sequence[Line]) -> Iterable[Payment]:
    """The live payouts of these entries' players in their pools, each once."""
    ask: dict[str, Any] = {
        "gone": PayoutState.PAID.value, "live": [state.value for state in LIVE_PAYOUTS],
        "entries": [line.entry_id for line in lines],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(PAYOUTS, ask)
        return [Payment(*row) for row in cursor.fetchall()]
