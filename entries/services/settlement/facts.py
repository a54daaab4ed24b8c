"""What there is to settle: the pools, their rounds with the rules that govern them, and where the facts have changed.

Of every round that was settled, `SettledRound` keeps a fingerprint of what it was settled on. Settling starts, pool by
pool, at the first round whose fingerprint differs, or earlier where a `SettlementMark` says so; what stands before
that round is taken as it is. Nothing to do costs a look at some dozens of rows.
"""

from django.db.backends.utils import CursorWrapper

# Per round of the competition: what its games have come to.
GAMES = """
    CREATE TEMP TABLE settling_games ON COMMIT DROP AS
    SELECT r.id AS round_id, r.number, r.locks_at,
           coalesce(bool_or(g.status IN ('final', 'cancelled', 'postponed')), false) AS begun,
           -- A round that every game has left is complete, and nobody missed it.
           coalesce(bool_and(g.status IN ('final', 'cancelled', 'postponed')), true) AS decided,
           coalesce(bool_and(g.revealed_at IS NOT NULL OR g.status IN ('cancelled', 'postponed')), true) AS started,
           string_agg(concat_ws(',', g.id, g.status, g.home_score, g.away_score, g.revealed_at IS NOT NULL), ';'
                      ORDER BY g.id) AS print
    FROM pools_round r LEFT JOIN pools_game g ON g.round_id = r.id
    WHERE r.competition_id = %(competition)s AND r.revealed_at IS NOT NULL
    GROUP BY r.id
"""

# Per pool and revealed round, with the rules that govern it. `chained`: complete, and so is every round before it.
# `late_open`: somebody may still join, so nobody has won yet; `may_come_back`: somebody who fell in it may.
ROUNDS = """
    CREATE TEMP TABLE settling_round ON COMMIT DROP AS
    SELECT p.id AS pool_id, f.round_id, f.number, f.locks_at, f.begun, kind.closed,
           kind.closed AND f.decided AS complete, false AS chained, false AS is_revived,
           rules.version, rules.lock, rules.strikes, rules.tie, rules.cancelled_game, rules.missed_pick,
           rules.missed_pick_then, kind.wanted, rules.reuse_limit, rules.reuse_reset_round, rules.all_out,
           rules.last_round, rules.payout, rules.payout_table,
           rules.missed_pick IN ('favourite', 'fallback') AS fills_in,
           rules.missed_pick IN ('eliminate', 'favourite')
               OR rules.missed_pick = 'fallback' AND rules.missed_pick_then <> 'strike' AS miss_is_fatal,
           coming.late_open, coming.may_come_back,
           md5(concat_ws('|', f.print, rules.version, kind.closed, coming.late_open, coming.may_come_back))
               AS fingerprint
    FROM pools_pool p
    JOIN settling_games f ON f.number BETWEEN p.first_round_number AND p.last_round_number
    CROSS JOIN LATERAL (
        SELECT * FROM pools_rules
        WHERE pool_id = p.id AND effective_round_number <= f.number ORDER BY version DESC LIMIT 1
    ) rules
    CROSS JOIN LATERAL (
        SELECT rules.lock = 'round' OR f.started AS closed,
               CASE WHEN f.number = ANY(rules.two_pick_rounds) THEN 2 ELSE rules.picks_per_round END AS wanted
    ) kind
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT 1 FROM pools_round r WHERE r.competition_id = p.competition_id
                       AND r.number = rules.late_entry_until AND r.revealed_at IS NULL) AS late_open,
               f.number < p.last_round_number AND f.number <= coalesce(rules.buy_back_until, 0) AND coalesce((
                   SELECT r.revealed_at IS NULL FROM pools_round r
                   WHERE r.competition_id = p.competition_id AND r.number > f.number ORDER BY r.number LIMIT 1), false)
                   AS may_come_back
    ) coming
    WHERE p.competition_id = %(competition)s AND p.status IN ('open', 'running', 'finished')
      -- A limit holds back what is not settled yet; it never takes back what is.
      AND (%(through)s::int IS NULL OR f.number <= greatest(%(through)s::int, (
            SELECT max(round_number) FROM entries_settledround WHERE pool_id = p.id AND is_begun)))
"""

# Marks are taken away as they are read; one that is not visible yet waits for the next settlement.
TAKE_MARKS = """
    CREATE TEMP TABLE settling_mark (pool_id bigint, from_round int) ON COMMIT DROP;
    WITH taken AS (
        DELETE FROM entries_settlementmark m USING pools_pool p
        WHERE p.id = m.pool_id AND p.competition_id = %(competition)s RETURNING m.pool_id, m.from_round_number
    )
    INSERT INTO settling_mark SELECT pool_id, min(from_round_number) FROM taken
    -- Before a pool's first reveal there is nothing to settle again.
    WHERE pool_id IN (SELECT pool_id FROM settling_round) GROUP BY pool_id
"""

