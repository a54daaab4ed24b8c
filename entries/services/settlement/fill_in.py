"""Filling in for missed picks: the player's own fallback list, or the largest favourite, as of the round's lock.

For every entry still in that lacks picks of a revealed round: only games that had not started at the lock (of a round
whose games all kick off at its lock, those), only teams that the rules still allow, never both sides of one game. The
list is the one that stood at the lock, by its history. It is tried once; what is missing then stays missing.
"""

from django.db.backends.utils import CursorWrapper

from entries.models.pick import LATE_SETTING, VOID_SQL, PickSource
from entries.services.settlement.losses import PLAYING, STILL_IN

# Teams that can be filled in, each with its first game of those that had not started; `favoured`: by how much, none for
# underdogs.
SIDES = """
    CREATE TEMP TABLE settling_side ON COMMIT DROP AS
    SELECT side.*, CASE WHEN favoured > 0 THEN row_number() OVER (
               PARTITION BY favoured > 0 ORDER BY favoured DESC, kickoff_at, game_id) END AS place
    FROM (
        SELECT DISTINCT ON (t.team_id) t.team_id, g.id AS game_id, g.kickoff_at, t.favoured
        FROM pools_round r
        JOIN pools_game g ON g.round_id = r.id AND g.status NOT IN ('cancelled', 'postponed')
            AND g.locks_at >= r.locks_at AND (g.locks_at > r.locks_at OR NOT EXISTS (
                SELECT 1 FROM pools_game o WHERE o.round_id = r.id AND o.locks_at > r.locks_at))
        CROSS JOIN LATERAL (VALUES (g.home_id, g.home_spread), (g.away_id, -g.home_spread)) t (team_id, favoured)
        WHERE r.id = %(round)s ORDER BY t.team_id, g.kickoff_at, g.id
    ) side
"""

LACKING = f"""
    CREATE TEMP TABLE settling_lack ON COMMIT DROP AS
    SELECT e.id AS entry_id, s.pool_id, s.round_id, s.number, s.version, slots.slot, s.reuse_limit,
           s.reuse_reset_round, s.missed_pick = 'fallback' AS by_list,
           'favourite' IN (s.missed_pick, CASE s.missed_pick WHEN 'fallback' THEN s.missed_pick_then END) AS by_spread,
           row_number() OVER (PARTITION BY e.id ORDER BY slots.slot) AS nth
    FROM settling_round s
    JOIN settling_pool p ON p.pool_id = s.pool_id AND p.from_round <= s.number AND p.ended IS NULL
    JOIN (VALUES (1), (2)) slots (slot) ON slots.slot <= s.wanted
    JOIN entries_entry e ON e.pool_id = s.pool_id
    WHERE s.round_id = %(round)s AND s.fills_in AND {PLAYING} AND {STILL_IN}
      -- Once, and never against a ruling: a pick that was filled in or ruled on is not missing if it is gone.
      AND NOT EXISTS (SELECT 1 FROM entries_fillinattempt a WHERE (a.entry_id, a.round_id) = (e.id, s.round_id))
      AND NOT EXISTS (SELECT 1 FROM entries_pickchange c WHERE (c.entry_id, c.round_id) = (e.id, s.round_id)
                      AND (c.source IN ('fallback', 'favourite') OR c.ruling_id IS NOT NULL))
      AND NOT EXISTS (SELECT 1 FROM entries_pick k
                      WHERE k.entry_id = e.id AND k.round_id = s.round_id AND k.slot = slots.slot)
"""

