"""What a settlement changes, or would change, entry by entry, for people to read before they agree."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection

CHUNK = 2_000

LINES = """
    SELECT c.id, c.pool_id, p.name, u.display_name, e.number, e.reference, c.from_status, c.status, c.from_round,
           c.eliminated_round_number, c.eliminated_code, c.from_prize_cents, c.prize_cents, p.currency
    FROM settling_change c
    JOIN entries_entry e ON e.id = c.id
    JOIN pools_pool p ON p.id = c.pool_id
    JOIN accounts_user u ON u.id = e.user_id
    ORDER BY c.pool_id, (c.status = 'winner') IS DISTINCT FROM (c.from_status = 'winner') DESC, c.status, c.id
"""


class Line(NamedTuple):
    """One entry that changes. Prizes are in minor units of `currency`; None where there is none."""

    entry_id: int
    pool_id: int
    pool: str
    player: str
    number: int
    reference: str
    from_status: str
    to_status: str
    from_round: int | None
    to_round: int | None
    code: str
    from_prize_cents: int | None
    to_prize_cents: int | None
    currency: str


# Pools whose end comes, goes or moves, and those that are settled again with the round from which on.
ENDS = """
    SELECT p.id, p.name, x.from_round, CASE WHEN p.status = 'finished' THEN p.ended_round_number END, x.ended
    FROM settling_pool x JOIN pools_pool p ON p.id = x.pool_id
    WHERE x.ended IS DISTINCT FROM CASE WHEN p.status = 'finished' THEN p.ended_round_number END
    ORDER BY p.id
"""


class MovedEnd(NamedTuple):
    """A pool that ends, goes on again, or ends in another round; settled anew from `from_round` on."""

    pool_id: int
    pool: str
    from_round: int
    ended_before: int | None
    ends_in: int | None


def moved_ends() -> list[MovedEnd]:
    """Of the settlement under way; before it is written."""
    with connection.cursor() as cursor:
        cursor.execute(ENDS)
        return [MovedEnd(*row) for row in cursor.fetchall()]


def changed_lines() -> Iterator[Line]:
    """The changes of the settlement under way, titles first, pool by pool; never all in memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(LINES)
        while rows := cursor.fetchmany(CHUNK):
            yield from (Line(*row) for row in rows)
