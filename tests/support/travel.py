"""Living through hours and days in a moment: for PostgreSQL and for the double it is later, on every connection.

    travel(hours=25)

A function of ours stands before PostgreSQL's own `clock_timestamp()`, found by the search path of every connection that
this process opens from then on, threads included. Triggers ask it, too; defaults of columns do not, and neither is
Python's own clock moved, which signatures are held against.
"""

from datetime import timedelta

from django.db import connection, connections

LATER = """
    CREATE SCHEMA IF NOT EXISTS travelled;
    CREATE OR REPLACE FUNCTION travelled.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
        SELECT pg_catalog.clock_timestamp() + make_interval(secs => current_setting('travelled.ahead')::float)
    $$;
"""


class Travel:
    """Goes forward only, like the double. `back()` ends it."""

    def __init__(self, double) -> None:
        self._double = double
        self._options = connection.settings_dict["OPTIONS"]
        self._before = self._options.get("options", "")
        self._ahead = timedelta()

    def __call__(self, **by) -> None:
        if not self._ahead:
            with connection.cursor() as cursor:
                cursor.execute(LATER)
        step = timedelta(**by)
        self._ahead += step
        self._double.advance(step.total_seconds())
        ahead = f"-c search_path=travelled,public,pg_catalog -c travelled.ahead={self._ahead.total_seconds()}"
        self._options["options"] = f"{self._before} {ahead}"
        connections.close_all()

    def back(self) -> None:
        """To the real now, for whoever connects next."""
        if self._ahead:
            self._options["options"] = self._before
            connections.close_all()
            with connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA travelled CASCADE")