# Each wish once per game, in the order of preference; the nth missing pick gets the nth wish that is allowed.
CHOOSE = f"""
    CREATE TEMP TABLE settling_fill ON COMMIT DROP AS
    WITH who AS (
        SELECT DISTINCT entry_id, pool_id, round_id, number, reuse_limit, reuse_reset_round, by_list, by_spread
        FROM settling_lack
    ), lock AS (
        -- A round whose games are brought forward into the past has locked when that was written down.
        SELECT greatest(r.locks_at, max(c.at)) AS at
        FROM pools_round r
        LEFT JOIN pools_game g ON g.round_id = r.id
        LEFT JOIN pools_gamechange c ON c.game_id = g.id
            AND c.before ->> 'kickoff_at' IS DISTINCT FROM c.after ->> 'kickoff_at'
        WHERE r.id = %(round)s GROUP BY r.id
    ), wish AS (
        SELECT w.entry_id, side.team_id, side.game_id, '{PickSource.FALLBACK}' AS source, 1 AS tier, listed.place
        FROM who w CROSS JOIN lock
        CROSS JOIN LATERAL (
            SELECT team_ids FROM entries_fallbackchange c
            WHERE c.entry_id = w.entry_id AND c.at <= lock.at ORDER BY c.id DESC LIMIT 1
        ) list
        CROSS JOIN LATERAL unnest(list.team_ids) WITH ORDINALITY listed (team_id, place)
        JOIN settling_side side ON side.team_id = listed.team_id
        WHERE w.by_list
        UNION ALL
        SELECT w.entry_id, side.team_id, side.game_id, '{PickSource.FAVOURITE}', 2, side.place
        FROM who w JOIN settling_side side ON side.place IS NOT NULL
        WHERE w.by_spread
    ), used AS (
        SELECT k.entry_id, k.team_id, count(*) AS times
        FROM who w
        JOIN entries_pick k ON k.entry_id = w.entry_id
        JOIN pools_round r ON r.id = k.round_id
        JOIN pools_game g ON g.id = k.game_id
        CROSS JOIN LATERAL (SELECT tie, cancelled_game FROM pools_rules
                            WHERE pool_id = w.pool_id AND effective_round_number <= r.number
                            ORDER BY version DESC LIMIT 1) rules
        WHERE (w.reuse_reset_round IS NULL OR (r.number >= w.reuse_reset_round) = (w.number >= w.reuse_reset_round))
          AND NOT ({VOID_SQL})
        GROUP BY k.entry_id, k.team_id
    ), allowed AS (
        SELECT wish.*, row_number() OVER (PARTITION BY wish.entry_id, wish.game_id ORDER BY tier, place) AS in_game
        FROM wish
        JOIN who w ON w.entry_id = wish.entry_id
        LEFT JOIN used u ON (u.entry_id, u.team_id) = (wish.entry_id, wish.team_id)
        WHERE coalesce(u.times, 0) < w.reuse_limit
          AND NOT EXISTS (SELECT 1 FROM entries_pick k WHERE k.entry_id = wish.entry_id AND k.round_id = w.round_id
                          AND (k.game_id = wish.game_id OR k.team_id = wish.team_id))
    ), chosen AS (
        SELECT *, row_number() OVER (PARTITION BY entry_id ORDER BY tier, place) AS nth FROM allowed WHERE in_game = 1
    )
    SELECT l.entry_id, l.round_id, l.slot, c.team_id, c.game_id, c.source, l.version
    FROM settling_lack l JOIN chosen c USING (entry_id, nth)
"""

INSERT = """
    INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce, picked_at)
    SELECT entry_id, round_id, slot, team_id, game_id, source, version, replace(gen_random_uuid()::text, '-', ''),
           clock_timestamp()
    FROM settling_fill WHERE source = %(source)s ORDER BY entry_id, slot
"""

GIVE_UP = """
    INSERT INTO entries_fillinattempt (entry_id, round_id)
    SELECT DISTINCT l.entry_id, l.round_id FROM settling_lack l
    WHERE NOT EXISTS (SELECT 1 FROM settling_fill f WHERE (f.entry_id, f.slot) = (l.entry_id, l.slot))
"""


def fill_in_missed(cursor: CursorWrapper, *, round_id: int) -> int:
    """Make the picks; how many. The entries are those still in after the rounds graded so far."""
    ask = {"round": round_id}
    cursor.execute(LACKING, ask)
    filled = 0
    if cursor.rowcount:
        cursor.execute("ANALYZE settling_lack")
        cursor.execute(SIDES, ask)
        cursor.execute(CHOOSE, ask)
        for source in (PickSource.FALLBACK, PickSource.FAVOURITE):
            cursor.execute("SELECT set_config(%s, %s, true)", [LATE_SETTING, str(source)])
            cursor.execute(INSERT, {"source": str(source)})
            filled += cursor.rowcount
        cursor.execute("SELECT set_config(%s, '', true)", [LATE_SETTING])
        cursor.execute(GIVE_UP)
        cursor.execute("DROP TABLE settling_side, settling_fill")
    cursor.execute("DROP TABLE settling_lack")
    return filled
