"""Which rounds' picks may be shown.

A round is revealed once its lock has passed *and* every transaction that could have saved a pick before the lock has
ended: picks share the round's advisory lock, revealing takes it alone. That is a fact which never changes again, so
the first to learn it writes it into `Round.revealed_at`, be it the scheduler or a reader; afterwards nobody waits.
"""

from django.db import connection, transaction
from django.db.utils import OperationalError

from entries.models.pick import REVEAL_LOCK
from pools.models import Round

# A reader waits this long for picks in flight, then treats the round as still secret.
PATIENCE = "250ms"


def revealed_rounds(competition_id: int) -> set[int]:
    """Ids of the competition's rounds whose picks anybody may see."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, revealed_at IS NOT NULL FROM pools_round"
            " WHERE competition_id = %s AND locks_at <= clock_timestamp()",
            [competition_id],
        )
        rows = cursor.fetchall()
    return {round_id for round_id, known in rows if known or reveal_round(round_id)}


def is_revealed(round_: Round) -> bool:
    """Whether this round's picks may be shown."""
    return round_.revealed_at is not None or reveal_round(round_.pk)


def due_rounds() -> list[int]:
    """Ids of all rounds that have locked and are not known to be revealed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM pools_round WHERE revealed_at IS NULL AND locks_at <= clock_timestamp() ORDER BY locks_at"
        )
        return [row[0] for row in cursor.fetchall()]


def reveal_round(round_id: int) -> bool:
    """Reveal the round if its lock has passed and no pick is in flight; say whether it is revealed."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT locks_at <= clock_timestamp() FROM pools_round WHERE id = %s", [round_id])
            row = cursor.fetchone()
            if row is None or not row[0]:
                return False
            # Only after the lock has passed: whoever joins the shared lock from now on is refused by the clock.
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [REVEAL_LOCK, round_id])
            cursor.execute(
                "UPDATE pools_round SET revealed_at = clock_timestamp() WHERE id = %s AND revealed_at IS NULL",
                [round_id],
            )
    except OperationalError:
        return False
    return True
