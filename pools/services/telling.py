"""Telling live what only the clock does, and forgetting what was told long ago (`pools.models.event`)."""

from datetime import timedelta

from django.db import connection

from config.clock import database_now
from config.housekeeping import forgets
from pools.models import PoolEvent
from pools.models.event import KEPT_DAYS

# A lock is an instant; nothing is written when it passes. Rounds that are revealed have been told by that.
LOCKS = """
    INSERT INTO pools_poolevent (pool_id, kind, data, key)
    SELECT p.id, 'round.locked', jsonb_build_object(
               'round', r.number, 'locks_at', to_char(r.locks_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
           'locked-' || r.id
    FROM pools_round r
    JOIN pools_pool p ON p.competition_id = r.competition_id AND p.status IN ('open', 'running', 'finished')
        AND r.number BETWEEN p.first_round_number AND coalesce(p.ended_round_number, p.last_round_number)
    WHERE r.revealed_at IS NULL AND r.locks_at <= clock_timestamp()
        AND NOT EXISTS (SELECT 1 FROM pools_poolevent e WHERE e.pool_id = p.id AND e.key = 'locked-' || r.id)
    ORDER BY p.id ON CONFLICT (pool_id, key) DO NOTHING
"""


def tell_locks() -> int:
    """Tell of the rounds whose lock has passed and whose picks are still on their way; to how many pools."""
    with connection.cursor() as cursor:
        cursor.execute(LOCKS)
        return int(cursor.rowcount)


@forgets("events of pools", f"{KEPT_DAYS} days after they were told", task="pools.tasks.forget_old_events")
def forget_old_events(*, limit: int = 10_000) -> int:
    """Delete events that are older; how many. Whoever missed more begins with a new snapshot."""
    old = PoolEvent.objects.filter(at__lt=database_now() - timedelta(days=KEPT_DAYS)).order_by("at")
    deleted, _ = PoolEvent.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()
    return deleted
