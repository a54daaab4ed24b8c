"""Which lines can stand, decided in SQL over a temporary table of the file.

A line is judged by what is true without the other lines first (round, team, game, owner, what stands already), then
against the other lines of its entry, and at last its entry against the pool's limits.
"""

from collections.abc import Iterable
from typing import Any

from django.db.backends.utils import CursorWrapper

from accounts.models import NOBODYS_DOMAIN
from entries.models.request import NUMBER_HOLDING
from entries.queries.grades import ASKED_SQL, CLOSES_AT_SQL, RULES_SQL, VOID_SQL
from entries.services.imports.rows import Row
from pools.models import Pool, PoolStatus

LINES = """
    CREATE TEMP TABLE import_line
        (line int PRIMARY KEY, entry text, owner text, round int, team text, reason text) ON COMMIT DROP
"""

ROUNDS = f"""
    CREATE TEMP TABLE import_round ON COMMIT DROP AS
    SELECT r.id AS round_id, r.number, rules.version AS rules_version, rules.lock, rules.tie, rules.cancelled_game,
           rules.reuse_limit, coalesce(r.number >= rules.reuse_reset_round, false) AS is_reset, {ASKED_SQL} AS asked,
           coalesce({CLOSES_AT_SQL} <= clock_timestamp(), false) AS is_closed
    FROM pools_pool p
    JOIN pools_round r ON r.competition_id = p.competition_id
        AND r.number BETWEEN p.first_round_number AND p.last_round_number
    {RULES_SQL}
    WHERE p.id = %(pool)s
"""

# Entries that are here already, against a pick that their owner is saving at this moment; in the order of ids, like
# every other writer.
LOCK_ENTRIES = """
    SELECT count(*) FROM (
        SELECT 1 FROM entries_entry WHERE pool_id = %(pool)s AND reference IN (SELECT entry FROM import_line)
            AND reference <> '' ORDER BY id FOR NO KEY UPDATE
    ) locked
"""

# What people may call a team: its code, or its name. A code goes before another team's name.
CALLED = """
    SELECT DISTINCT ON (label) label, t.id AS team_id, t.code
    FROM pools_team t
    CROSS JOIN LATERAL (VALUES (lower(t.code), 1), (lower(t.name), 2)) AS called (label, choice)
    WHERE t.competition_id = %(league)s
    ORDER BY label, choice, t.id
"""
LABELS = f"CREATE TEMP TABLE import_label ON COMMIT DROP AS {CALLED}"

# The team's first game of the round.
GAMES = """
    CREATE TEMP TABLE import_game ON COMMIT DROP AS
    SELECT DISTINCT ON (r.round_id, side.team_id) r.round_id, side.team_id, g.id AS game_id,
           r.is_closed OR r.lock = 'game' AND g.locks_at <= clock_timestamp() AS is_locked,
           CASE WHEN g.status IN ('cancelled', 'postponed') THEN r.cancelled_game IN ('void', 'repick')
                ELSE g.status = 'final' AND g.home_score = g.away_score AND r.tie = 'void' END AS is_void
    FROM import_round r JOIN pools_game g ON g.round_id = r.round_id
    CROSS JOIN LATERAL (VALUES (g.home_id), (g.away_id)) AS side (team_id)
    ORDER BY r.round_id, side.team_id, g.kickoff_at, g.id
"""

# What entries that are here already have picked, by round and by team.
PICKED = """
    CREATE TEMP TABLE import_picked ON COMMIT DROP AS
    SELECT k.entry_id, k.round_id, array_agg(k.team_id) AS teams, array_agg(k.slot) AS slots
    FROM entries_entry e JOIN entries_pick k ON k.entry_id = e.id
    WHERE e.pool_id = %(pool)s AND e.reference IN (SELECT entry FROM import_line) AND e.reference <> ''
    GROUP BY k.entry_id, k.round_id
"""
USED = f"""
    CREATE TEMP TABLE import_used ON COMMIT DROP AS
    SELECT k.entry_id, k.team_id, rules.is_reset, count(*) AS times
    FROM entries_entry e
    JOIN entries_pick k ON k.entry_id = e.id
    JOIN import_round rules ON rules.round_id = k.round_id
    JOIN pools_game g ON g.id = k.game_id
    WHERE e.pool_id = %(pool)s AND e.reference IN (SELECT entry FROM import_line) AND e.reference <> ''
      AND NOT ({VOID_SQL})
    GROUP BY k.entry_id, k.team_id, rules.is_reset
"""

