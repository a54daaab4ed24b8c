"""What differs between the derived fates and what stands, and writing it."""

from typing import NamedTuple

from django.db.backends.utils import CursorWrapper

from config import outbox
from config.states import CORRECTION_SETTING
from entries.services.settlement.telling import tell_fates

# Entries whose fate was open at the first round looked at, but for those that are simply still in, as before.
DIFFERENCE = """
    CREATE TEMP TABLE settling_change ON COMMIT DROP AS
    SELECT e.id, e.pool_id, e.status AS from_status, e.eliminated_round_number AS from_round,
           e.prize_cents AS from_prize_cents, fresh.*
    FROM (
        SELECT entry_id AS id FROM settling_loss WHERE is_out
        UNION SELECT entry_id FROM settling_strike
        UNION SELECT entry_id FROM settling_place WHERE class < 2
        UNION SELECT e.id FROM settling_pool p JOIN entries_entry e ON e.pool_id = p.pool_id
              WHERE (e.status IN ('eliminated', 'winner') OR e.strikes > 0)
                AND (e.eliminated_round_number IS NULL OR e.eliminated_round_number >= p.from_round)
    ) touched
    JOIN entries_entry e ON e.id = touched.id AND e.status <> 'void'
    JOIN settling_pool p ON p.pool_id = e.pool_id
        AND (e.eliminated_round_number IS NULL OR e.eliminated_round_number >= p.from_round)
    LEFT JOIN settling_loss l ON l.entry_id = e.id AND l.is_out
    LEFT JOIN settling_strike t ON t.entry_id = e.id
    LEFT JOIN settling_place w ON w.entry_id = e.id AND w.class < 2
    LEFT JOIN settling_place prize ON prize.entry_id = e.id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN w.class = 0 THEN 'winner'
                    WHEN l.entry_id IS NOT NULL OR w.class = 1 THEN 'eliminated' ELSE 'active' END AS status,
               CASE WHEN l.entry_id IS NOT NULL THEN l.nth - 1 ELSE coalesce(t.losses, 0) END AS strikes,
               CASE WHEN w.class = 0 THEN NULL WHEN l.entry_id IS NOT NULL THEN l.number
                    WHEN w.class = 1 THEN p.ended END AS eliminated_round_number,
               CASE WHEN w.class = 0 THEN '' WHEN l.entry_id IS NOT NULL THEN l.code
                    WHEN w.class = 1 THEN 'tiebreak' ELSE '' END AS eliminated_code,
               CASE WHEN w.class = 0 THEN NULL WHEN l.entry_id IS NOT NULL THEN l.version
                    WHEN w.class = 1 THEN w.version END AS rules_version,
               prize.prize_cents
    ) fresh
    WHERE (e.status, e.strikes, e.eliminated_round_number, e.eliminated_code, e.rules_version, e.prize_cents)
          IS DISTINCT FROM (fresh.status, fresh.strikes, fresh.eliminated_round_number, fresh.eliminated_code,
                            fresh.rules_version, fresh.prize_cents)
    {locked}
"""

# Pools before entries, like whoever grants a place: those that end, reopen or end elsewhere.
LOCK_POOLS = """
    SELECT 1 FROM pools_pool p JOIN settling_pool x ON x.pool_id = p.id
    WHERE x.ended IS NOT NULL OR x.ended_before IS NOT NULL ORDER BY p.id FOR NO KEY UPDATE OF p
"""

# Whoever fell earlier can still win or lose a prize when a pool ends or reopens.
EARLIER_PRIZES = """
    INSERT INTO settling_change
    SELECT e.id, e.pool_id, e.status, e.eliminated_round_number, e.prize_cents, e.status, e.strikes,
           e.eliminated_round_number, e.eliminated_code, e.rules_version, w.prize_cents
    FROM settling_pool p
    JOIN entries_entry e ON e.pool_id = p.pool_id AND e.status <> 'void' AND e.eliminated_round_number < p.from_round
    LEFT JOIN settling_place w ON w.entry_id = e.id
    WHERE e.prize_cents IS DISTINCT FROM w.prize_cents
    {locked}
"""

# Locked as they are found, in the order of ids like every other writer of entries: no deadlock with players who save.
LOCKED = "ORDER BY e.id FOR NO KEY UPDATE OF e"

