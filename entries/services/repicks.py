"""Taking picks back under `cancelled_game = repick`: the game is off, or has left the round, before the pick locked.

The player is told, so that another team can be picked. What is known only after the lock is void, and stays.
"""

import logging
from typing import Any

from django.db import IntegrityError, connection, transaction

from config import outbox
from config.audit import REASON_SETTING
from entries.models.pick_guards import RELEASE_SETTING
from entries.queries.grades import CLOSES_AT_SQL, RULES_SQL
from entries.queries.picks import RELEASED

logger = logging.getLogger(__name__)

MAIL = "mail.pick_released"

COMPETITIONS = """
    SELECT DISTINCT p.competition_id FROM pools_pool p JOIN pools_rules rules ON rules.pool_id = p.id
    WHERE p.status IN ('open', 'running') AND rules.cancelled_game = 'repick' ORDER BY p.competition_id
"""

# From the games to their picks, along the index of round and team: most of the time there is no such game. That a game
# has left a round, its history tells.
STRANDED = f"""
    WITH lost AS MATERIALIZED (
        SELECT g.round_id, g.id, g.home_id, g.away_id, g.locks_at, false AS has_left FROM pools_game g
        WHERE g.competition_id = %(competition)s AND g.status IN ('cancelled', 'postponed')
        UNION
        SELECT left_round.id, g.id, g.home_id, g.away_id, g.locks_at, true
        FROM pools_game g
        JOIN pools_gamechange c ON c.game_id = g.id
        JOIN pools_round left_round ON left_round.id = (c.before ->> 'round_id')::bigint AND left_round.id <> g.round_id
        WHERE g.competition_id = %(competition)s
    )
    SELECT k.id, k.entry_id, r.number
    FROM lost g
    JOIN pools_round r ON r.id = g.round_id
    JOIN entries_pick k ON k.round_id = r.id AND k.team_id IN (g.home_id, g.away_id) AND k.game_id = g.id
    JOIN entries_entry e ON e.id = k.entry_id AND e.status = 'active'
    JOIN pools_pool p ON p.id = e.pool_id AND p.status IN ('open', 'running')
    {RULES_SQL}
    WHERE rules.cancelled_game = 'repick' AND {CLOSES_AT_SQL} > clock_timestamp()
      AND (rules.lock = 'round' OR g.has_left OR g.locks_at > clock_timestamp())
"""

# In the order of ids, like every other writer of entries: no deadlock with players who save picks.
LOCK_ENTRIES = f"""
    SELECT count(*) FROM (
        SELECT 1 FROM entries_entry WHERE id IN (SELECT entry_id FROM ({STRANDED}) stranded)
        ORDER BY id FOR NO KEY UPDATE
    ) locked
"""

LIST = f"CREATE TEMP TABLE released_pick ON COMMIT DROP AS {STRANDED}"
TAKE_BACK = "DELETE FROM entries_pick WHERE id IN (SELECT id FROM released_pick)"
SAY_WHY = f"SELECT set_config('{REASON_SETTING}', %(reason)s, true), set_config('{RELEASE_SETTING}', %(what)s, true)"

# No team is named: messages are read by staff.
MAILS = """
    SELECT 'pick-released-' || max(id), jsonb_build_object('entry', entry_id, 'rounds', jsonb_agg(DISTINCT number))
    FROM released_pick GROUP BY entry_id
"""


def release_due_picks() -> int:
    """Take back what must be in every competition; how many picks. One that fails does not keep the others waiting."""
    with connection.cursor() as cursor:
        cursor.execute(COMPETITIONS)
        competitions = [row[0] for row in cursor.fetchall()]
    released = 0
    for competition_id in competitions:
        try:
            released += release_picks(competition_id=competition_id)
        except Exception:
            logger.exception("taking picks back failed", extra={"competition": competition_id})
    return released


def release_picks(*, competition_id: int) -> int:
    """Take back every pick, under `repick`, whose game will not be played in its round; how many.

    Only picks that have not locked, of entries still in. Each entry gets one mail, in the same transaction. Whoever
    calls this in a transaction of his own remains the actor of the changes.
    """
    ask: dict[str, Any] = {"competition": competition_id}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({STRANDED})", ask)
        if not cursor.fetchone()[0]:
            return 0
    try:
        return _release(ask)
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) != "pick_before_lock":
            raise
        # A lock passed while we worked: those picks are void now, and the next call finds the others.
        return 0


@transaction.atomic
def _release(ask: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [REASON_SETTING])
        reason_before = cursor.fetchone()[0]
        cursor.execute(LOCK_ENTRIES, ask)
        cursor.execute(LIST, ask)
        cursor.execute(SAY_WHY, {"reason": RELEASED, "what": "released"})
        cursor.execute(TAKE_BACK)
        released = int(cursor.rowcount)
        cursor.execute(SAY_WHY, {"reason": reason_before, "what": ""})
        outbox.post_many(kind=MAIL, rows=MAILS, params={})
        # Inside a caller's transaction the table would outlive us.
        cursor.execute("DROP TABLE released_pick")
    return released
