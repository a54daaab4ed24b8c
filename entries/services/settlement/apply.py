"""Writing the difference between the derived fates and what stands."""

from typing import NamedTuple

from django.db.backends.utils import CursorWrapper

from config.states import CORRECTION_SETTING

# What should stand, for every entry of the settled pools; only rows that differ are kept.
DIFFERENCE = """
    CREATE TEMP TABLE settling_change ON COMMIT DROP AS
    SELECT e.id, e.pool_id, e.status AS from_status, e.prize_cents AS from_prize, fresh.*
    FROM (SELECT DISTINCT pool_id FROM settling_round) pools
    JOIN entries_entry e ON e.pool_id = pools.pool_id AND e.status <> 'void'
    LEFT JOIN settling_end x ON x.pool_id = e.pool_id
    LEFT JOIN settling_winner w ON w.entry_id = e.id
    LEFT JOIN settling_prize prize ON prize.entry_id = e.id
    LEFT JOIN settling_fate f ON f.entry_id = e.id AND w.entry_id IS NULL AND f.number <= coalesce(x.number, f.number)
    CROSS JOIN LATERAL (
        SELECT count(*) AS losses FROM settling_loss l
        WHERE l.entry_id = e.id AND NOT l.is_fatal
          AND l.number <= coalesce(x.number, l.number) AND (f.number IS NULL OR l.number < f.number)
          AND NOT EXISTS (SELECT 1 FROM settling_revived v WHERE v.pool_id = l.pool_id AND v.number = l.number)
    ) lost
    CROSS JOIN LATERAL (
        SELECT CASE WHEN w.entry_id IS NOT NULL THEN 'winner'
                    WHEN f.entry_id IS NOT NULL THEN 'eliminated' ELSE 'active' END AS status,
               least(lost.losses, (SELECT max(strikes) FROM settling_round s WHERE s.pool_id = e.pool_id)) AS strikes,
               f.number AS eliminated_round_number, coalesce(f.code, '') AS eliminated_code,
               f.version AS rules_version, prize.cents AS prize_cents
    ) fresh
    WHERE (e.status, e.strikes, e.eliminated_round_number, e.eliminated_code, e.rules_version, e.prize_cents)
          IS DISTINCT FROM (fresh.status, fresh.strikes, fresh.eliminated_round_number, fresh.eliminated_code,
                            fresh.rules_version, fresh.prize_cents)
"""

# In the order of ids, like every other writer of entries: no deadlock with players who save picks.
LOCK = """
    SELECT count(*) FROM (
        SELECT 1 FROM entries_entry WHERE id IN (SELECT id FROM settling_change) ORDER BY id FOR NO KEY UPDATE
    ) locked
"""

WRITE = """
    UPDATE entries_entry e SET status = c.status, strikes = c.strikes, rules_version = c.rules_version,
        eliminated_round_number = c.eliminated_round_number, eliminated_code = c.eliminated_code,
        prize_cents = c.prize_cents
    FROM settling_change c WHERE c.id = e.id AND e.status <> 'void'
"""

FINISH = """
    UPDATE pools_pool p SET status = 'finished', settled_at = clock_timestamp(), ended_round_number = x.number
    FROM settling_end x WHERE x.pool_id = p.id AND p.status IN ('open', 'running')
"""

# A corrected result can also make a finished pool end in another round.
MOVE_END = """
    UPDATE pools_pool p SET ended_round_number = x.number
    FROM settling_end x
    WHERE x.pool_id = p.id AND p.status = 'finished' AND p.ended_round_number IS DISTINCT FROM x.number
"""

# A corrected result can take the end of a pool away again.
REOPEN = """
    UPDATE pools_pool p SET status = 'running', settled_at = NULL, ended_round_number = NULL
    WHERE p.status = 'finished' AND p.id IN (SELECT pool_id FROM settling_round)
      AND NOT EXISTS (SELECT 1 FROM settling_end x WHERE x.pool_id = p.id)
"""


class Difference(NamedTuple):
    """How many entries changed, and to what."""

    eliminated: int = 0
    revived: int = 0
    winners: int = 0
    unseated: int = 0
    adjusted: int = 0
    pools_finished: int = 0
    pools_reopened: int = 0

    @property
    def is_nothing(self) -> bool:
        return not any(self)


COUNT = """
    SELECT count(*) FILTER (WHERE status = 'eliminated' AND from_status <> 'eliminated'),
           count(*) FILTER (WHERE from_status = 'eliminated' AND status <> 'eliminated'),
           count(*) FILTER (WHERE status = 'winner' AND from_status <> 'winner'),
           count(*) FILTER (WHERE from_status = 'winner' AND status <> 'winner'),
           count(*) FILTER (WHERE status = from_status)
    FROM settling_change
"""


def apply_difference(cursor: CursorWrapper) -> Difference:
    """Write what differs. Terminal states move only because this transaction says that it is a settlement."""
    cursor.execute("SELECT set_config(%s, 'settlement', true)", [CORRECTION_SETTING])
    cursor.execute("CREATE INDEX ON settling_winner (entry_id)")
    cursor.execute("CREATE INDEX ON settling_fate (entry_id)")
    cursor.execute("ANALYZE settling_winner, settling_fate, settling_prize")
    cursor.execute(DIFFERENCE)
    cursor.execute("ANALYZE settling_change")
    cursor.execute(LOCK)
    cursor.execute(WRITE)
    cursor.execute(COUNT)
    counts = cursor.fetchone()
    cursor.execute(FINISH)
    finished = cursor.rowcount
    cursor.execute(MOVE_END)
    cursor.execute(REOPEN)
    return Difference(*counts)._replace(pools_finished=finished, pools_reopened=cursor.rowcount)
