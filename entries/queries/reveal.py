"""Which picks may be shown: those of rounds, and where each game locks for itself, of games that are revealed.

A round or a game is revealed once its lock has passed *and* every transaction that could have saved a pick before the
lock has ended: picks share the round's advisory lock, revealing takes it alone. That is a fact which never changes
again, so the first to learn it writes it into `revealed_at`, be it the scheduler or a reader; afterwards nobody waits.
"""

from collections.abc import Collection

from django.db import connection, transaction
from django.db.utils import OperationalError

from entries.models.pick import REVEAL_LOCK
from pools.models import Round

# A reader waits this long for picks in flight, then treats the round as still secret.
PATIENCE = "250ms"

# Something of round `r` has locked and is not revealed.
DUE = """
    (r.revealed_at IS NULL AND r.locks_at <= clock_timestamp() OR EXISTS (
        SELECT 1 FROM pools_game g
        WHERE g.round_id = r.id AND g.revealed_at IS NULL AND g.locks_at <= clock_timestamp()))
"""
STATES = f"SELECT r.id, r.revealed_at IS NOT NULL, {DUE} FROM pools_round r WHERE"

# Only after the lock has passed is the advisory lock asked for: whoever joins it from then on is refused by the clock.
# Rows that an import holds are left for the next call: it may be waiting for the very lock that is taken here.
REVEAL = """
    WITH due AS MATERIALIZED (
        SELECT r.id, r.revealed_at IS NULL AND r.locks_at <= clock_timestamp() AS is_due,
               ARRAY(SELECT g.id FROM pools_game g WHERE g.round_id = r.id AND g.revealed_at IS NULL
                     AND g.locks_at <= clock_timestamp()) AS games
        FROM pools_round r WHERE r.id = ANY(%(rounds)s)
    ), taken AS MATERIALIZED (
        SELECT * FROM due WHERE CASE WHEN is_due OR games <> '{}' THEN pg_try_advisory_xact_lock(%(lock)s, id::int) END
    ), games AS (
        UPDATE pools_game SET revealed_at = clock_timestamp() WHERE id IN (
            SELECT g.id FROM taken t JOIN pools_game g ON g.round_id = t.id AND g.id = ANY(t.games)
            WHERE g.revealed_at IS NULL AND g.locks_at <= clock_timestamp() FOR NO KEY UPDATE OF g SKIP LOCKED)
    ), rounds AS (
        UPDATE pools_round SET revealed_at = clock_timestamp() WHERE id IN (
            SELECT r.id FROM taken t JOIN pools_round r ON r.id = t.id AND t.is_due
            WHERE r.revealed_at IS NULL AND r.locks_at <= clock_timestamp() FOR NO KEY UPDATE OF r SKIP LOCKED)
        RETURNING id
    )
    SELECT d.id, EXISTS (SELECT 1 FROM taken t WHERE t.id = d.id), EXISTS (SELECT 1 FROM rounds r WHERE r.id = d.id)
    FROM due d WHERE d.is_due OR d.games <> '{}'
"""


def revealed_rounds(competition_id: int) -> set[int]:
    """Ids of the competition's rounds that are revealed, after revealing what is due, games included."""
    return _brought_up_to_date("r.competition_id = %s", competition_id)


def is_revealed(round_: Round) -> bool:
    """Whether this round is revealed, after revealing what of it is due."""
    return bool(_brought_up_to_date("r.id = %s", round_.pk))


def due_rounds() -> list[int]:
    """Ids of all rounds that have locked, or have games that have, and are not known to be revealed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM pools_round WHERE revealed_at IS NULL AND locks_at <= clock_timestamp()
            UNION SELECT round_id FROM pools_game WHERE revealed_at IS NULL AND locks_at <= clock_timestamp()
            """
        )
        return sorted(row[0] for row in cursor.fetchall())


def reveal_rounds(round_ids: Collection[int]) -> set[int]:
    """Reveal what of these rounds has locked and has no pick in flight; ids of the rounds that are revealed by it.

    One statement for all that nobody is busy with; the others are waited for a moment, one by one.
    """
    revealed, busy = _reveal(round_ids)
    for round_id in busy:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
                cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [REVEAL_LOCK, round_id])
                # Inside a caller's transaction the little patience would be the caller's for all that follows.
                cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
                revealed |= _reveal([round_id])[0]
        except OperationalError:
            continue
    return revealed


def _brought_up_to_date(which: str, key: int) -> set[int]:
    revealed, due = _states(which, key)
    if due:
        reveal_rounds(due)
        # Looked at again: somebody else may have been the one who revealed them.
        revealed, _ = _states(which, key)
    return revealed


def _states(which: str, key: int) -> tuple[set[int], list[int]]:
    with connection.cursor() as cursor:
        cursor.execute(f"{STATES} {which}", [key])
        states = cursor.fetchall()
    return {row[0] for row in states if row[1]}, [row[0] for row in states if row[2]]


def _reveal(round_ids: Collection[int]) -> tuple[set[int], list[int]]:
    """The rounds that are revealed by this statement, and those that somebody was busy with."""
    with connection.cursor() as cursor:
        cursor.execute(REVEAL, {"rounds": list(round_ids), "lock": REVEAL_LOCK})
        rows = cursor.fetchall()
    revealed = {round_id for round_id, _, is_revealed in rows if is_revealed}
    return revealed, [round_id for round_id, is_taken, _ in rows if not is_taken]
