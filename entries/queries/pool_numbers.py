"""How many are in, how many are left, how much is in the pot: what the pages of pools show, answered from here."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection

from entries.queries.grades import IN_PLAY_SQL
from entries.queries.reveal import revealed_rounds
from pools.models import Pool
from pools.queries.statistics import PoolNumbers, RoundNumbers

# The pot is what settlement shares out: each fee less the house's part of it, which is rounded down.
POOLS = """
    SELECT e.pool_id, count(*), count(*) FILTER (WHERE e.status = 'active'),
           sum(q.fee_cents - q.fee_cents::bigint * rules.house_fee_bp / 10000)::bigint
    FROM entries_entry e
    JOIN entries_request q ON q.id = e.request_id
    JOIN (SELECT DISTINCT ON (pool_id) pool_id, house_fee_bp FROM pools_rules
          WHERE pool_id = ANY(%(pools)s) ORDER BY pool_id, version DESC) rules ON rules.pool_id = e.pool_id
    WHERE e.pool_id = ANY(%(pools)s) AND e.status <> 'void'
    GROUP BY e.pool_id
"""

ROUNDS = f"""
    WITH fallen AS (
        SELECT eliminated_round_number AS number, count(*) AS entries FROM entries_entry
        WHERE pool_id = %(pool)s AND status <> 'void' GROUP BY eliminated_round_number
    ), asked AS (
        SELECT r.id, r.number,
               (SELECT coalesce(sum(entries), 0) FROM fallen f WHERE f.number IS NULL OR f.number >= r.number) AS alive,
               (SELECT coalesce(sum(entries), 0) FROM fallen f WHERE f.number = r.number) AS eliminated
        FROM pools_pool p JOIN pools_round r ON r.competition_id = p.competition_id
            AND r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number)
        WHERE p.id = %(pool)s AND r.id = ANY(%(rounds)s) AND r.number = ANY(%(numbers)s)
    ), picked AS (
        SELECT k.round_id, count(*) AS picks, count(*) FILTER (WHERE k.slot = 1) AS entries
        FROM asked a
        JOIN entries_pick k ON k.round_id = a.id
        JOIN entries_entry e ON e.id = k.entry_id AND e.pool_id = %(pool)s AND e.status <> 'void'
        JOIN pools_pool p ON p.id = e.pool_id
        JOIN pools_round r ON r.id = k.round_id
        WHERE {IN_PLAY_SQL}
        GROUP BY k.round_id
    )
    SELECT a.number, coalesce(k.picks, 0), (a.alive - coalesce(k.entries, 0))::bigint, a.eliminated::bigint,
           (a.alive - a.eliminated)::bigint
    FROM asked a LEFT JOIN picked k ON k.round_id = a.id
"""


class EntryNumbers:
    """The provider of pools' statistics."""

    def pool_numbers(self, pool_ids: Collection[int]) -> Mapping[int, PoolNumbers]:
        """Entries that count, those still in, and the pot in minor units; pools without entries are left out."""
        with connection.cursor() as cursor:
            cursor.execute(POOLS, {"pools": list(pool_ids)})
            return {pool_id: PoolNumbers(*numbers) for pool_id, *numbers in cursor.fetchall()}

    def round_numbers(self, pool_id: int, numbers: Collection[int]) -> Mapping[int, RoundNumbers]:
        """Of the revealed rounds up to the pool's end: picks, those who missed it, who fell in it, who is left.

        The last two grow as games turn final.
        """
        competition_id = Pool.objects.values_list("competition_id", flat=True).get(pk=pool_id)
        ask: dict[str, Any] = {
            "pool": pool_id,
            "rounds": list(revealed_rounds(competition_id)),
            "numbers": list(numbers),
        }
        with connection.cursor() as cursor:
            cursor.execute(ROUNDS, ask)
            return {number: RoundNumbers(*counts) for number, *counts in cursor.fetchall()}
