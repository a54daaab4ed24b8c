"""That the scheduler, the broker and a worker are all there: every fifteen seconds a task writes down that it was run.

Whoever of the three is away, the row grows old, and `outlast_beat_heartbeat_age` says so.
"""

from django.db import connection

from config import metrics

SCHEDULER = "scheduler"

metrics.counted_when_looked(
    "beat_heartbeat_age",
    "Seconds since a worker last did what the scheduler had asked for; none: never.",
    (),
    f"SELECT extract(epoch FROM clock_timestamp() - at) FROM config_heartbeat WHERE name = '{SCHEDULER}'",
)


def beat() -> None:
    """Write down that it was run, now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO config_heartbeat (name, at) VALUES (%s, clock_timestamp())
            ON CONFLICT (name) DO UPDATE SET at = excluded.at
            """,
            [SCHEDULER],
        )