POOLS = """
    CREATE TEMP TABLE settling_pool ON COMMIT DROP AS
    WITH changed AS (
        SELECT pool_id, min(number) AS number FROM (
            SELECT s.pool_id, s.number FROM settling_round s
            LEFT JOIN entries_settledround t ON (t.pool_id, t.round_number) = (s.pool_id, s.number)
            WHERE s.fingerprint IS DISTINCT FROM t.fingerprint
            UNION ALL
            -- Settled once, and not to be seen any more: an amended pool, a redrawn round.
            SELECT t.pool_id, t.round_number FROM pools_pool p JOIN entries_settledround t ON t.pool_id = p.id
            WHERE p.competition_id = %(competition)s AND %(through)s::int IS NULL AND NOT EXISTS (
                SELECT 1 FROM settling_round s WHERE (s.pool_id, s.number) = (t.pool_id, t.round_number))
            UNION ALL
            SELECT pool_id, from_round FROM settling_mark
        ) found GROUP BY pool_id
    )
    SELECT p.id AS pool_id, p.first_round_number, p.last_round_number, p.ended_round_number AS ended_before,
           greatest(CASE WHEN %(afresh)s THEN p.first_round_number ELSE changed.number END,
                    p.first_round_number) AS from_round,
           0::bigint AS alive, 0::bigint AS entries, NULL::int AS ended
    FROM pools_pool p LEFT JOIN changed ON changed.pool_id = p.id
    WHERE p.competition_id = %(competition)s AND p.status IN ('open', 'running', 'finished')
      AND (changed.number IS NOT NULL OR %(afresh)s)
      -- What happens after a pool's end is nothing to it.
      AND (p.ended_round_number IS NULL OR %(afresh)s OR changed.number <= p.ended_round_number)
"""

CHAIN = """
    UPDATE settling_round s SET chained = true
    FROM (SELECT r.pool_id, r.number, count(*) FILTER (WHERE r.complete) OVER (
                PARTITION BY r.pool_id ORDER BY r.number) AS complete, p.first_round_number
          FROM settling_round r JOIN settling_pool p USING (pool_id)) counted
    WHERE (s.pool_id, s.number) = (counted.pool_id, counted.number)
      AND s.complete AND counted.complete = s.number - counted.first_round_number + 1
"""

# How many are in play at the start: everybody but void places and those who fell before the first round looked at.
COUNT = """
    UPDATE settling_pool p SET alive = counted.alive, entries = counted.alive
    FROM (SELECT t.pool_id, sum(t.entries) AS alive
          FROM settling_pool q JOIN entries_entrytally t ON t.pool_id = q.pool_id
          WHERE t.status <> 'void' AND (t.eliminated_round_number = 0 OR t.eliminated_round_number >= q.from_round)
          GROUP BY t.pool_id) counted
    WHERE counted.pool_id = p.pool_id
"""

NUMBERS = """
    SELECT s.round_id, s.number, bool_or(s.wanted = 2), bool_or(s.fills_in)
    FROM settling_round s JOIN settling_pool p ON p.pool_id = s.pool_id AND p.from_round <= s.number
    GROUP BY s.round_id, s.number ORDER BY s.number
"""

REMEMBER = """
    INSERT INTO entries_settledround (pool_id, round_number, fingerprint, is_begun, is_revived)
    SELECT s.pool_id, s.number, s.fingerprint, s.begun, s.is_revived
    FROM settling_round s JOIN settling_pool p ON p.pool_id = s.pool_id AND p.from_round <= s.number
    ON CONFLICT (pool_id, round_number) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,
        is_begun = EXCLUDED.is_begun, is_revived = EXCLUDED.is_revived
"""

FORGET = """
    DELETE FROM entries_settledround t USING settling_pool p
    WHERE t.pool_id = p.pool_id AND %(through)s::int IS NULL AND NOT EXISTS (
        SELECT 1 FROM settling_round s WHERE (s.pool_id, s.number) = (t.pool_id, t.round_number))
"""


def gather_facts(cursor: CursorWrapper, *, competition_id: int, through: int | None, afresh: bool) -> bool:
    """Fill `settling_pool` and `settling_round`; whether there is anything to settle."""
    ask = {"competition": competition_id, "through": through, "afresh": afresh}
    cursor.execute(GAMES, ask)
    cursor.execute(ROUNDS, ask)
    for statement in TAKE_MARKS.split(";\n"):
        cursor.execute(statement, ask)
    cursor.execute("ANALYZE settling_games, settling_round, settling_mark")
    cursor.execute(POOLS, ask)
    if not cursor.rowcount:
        return False
    cursor.execute("DELETE FROM settling_round s WHERE NOT EXISTS (SELECT 1 FROM settling_pool p"
                   " WHERE p.pool_id = s.pool_id)")  # fmt: skip
    cursor.execute(CHAIN)
    cursor.execute(COUNT)
    cursor.execute("ANALYZE settling_pool, settling_round")
    return True


def rounds_to_settle(cursor: CursorWrapper) -> list[tuple[int, int, bool, bool]]:
    """In play order: id, number, whether any pool wants two picks in it, whether any fills in missed ones."""
    cursor.execute(NUMBERS)
    return [tuple(row) for row in cursor.fetchall()]


def remember_facts(cursor: CursorWrapper, *, through: int | None) -> None:
    """Keep the fingerprints of what was settled."""
    cursor.execute(REMEMBER)
    cursor.execute(FORGET, {"through": through})
