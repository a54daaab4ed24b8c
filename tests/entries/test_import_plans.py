"""An import asks the database for no more than it needs, whatever the planner believes."""

from django.db import connection

from entries.services.imports import import_entries
from entries.services.imports.land import FEW
from entries.services.imports.rows import Row
from tests.factories.pools import PoolFactory


def test_many_picks_are_checked_without_reading_all_of_them_for_each(db):
    """Also where the planner was last told of a few picks of one entry, as after somebody's try at a first pool."""
    remember_picks_of_one_entry()
    before = picks_read()
    rows = [Row(line, f"{line}-1", f"Owner {line}", 1, "ANT", "") for line in range(2, 3 * FEW + 2)]

    result = import_entries(pool=PoolFactory(), rows=rows)

    assert (result.picks, result.refused) == (3 * FEW, [])
    assert picks_read() - before < 3 * FEW**2, "the first few may look at each other, no more"


def remember_picks_of_one_entry() -> None:
    """Leave the planner with statistics of picks that are gone."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "INSERT INTO entries_pick"
            " (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce, picked_at)"
            " SELECT 0, nth, 1, 0, nth, 'player', 1, md5(nth::text), now() FROM generate_series(1, 300) nth"
        )
        cursor.execute("ANALYZE entries_pick")
        cursor.execute("DELETE FROM entries_pick")
        cursor.execute("SET LOCAL session_replication_role = origin")


def picks_read() -> int:
    """How many picks this transaction has read, each time anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"
            " WHERE relname = 'entries_pick'"
        )
        return int(cursor.fetchone()[0])
