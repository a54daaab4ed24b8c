"""The numbers that pools' pages show, with the pot that the ledger has: what was really collected, to the cent."""

from collections.abc import Collection, Mapping

from django.db import connection

from entries.queries.pool_numbers import POOLS, EntryNumbers
from payments.ledger.pots import POTS

# The pot is shared out when the prizes are booked. What is shown is what there was to share: all lines of the pot but
# those of its settlements.
COLLECTED = f"""
    WITH pot AS ({POTS}), shared AS (
        SELECT b.pool_id, sum(l.amount) AS cents, sum(sign(l.amount)) AS lines
        FROM payments_prizebooking b
        JOIN payments_journalentry j ON j.source_type = 'pool' AND j.source_id = b.pool_id || ':' || b.number
        JOIN payments_posting l ON l.journal_entry_id = j.id
        JOIN payments_account a ON (a.id, a.kind) = (l.account_id, 'prize_pot')
        WHERE b.pool_id = ANY(%(pools)s) GROUP BY b.pool_id
    )
    SELECT p.pool_id, (p.cents + coalesce(s.cents, 0))::bigint, (p.fees + coalesce(s.lines, 0))::bigint
    FROM pot p (pool_id, cents, fees) LEFT JOIN shared s USING (pool_id)
"""


NUMBERS = f"""
    SELECT pool_id, coalesce(n.entries_total, 0) AS entries_total, coalesce(n.entries_active, 0) AS entries_active,
           coalesce(c.cents, 0) AS pot_cents, coalesce(c.fees, 0) AS paid_count,
           CASE WHEN n.entries_active > 0 THEN greatest(coalesce(c.cents, 0), 0) / n.entries_active ELSE 0 END
               AS value_per_entry_cents
    FROM ({POOLS}) n FULL JOIN ({COLLECTED}) c (pool_id, cents, fees) USING (pool_id)
"""


class MoneyNumbers(EntryNumbers):
    """The provider of pools' statistics: entries count themselves, the money is counted in the ledger."""

    def pool_numbers_sql(self) -> str:
        """Entries, those still in, the pot, the fees that are in it, and what it comes to for each that is in."""
        return NUMBERS


def collected(pool_ids: Collection[int]) -> Mapping[int, tuple[int, int]]:
    """Minor units, and how many fees: of each pool in whose pot anything ever was."""
    with connection.cursor() as cursor:
        cursor.execute(COLLECTED, {"pools": list(pool_ids)})
        return {pool_id: (cents, fees) for pool_id, cents, fees in cursor.fetchall()}