# `stands`: the very pick is there already. Whose an entry is, its first line says, or the entry itself does where it
# exists; somebody who has taken over an imported account may have changed the name on it. Late picks are for entries
# that come with them: of one that plays here already, two people must say so.
ROWS = """
    CREATE TEMP TABLE import_row ON COMMIT DROP AS
    SELECT l.line, l.entry, l.owner, l.round AS number, l.team, r.round_id, r.rules_version, r.asked, r.reuse_limit,
           r.is_reset, t.team_id, t.code, g.game_id, coalesce(g.is_void, false) AS is_void, e.id AS entry_id,
           e.user_id, coalesce(t.team_id = ANY(k.teams), false) AS stands, coalesce(cardinality(k.slots), 0) AS picked,
           coalesce(1 = ANY(k.slots), false) AS has_first, coalesce(used.times, 0) AS times_used,
           CASE
               WHEN l.reason <> '' THEN l.reason
               WHEN r.round_id IS NULL THEN format('round unknown: the pool has no round %%s', l.round)
               WHEN t.team_id IS NULL THEN format('unknown team %%s', l.team)
               WHEN l.owner <> CASE WHEN u.email LIKE %(imported)s THEN u.display_name
                                    WHEN e.id IS NOT NULL THEN l.owner
                                    ELSE first_value(l.owner) OVER (PARTITION BY l.entry, l.reason = '' ORDER BY l.line)
                               END THEN format('entry %%s belongs to another owner', l.entry)
               WHEN e.status = 'void' THEN format('entry %%s is void', l.entry)
               WHEN t.team_id = ANY(k.teams) THEN ''
               WHEN g.game_id IS NULL THEN format('%%s has no game in round %%s', t.code, l.round)
               WHEN %(closed)s <> '' THEN %(closed)s
               WHEN e.id IS NOT NULL AND g.is_locked AND coalesce(cardinality(k.slots), 0) < r.asked
                   THEN format('round %%s has locked: a late pick takes a ruling', l.round)
               ELSE ''
           END AS reason
    FROM import_line l
    LEFT JOIN import_round r ON r.number = l.round
    LEFT JOIN import_label t ON t.label = lower(l.team)
    LEFT JOIN import_game g ON g.round_id = r.round_id AND g.team_id = t.team_id
    LEFT JOIN entries_entry e ON e.pool_id = %(pool)s AND e.reference = l.entry AND l.entry <> ''
    LEFT JOIN accounts_user u ON u.id = e.user_id
    LEFT JOIN import_picked k ON k.entry_id = e.id AND k.round_id = r.round_id
    LEFT JOIN import_used used ON used.entry_id = e.id AND used.team_id = t.team_id AND used.is_reset = r.is_reset
"""

REPEATED = """
    UPDATE import_row r SET reason = CASE asked
        WHEN 1 THEN format('second pick of this entry for round %s', r.number)
        ELSE format('%s is picked already by this entry for round %s', r.code, r.number) END
    FROM (SELECT line, row_number() OVER (PARTITION BY entry, round_id, team_id ORDER BY line) AS nth
          FROM import_row WHERE reason = '') ranked
    WHERE ranked.line = r.line AND ranked.nth > 1
"""

# Of the lines for one round the first ones in the file stand, as many as the round asks for.
SECOND_PICKS = """
    UPDATE import_row r SET reason = format('%s pick of this entry for round %s',
                                            CASE asked WHEN 1 THEN 'second' ELSE 'third' END, r.number)
    FROM (SELECT line, row_number() OVER (PARTITION BY entry, round_id ORDER BY line) AS nth
          FROM import_row WHERE reason = '' AND NOT stands) ranked
    WHERE ranked.line = r.line AND r.picked + ranked.nth > r.asked
"""

# Of several rounds with one team the earlier ones stand; a void pick is no use of its team.
SECOND_USES = """
    UPDATE import_row r SET reason = format('%s is used already by this entry', r.code)
    FROM (SELECT line, row_number() OVER (PARTITION BY entry, team_id, is_reset ORDER BY number) AS nth
          FROM import_row WHERE reason = '' AND NOT stands AND NOT is_void) ranked
    WHERE ranked.line = r.line AND r.times_used + ranked.nth > r.reuse_limit
"""

