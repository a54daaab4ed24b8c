"""Writing the lines that stand: players, then requests paid elsewhere, entries, picks."""

from typing import Any

from django.db.backends.utils import CursorWrapper

from accounts.models import User
from accounts.services.registration import import_players
from entries.models.pick import LATE_SETTING, PickSource
from pools.models import Pool

WAIVER_REASON = "Paid elsewhere"

NEW_OWNERS = "SELECT owner FROM import_birth WHERE user_id IS NULL GROUP BY owner ORDER BY min(line)"
OWNERS = "CREATE TEMP TABLE import_owner (owner text, user_id bigint) ON COMMIT DROP"
NAME_OWNERS = (
    "UPDATE import_birth b SET user_id = o.user_id FROM import_owner o WHERE o.owner = b.owner AND b.user_id IS NULL"
)

REQUESTS = """
    INSERT INTO entries_request (pool_id, user_id, number, status, payment_status, fee_cents, currency, reason,
                                 waived_by_id, waiver_reason, created_at, decided_at, decided_by_id)
    SELECT p.id, b.user_id, b.number, 'approved', 'completed', p.entry_fee_cents, p.currency, '',
           %(by)s, %(waiver)s, clock_timestamp(), clock_timestamp(), %(by)s
    FROM import_birth b JOIN pools_pool p ON p.id = %(pool)s ORDER BY b.line
"""

# A player's live number in a pool is unique, so it finds the request just made.
ENTRIES = """
    INSERT INTO entries_entry (request_id, pool_id, user_id, number, reference, status, strikes, eliminated_code,
                               created_at)
    SELECT q.id, q.pool_id, q.user_id, q.number, b.entry, 'active', 0, '', clock_timestamp()
    FROM import_birth b
    JOIN entries_request q ON (q.pool_id, q.user_id, q.number) = (%(pool)s, b.user_id, b.number)
        AND (q.status, q.kind) = ('approved', 'entry') AND q.payment_status <> 'refunded'
    ORDER BY b.line
"""

# The nonce is 122 random bits from the server's strong source, written like those of saved picks.
PICKS = """
    INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce, picked_at)
    SELECT e.id, r.round_id, r.slot, r.team_id, r.game_id, %(source)s, r.rules_version,
           replace(gen_random_uuid()::text, '-', ''), clock_timestamp()
    FROM (SELECT *, has_first::int + row_number() OVER (PARTITION BY entry, round_id ORDER BY line) AS slot
          FROM import_row WHERE reason = '' AND NOT stands) r
    JOIN entries_entry e ON e.pool_id = %(pool)s AND e.reference = r.entry
    WHERE (r.entry_id IS NULL) = %(born)s AND r.is_void = %(void)s
    ORDER BY r.round_id, r.line LIMIT %(most)s OFFSET %(after)s
"""

# So many picks tell the planner what picks are like here, and are few enough to be checked by any plan.
FEW = 1_000


def land_players(cursor: CursorWrapper) -> int:
    """Make the owners that are new here; how many."""
    cursor.execute(NEW_OWNERS)
    names = [name for (name,) in cursor.fetchall()]
    players = import_players(display_names=names)
    cursor.execute(OWNERS)
    with cursor.copy("COPY import_owner (owner, user_id) FROM STDIN") as copy:
        for name, player in zip(names, players, strict=True):
            copy.write_row((name, player.pk))
    cursor.execute(NAME_OWNERS)
    return len(players)


def land_entries(cursor: CursorWrapper, *, pool: Pool, by: User) -> int:
    """Make the entries with their requests, paid elsewhere in `by`'s name; how many."""
    ask: dict[str, Any] = {"pool": pool.pk, "by": by.pk, "waiver": WAIVER_REASON}
    cursor.execute(REQUESTS, ask)
    cursor.execute(ENTRIES, ask)
    return int(cursor.rowcount)


def land_picks(cursor: CursorWrapper, *, pool: Pool) -> int:
    """Make the picks, those of new entries also of rounds that have locked; how many.

    The guard counts how often a team was used; a void pick goes in before the pick that took its place.
    """
    cursor.execute("ANALYZE entries_entry")
    cursor.execute("SELECT set_config(%s, %s, true)", [LATE_SETTING, str(PickSource.IMPORT)])
    count = sum(_land(cursor, pool, born=True, void=is_void) for is_void in (True, False))
    # What follows in this transaction is decided by the clock again.
    cursor.execute("SELECT set_config(%s, '', true)", [LATE_SETTING])
    return count + sum(_land(cursor, pool, born=False, void=is_void) for is_void in (True, False))


def _land(cursor: CursorWrapper, pool: Pool, *, born: bool, void: bool) -> int:
    """Make these picks, the first few by themselves; how many.

    The guard looks for the team among the picks of each entry. A planner that was last told of hardly a pick may take
    the picks of the team for as few as those of the entry, and read them all for each: it is told of the first ones.
    """
    ask: dict[str, Any] = {"pool": pool.pk, "source": str(PickSource.IMPORT), "born": born, "void": void}
    cursor.execute(PICKS, {**ask, "most": FEW, "after": 0})
    count = int(cursor.rowcount)
    if count < FEW:
        return count
    cursor.execute("ANALYZE entries_pick")
    cursor.execute(PICKS, {**ask, "most": None, "after": FEW})
    return count + int(cursor.rowcount)
