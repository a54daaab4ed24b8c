"""What the players of a pool own together, as the journal has it."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db import connection

from payments.ledger.balances import SUMS

POTS = f"""
    SELECT p.pool_id, -sum(s.balance)::bigint, sum(s.credits - s.debits)::bigint
    FROM payments_account p
    JOIN LATERAL ({SUMS} WHERE a.id = p.id) s (id, balance, credits, debits) ON true
    WHERE p.kind = 'prize_pot' AND p.pool_id = ANY(%(pools)s) GROUP BY p.pool_id
"""


class Pot(NamedTuple):
    """Minor units, and how many lines brought something in, less those that took it out again."""

    cents: int = 0
    fees: int = 0


def pots(pool_ids: Collection[int]) -> Mapping[int, Pot]:
    """What is in the pots of these pools now, of both modes; pools whose pot nothing ever reached are left out."""
    with connection.cursor() as cursor:
        cursor.execute(POTS, {"pools": list(pool_ids)})
        return {pool_id: Pot(*numbers) for pool_id, *numbers in cursor.fetchall()}