# Entries to be born, in the order of the file. An owner is known by an entry that stands in the pool, or as a player
# imported into it before.
BIRTHS = """
    CREATE TEMP TABLE import_birth ON COMMIT DROP AS
    WITH known AS (
        SELECT owner, min(user_id) AS user_id FROM (
            SELECT owner, user_id FROM import_row WHERE entry_id IS NOT NULL AND reason = ''
            UNION ALL
            SELECT u.display_name, u.id FROM accounts_user u
            WHERE u.email LIKE %(imported)s AND u.id IN (SELECT user_id FROM entries_entry WHERE pool_id = %(pool)s)
        ) found GROUP BY owner
    ), born AS (
        SELECT entry, min(owner) AS owner, min(line) AS line FROM import_row
        WHERE entry_id IS NULL AND reason = '' GROUP BY entry
    ), wanted AS (
        SELECT b.*, k.user_id, row_number() OVER (PARTITION BY b.owner ORDER BY b.line) AS nth
        FROM born b LEFT JOIN known k USING (owner)
    ), free AS (
        SELECT o.owner, n AS number, row_number() OVER (PARTITION BY o.owner ORDER BY n) AS nth
        FROM (SELECT DISTINCT owner, user_id FROM wanted) o CROSS JOIN generate_series(1, %(limit)s) n
        WHERE NOT EXISTS (SELECT 1 FROM entries_request q WHERE q.pool_id = %(pool)s AND q.user_id = o.user_id
                          AND q.kind = 'entry' AND q.number = n AND q.status = ANY(%(holding)s)
                          AND q.payment_status <> 'refunded')
    )
    SELECT w.entry, w.owner, w.line, w.user_id, f.number,
           row_number() OVER (PARTITION BY f.number IS NULL ORDER BY w.line) AS place
    FROM wanted w LEFT JOIN free f USING (owner, nth)
    WHERE NOT EXISTS (SELECT 1 FROM accounts_exclusion x
                      WHERE x.user_id = w.user_id AND (x.until IS NULL OR x.until > clock_timestamp()))
"""

# Nobody is let in by a file who may not come in by the door.
NOT_NOW = """
    UPDATE import_row SET reason = 'the player is excluded for now'
    WHERE entry_id IS NULL AND reason = '' AND entry NOT IN (SELECT entry FROM import_birth)
"""

TOO_MANY = """
    UPDATE import_row r SET reason = CASE WHEN b.number IS NULL
        THEN format('the pool allows %%s entries per player', %(limit)s::int)
        ELSE format('the pool is full: it has %%s places', %(capacity)s::int) END
    FROM import_birth b
    WHERE b.entry = r.entry AND r.reason = '' AND (b.number IS NULL OR b.place > %(places)s::bigint)
"""
FORGET_TOO_MANY = "DELETE FROM import_birth WHERE number IS NULL OR place > %(places)s::bigint"

PLACES_HELD = """
    SELECT count(*) FROM entries_request
    WHERE pool_id = %(pool)s AND (status, kind) = ('approved', 'entry') AND payment_status <> 'refunded'
"""


def load(cursor: CursorWrapper, rows: Iterable[Row]) -> None:
    """Put the file into `import_line`, streamed."""
    cursor.execute(LINES)
    with cursor.copy("COPY import_line (line, entry, owner, round, team, reason) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute("ANALYZE import_line")


def judge(cursor: CursorWrapper, *, pool: Pool) -> None:
    """Make of the lines `import_row`, each with the reason of its refusal or none, and `import_birth`."""
    ask = _question(pool)
    for statement in (LOCK_ENTRIES, ROUNDS, LABELS, GAMES, PICKED, USED):
        cursor.execute(statement, ask)
    cursor.execute("ANALYZE import_picked, import_used")
    cursor.execute(ROWS, ask)
    cursor.execute("CREATE INDEX ON import_row (line)")
    cursor.execute("CREATE INDEX ON import_row (entry)")
    cursor.execute("ANALYZE import_row")
    for statement in (REPEATED, SECOND_PICKS, SECOND_USES):
        cursor.execute(statement)
    cursor.execute(BIRTHS, ask)
    cursor.execute(NOT_NOW)
    cursor.execute(PLACES_HELD, ask)
    held = cursor.fetchone()[0]
    ask["places"] = None if pool.capacity is None else max(pool.capacity - held, 0)
    cursor.execute(TOO_MANY, ask)
    cursor.execute(FORGET_TOO_MANY, ask)


def _question(pool: Pool) -> dict[str, Any]:
    is_over = pool.status in (PoolStatus.FINISHED, PoolStatus.CANCELLED)
    return {
        "pool": pool.pk,
        "league": pool.competition_id,
        "limit": pool.max_entries_per_user,
        "capacity": pool.capacity,
        "holding": [str(status) for status in NUMBER_HOLDING],
        "imported": f"%@imported{NOBODYS_DOMAIN}",
        "closed": f"the pool is {pool.status}" if is_over else "",
    }
