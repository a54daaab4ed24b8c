"""Deadlines that pass while a test watches.

lock_at(soon())
save()                # in time
wait_past(locks_at)   # and now it is over
"""

from datetime import datetime, timedelta

from django.db import connection

from config.clock import database_now

# What has to be in time takes a tenth of it, and on a busy machine several times that.
AHEAD = timedelta(seconds=2)


def soon() -> datetime:
    """An instant of the database's clock that leaves enough time for what a test does before it."""
    return database_now() + AHEAD


def wait_past(instant: datetime) -> None:
    """Until it is over, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(greatest(0, extract(epoch FROM %s - clock_timestamp())) + 0.05)", [instant])
