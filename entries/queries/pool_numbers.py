"""How many are in, how many are left, how much is in the pot: what the pages of pools show, answered from here."""

from collections.abc import Collection, Mapping

from django.db import connection

from entries.queries.grades import CLOSED_SQL, RULES_SQL, VISIBLE_SQL
from entries.queries.reveal import revealed_rounds
from entries.queries.tallies import PICKED, SITTING_OUT
from pools.models import Pool
from pools.queries.statistics import PoolNumbers, RoundNumbers

# All from tallies. The pot is what settlement shares out: each fee less the house's part of it, which is rounded down.
POOLS = """
    WITH counted AS (
        SELECT pool_id, coalesce(sum(entries) FILTER (WHERE status <> 'void'), 0)::bigint AS entries,
               coalesce(sum(entries) FILTER (WHERE status = 'active'), 0)::bigint AS active
        FROM entries_entrytally WHERE pool_id = ANY(%(pools)s) GROUP BY pool_id
    ), pot AS (
        SELECT f.pool_id,
               sum(f.requests * (f.fee_cents - f.fee_cents * rules.house_fee_bp / 10000))::bigint AS cents
        FROM entries_feetally f
        JOIN (SELECT DISTINCT ON (pool_id) pool_id, house_fee_bp FROM pools_rules
              WHERE pool_id = ANY(%(pools)s) ORDER BY pool_id, version DESC) rules ON rules.pool_id = f.pool_id
        WHERE f.pool_id = ANY(%(pools)s) GROUP BY f.pool_id
    )
    SELECT pool_id, coalesce(entries, 0) AS entries_total, coalesce(active, 0) AS entries_active,
           coalesce(cents, 0) AS pot_cents, 0 AS paid_count, 0 AS value_per_entry_cents
    FROM counted FULL JOIN pot USING (pool_id)
"""

# `missed` is known once no pick can arrive any more; until then `picks` are those that may be seen.
ROUNDS = f"""
    WITH asked AS (
        SELECT r.id, r.number, {CLOSED_SQL} AS closed
        FROM pools_pool p
        JOIN pools_round r ON r.competition_id = p.competition_id
            AND r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number)
        {RULES_SQL}
        WHERE p.id = %(pool)s AND r.id = ANY(%(rounds)s)
    ), stood AS (
        SELECT a.id, coalesce(sum(t.entries), 0) AS before,
               coalesce(sum(t.entries) FILTER (WHERE t.eliminated_round_number = a.number), 0) AS eliminated
        FROM asked a
        LEFT JOIN entries_entrytally t ON t.pool_id = %(pool)s AND t.status <> 'void'
            AND t.first_round_number <= a.number
            AND (t.eliminated_round_number = 0 OR t.eliminated_round_number >= a.number)
        GROUP BY a.id
    ), sat AS (
        SELECT round_id, count(*) AS entries FROM ({SITTING_OUT}) o GROUP BY round_id
    ), picked AS (
        SELECT k.round_id, sum(k.picks) AS picks, sum(k.picks) FILTER (WHERE k.slot = 1) AS entries
        FROM ({PICKED}) k
        JOIN pools_pool p ON p.id = %(pool)s
        JOIN pools_round r ON r.id = k.round_id
        JOIN pools_game g ON g.id = k.game_id
        {RULES_SQL}
        WHERE {VISIBLE_SQL}
        GROUP BY k.round_id
    )
    SELECT a.number, coalesce(k.picks, 0)::bigint,
           CASE WHEN a.closed THEN (s.before - coalesce(o.entries, 0) - coalesce(k.entries, 0))::bigint END,
           s.eliminated::bigint, (s.before - s.eliminated)::bigint
    FROM asked a
    JOIN stood s ON s.id = a.id
    LEFT JOIN sat o ON o.round_id = a.id
    LEFT JOIN picked k ON k.round_id = a.id
"""


class EntryNumbers:
    """The provider of pools' statistics."""

    def pool_numbers(self, pool_ids: Collection[int]) -> Mapping[int, PoolNumbers]:
        """Entries that count, those still in, and the pot in minor units; pools without entries are left out."""
        with connection.cursor() as cursor:
            cursor.execute(self.pool_numbers_sql(), {"pools": list(pool_ids)})
            return {pool_id: PoolNumbers(*numbers) for pool_id, *numbers in cursor.fetchall()}

    def pool_numbers_sql(self) -> str:
        """The same as a statement. The money is counted in the ledger: `payments.pool_numbers`."""
        return POOLS

    def round_numbers(self, pool_id: int, numbers: Collection[int]) -> Mapping[int, RoundNumbers]:
        """Of the revealed rounds up to the pool's end: picks, those who missed it, who fell in it, who is left.

        The last two grow as games turn final.
        """
        competition_id = Pool.objects.values_list("competition_id", flat=True).get(pk=pool_id)
        revealed = revealed_rounds(competition_id)
        with connection.cursor() as cursor:
            cursor.execute(ROUNDS, {"pool": pool_id, "rounds": list(revealed)})
            return {number: RoundNumbers(*counts) for number, *counts in cursor.fetchall() if number in numbers}
