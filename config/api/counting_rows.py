"""Counting calls in PostgreSQL: what doors that guard secrets, places and money do where Redis does not count."""

import hashlib

from django.db import connection
from django.db.models import F

from config.api.counting import Count, Window
from config.clock import database_now
from config.housekeeping import forgets
from config.models import RateLimitCounter


def add_one(window: Window) -> Count:
    """One statement that begins, continues or renews the window; rows are locked, so parallel calls count exactly."""
    key = hashlib.sha256(f"{window.name} {window.whom}".encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO config_ratelimitcounter AS c (key, count, ends_at)
            VALUES (%s, 1, clock_timestamp() + make_interval(secs => %s))
            ON CONFLICT (key) DO UPDATE SET
                count = CASE WHEN c.ends_at <= clock_timestamp() THEN 1 ELSE c.count + 1 END,
                ends_at = CASE WHEN c.ends_at <= clock_timestamp() THEN excluded.ends_at ELSE c.ends_at END
            RETURNING count, ceil(extract(epoch FROM ends_at - clock_timestamp()))::int
            """,
            [key, window.seconds],
        )
        used, left = cursor.fetchone()

    def take_back() -> None:
        RateLimitCounter.objects.filter(key=key, count__gt=0).update(count=F("count") - 1)

    return Count(used, max(left, 1), take_back)


@forgets("windows of rate limits", "when they end", task="config.tasks.forget_old_counters")
def forget_ended(*, limit: int = 10_000) -> int:
    """Delete windows that have ended, at most `limit` of them; how many."""
    ended = RateLimitCounter.objects.filter(ends_at__lt=database_now())
    keys = list(ended.order_by("ends_at").values_list("key", flat=True)[:limit])
    deleted, _ = RateLimitCounter.objects.filter(key__in=keys).delete()
    return deleted
