"""The database's clock, set by hand: what the product asks PostgreSQL for the time, this answers.

    clock.at(lock - timedelta(milliseconds=1))

A function of ours stands before PostgreSQL's own `clock_timestamp()` on this connection, until the test's transaction
is rolled back. Triggers ask it, too; defaults of columns do not. So go forward only, and never before the real now.
"""

from datetime import datetime, timedelta

from django.db import connection

from config.clock import database_now

STOPPED = """
    CREATE SCHEMA stopped;
    CREATE FUNCTION stopped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS $$ SELECT current_setting('stopped.at')::timestamptz $$;
    SET LOCAL search_path = stopped, public, pg_catalog;
"""


class Clock:
    """Runs as usual until it is first set; stands still from then on."""

    def __init__(self) -> None:
        self._is_stopped = False

    def at(self, instant: datetime) -> None:
        """It is this instant now, for all that is asked on this connection."""
        assert connection.in_atomic_block, "only inside a test's transaction, which takes it back"
        assert instant >= database_now(), "time goes forward"
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('stopped.at', %s, true)", [instant.isoformat()])
            if not self._is_stopped:
                cursor.execute(STOPPED)
        self._is_stopped = True

    def just_before(self, instant: datetime) -> None:
        """One millisecond before."""
        self.at(instant - timedelta(milliseconds=1))