WRITE = """
    UPDATE entries_entry e SET status = c.status, strikes = c.strikes, rules_version = c.rules_version,
        eliminated_round_number = c.eliminated_round_number, eliminated_code = c.eliminated_code,
        prize_cents = c.prize_cents
    FROM settling_change c WHERE c.id = e.id AND e.status <> 'void'
"""

FINISH = """
    UPDATE pools_pool p SET status = 'finished', settled_at = clock_timestamp(), ended_round_number = x.ended
    FROM settling_pool x WHERE x.pool_id = p.id AND x.ended IS NOT NULL AND p.status IN ('open', 'running')
"""

# A corrected result can also make a finished pool end in another round.
MOVE_END = """
    UPDATE pools_pool p SET ended_round_number = x.ended
    FROM settling_pool x
    WHERE x.pool_id = p.id AND p.status = 'finished' AND p.ended_round_number <> x.ended
"""

# A corrected result can take the end of a pool away again.
REOPEN = """
    UPDATE pools_pool p SET status = 'running', settled_at = NULL, ended_round_number = NULL
    FROM settling_pool x WHERE x.pool_id = p.id AND x.ended IS NULL AND p.status = 'finished'
"""


# Pools whose end came, went or moved, or where anybody's prize is another one than before.
PRIZES_MOVED = """
    SELECT format('prizes-changed-by-settlement-%%s-%%s', %(settlement)s::bigint, pool_id),
           jsonb_build_object('pool', pool_id)
    FROM (SELECT pool_id FROM settling_pool WHERE ended IS DISTINCT FROM ended_before
          UNION
          SELECT pool_id FROM settling_change WHERE prize_cents IS DISTINCT FROM from_prize_cents) moved
    ORDER BY pool_id
"""


class Difference(NamedTuple):
    """How many entries changed, and to what; and how many pools ended, opened again, or ended in another round."""

    eliminated: int = 0
    revived: int = 0
    winners: int = 0
    unseated: int = 0
    adjusted: int = 0
    pools_finished: int = 0
    pools_reopened: int = 0
    filled_in: int = 0
    pools_moved: int = 0

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

COUNT_POOLS = """
    SELECT count(*) FILTER (WHERE x.ended IS NOT NULL AND p.status <> 'finished'),
           count(*) FILTER (WHERE x.ended IS NULL AND p.status = 'finished'),
           count(*) FILTER (WHERE x.ended <> p.ended_round_number AND p.status = 'finished')
    FROM settling_pool x JOIN pools_pool p ON p.id = x.pool_id
"""


def find_difference(cursor: CursorWrapper, *, to_write: bool) -> Difference:
    """Fill `settling_change`: the entries that differ from what stands, with what they were and will be.

    They are locked only when that is to be written: a look keeps nobody waiting.
    """
    locked = LOCKED if to_write else ""
    if to_write:
        cursor.execute(LOCK_POOLS)
    cursor.execute(DIFFERENCE.format(locked=locked))
    cursor.execute("SELECT 1 FROM settling_pool WHERE ended IS NOT NULL OR ended_before IS NOT NULL LIMIT 1")
    if cursor.fetchone():
        cursor.execute(EARLIER_PRIZES.format(locked=locked))
    cursor.execute("ANALYZE settling_change (id)")
    cursor.execute(COUNT)
    counts = cursor.fetchone()
    cursor.execute(COUNT_POOLS)
    finished, reopened, moved = cursor.fetchone()
    return Difference(*counts)._replace(pools_finished=finished, pools_reopened=reopened, pools_moved=moved)


def write_difference(cursor: CursorWrapper, *, settlement_id: int) -> None:
    """Write what differs, and tell it. Terminal states move only because this transaction says it is a settlement."""
    cursor.execute("SELECT set_config(%s, 'settlement', true)", [CORRECTION_SETTING])
    cursor.execute(WRITE)
    # After the tallies, from which it says how many are left; before the pools' ends, which follow from it.
    tell_fates(cursor, settlement_id=settlement_id)
    for statement in (FINISH, MOVE_END, REOPEN):
        cursor.execute(statement)
    cursor.execute("SELECT set_config(%s, '', true)", [CORRECTION_SETTING])


def post_prizes_moved(settlement_id: int) -> None:
    """Leave a message for each pool in which somebody's prize is another one by this settlement."""
    outbox.post_many(kind="prizes.changed", rows=PRIZES_MOVED, params={"settlement": settlement_id})
