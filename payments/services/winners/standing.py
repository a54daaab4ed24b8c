"""What a player has won in a pool by its newest booking, was paid of it, is owed, or was paid too much."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from payments.models import CorrectionKind, CorrectionState, Payout

# One row for each of the players; those who neither won nor were paid are left out. `parts` are pieces of live payouts
# that the winner does not have: they came back, or were withheld wrongly and are owed again.
STANDINGS = """
    WITH newest AS (
        SELECT prizes FROM payments_prizebooking WHERE pool_id = %(pool)s ORDER BY number DESC LIMIT 1
    ), won AS (
        SELECT e.user_id AS player, sum((n.prizes ->> e.id::text)::bigint) AS cents
        FROM newest n, entries_entry e
        WHERE e.pool_id = %(pool)s AND e.user_id = ANY(%(players)s) AND n.prizes ? e.id::text GROUP BY 1
    ), parts AS (
        SELECT p.player_id AS player, p.status, p.amount_cents, coalesce((
            SELECT sum(c.amount_cents) FROM payments_prizecorrection c
            WHERE c.payout_id = p.id AND c.status = 'done' AND c.kind IN ('tax_released', 'came_back')), 0) AS back
        FROM payments_payout p JOIN payments_prizebooking b ON b.id = p.booking_id
        WHERE b.pool_id = %(pool)s AND p.player_id = ANY(%(players)s)
            AND p.status IN ('requested', 'approved', 'sending', 'unknown', 'paid')
    ), given AS (
        SELECT player, sum(amount_cents - back) AS cents,
               coalesce(sum(amount_cents - back) FILTER (WHERE status = 'paid'), 0) AS paid FROM parts GROUP BY 1
    ), corrected AS (
        SELECT player_id AS player, coalesce(sum(amount_cents) FILTER (WHERE kind = 'repaid'), 0) AS repaid,
               coalesce(sum(CASE kind WHEN 'borne' THEN amount_cents WHEN 'reclaimed' THEN -amount_cents END), 0)
                   AS borne
        FROM payments_prizecorrection
        WHERE pool_id = %(pool)s AND player_id = ANY(%(players)s) AND status = 'done' GROUP BY 1
    )
    SELECT player, coalesce(won.cents, 0)::bigint, coalesce(given.cents, 0)::bigint, coalesce(given.paid, 0)::bigint,
           coalesce(corrected.repaid, 0)::bigint, coalesce(corrected.borne, 0)::bigint
    FROM won FULL JOIN given USING (player) FULL JOIN corrected USING (player) ORDER BY player
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """All in minor units of the pool's currency, before taxes. `given` is paid, under way, or asked for."""

    won: int = 0
    given: int = 0
    paid: int = 0
    repaid: int = 0
    borne: int = 0

    @property
    def due(self) -> int:
        """What can be asked for: won, and neither paid nor on its way."""
        return max(0, self.won - (self.given - self.repaid))

    @property
    def over(self) -> int:
        """What was paid above the prize and is neither sent back nor borne by the house: the player owes it."""
        return max(0, self.paid - self.repaid - self.borne - self.won)

    @property
    def reclaimable(self) -> int:
        """What the house bore and need not have: the prize was raised again since."""
        return min(self.borne, max(0, self.borne - max(0, self.paid - self.repaid - self.won)))


def left_withheld(payout: Payout) -> int:
    """What is withheld of a payout, in minor units, and was not released since."""
    released = payout.corrections.filter(kind=CorrectionKind.TAX_RELEASED, status=CorrectionState.DONE)
    return payout.withheld_cents - sum(released.values_list("amount_cents", flat=True))


def standing_of(pool_id: int, player_id: int) -> Standing:
    """Of one player. It means something only while the pool is locked."""
    return standings(pool_id, [player_id]).get(player_id, Standing())


def standings(pool_id: int, players: list[int]) -> Mapping[int, Standing]:
    """Of each player of the list who won anything, or was paid anything."""
    with connection.cursor() as cursor:
        cursor.execute(STANDINGS, {"pool": pool_id, "players": players})
        return {player: Standing(*numbers) for player, *numbers in cursor.fetchall()}
