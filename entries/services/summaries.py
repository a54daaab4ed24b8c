"""Tallies from nothing: for rows that came past the triggers, and to see whether the tallies are right.

Triggers keep the tallies exact (`entries.models.tallies`); no service has to.
"""

from typing import NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from config.pages.changes import changed


class _Tally(NamedTuple):
    table: str
    keys: str
    number: str
    counted: str


# What each tally sums up to, counted row by row.
TALLIES = (
    _Tally(
        "entries_entrytally",
        "pool_id, status, eliminated_round_number, first_round_number",
        "entries",
        """
        SELECT pool_id, status, coalesce(eliminated_round_number, 0), first_round_number, count(*)
        FROM entries_entry GROUP BY 1, 2, 3, 4
        """,
    ),
    _Tally(
        "entries_picktally",
        "pool_id, round_id, game_id, team_id, slot",
        "picks",
        """
        SELECT e.pool_id, k.round_id, k.game_id, k.team_id, k.slot, count(*)
        FROM entries_pick k
        JOIN entries_entry e ON e.id = k.entry_id AND e.status <> 'void'
        JOIN pools_round r ON r.id = k.round_id AND r.number >= e.first_round_number
            AND r.number <= coalesce(e.eliminated_round_number, 32000)
        GROUP BY 1, 2, 3, 4, 5
        """,
    ),
    _Tally(
        "entries_feetally",
        "pool_id, fee_cents",
        "requests",
        """
        SELECT pool_id, fee_cents, count(*) FROM entries_request WHERE payment_status = 'completed' GROUP BY 1, 2
        """,
    ),
)


@transaction.atomic
def recount() -> None:
    """Count everything anew. Nobody can change an entry, a pick or a request meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE entries_entry, entries_pick, entries_request IN SHARE ROW EXCLUSIVE MODE")
        for tally in TALLIES:
            cursor.execute(f"DELETE FROM {tally.table}")
            cursor.execute(f"INSERT INTO {tally.table} ({tally.keys}, {tally.number}) {tally.counted}")
        # What came past the triggers that count was not told to pages either.
        cursor.execute(changed("'competition:' || id FROM pools_competition"))


def wrong_tallies() -> dict[str, int]:
    """By table, how many sums differ from a count of the rows: all noughts."""
    with connection.cursor() as cursor:
        return {tally.table: _differing(cursor, tally) for tally in TALLIES}


def _differing(cursor: CursorWrapper, tally: _Tally) -> int:
    kept = f"""
        SELECT {tally.keys}, sum({tally.number}) FROM {tally.table}
        GROUP BY {tally.keys} HAVING sum({tally.number}) <> 0
    """
    cursor.execute(
        f"SELECT count(*) FROM (({kept} EXCEPT {tally.counted}) UNION ALL ({tally.counted} EXCEPT ({kept}))) differing"
    )
    return int(cursor.fetchone()[0])
