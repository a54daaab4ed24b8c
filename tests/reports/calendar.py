"""Days of a story, long past, the same in every run: what happens on a day bears its instant, to the second.

    with calendar.on("2026-01-10 15:00"):
        ...

What the product asks PostgreSQL for the time is answered by a function of ours, as in `tests.support.clock`. Defaults
of columns do not ask it, so what bears the real now is set to the story's when the day is over; names that are drawn by
lot become those of their row. Guards refuse both, so the calendar works as a replica, where they rest.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.db import connection

STOPPED = """
    CREATE SCHEMA IF NOT EXISTS story;
    CREATE OR REPLACE FUNCTION story.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS $$ SELECT current_setting('story.at')::timestamptz $$;
"""
COLUMNS = """
    SELECT quote_ident(c.table_name), quote_ident(c.column_name)
    FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
      AND c.data_type = 'timestamp with time zone' AND c.table_name ~ '^(accounts|config|entries|payments|pools)_'
    ORDER BY 1, 2
"""
FIRST_NUMBERS = """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences
    WHERE schemaname = 'public' AND sequencename !~ '^(django|auth)_'
"""
# Whatever was drawn by lot, and what quotes it.
NAMES = """
    UPDATE payments_journalentry j SET source_id = md5('refund ' || f.id)::uuid::text
        FROM payments_refund f WHERE j.source_type = 'refund' AND j.source_id = f.ref::text;
    UPDATE payments_refund SET ref = md5('refund ' || id)::uuid;
    UPDATE payments_journalentry j SET source_id = md5('payout ' || p.id)::uuid::text
        FROM payments_payout p WHERE j.source_type = 'payout' AND j.source_id = p.ref::text;
    UPDATE payments_payout SET ref = md5('payout ' || id)::uuid;
    UPDATE payments_payment SET ref = md5('payment ' || id)::uuid;
"""


def instant(text: str) -> datetime:
    """An instant of the story, in UTC: `2026-01-10 15:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Calendar:
    """The story's time, on this connection. Days are told in their order, and every table is empty before the first."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_catalog.clock_timestamp() - interval '1 minute'")
            (self._began,) = cursor.fetchone()
            cursor.execute(STOPPED)
            cursor.execute(FIRST_NUMBERS)
            cursor.execute(COLUMNS)
            self._columns = cursor.fetchall()

    @contextmanager
    def on(self, text: str) -> Iterator[datetime]:
        """It is this instant, until the block ends."""
        at = instant(text)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('story.at', %s, false)", [at.isoformat()])
            cursor.execute("SET search_path = story, public, pg_catalog")
        try:
            yield at
            self._write_down(at)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SET search_path = public, pg_catalog")

    def _write_down(self, at: datetime) -> None:
        """What bears the real now bears the story's from here on."""
        tables: dict[str, list[str]] = {}
        for table, column in self._columns:
            tables.setdefault(table, []).append(column)
        changes = [
            f"UPDATE {table} SET "
            + ", ".join(f"{one} = CASE WHEN {is_now(one)} THEN %(at)s ELSE {one} END" for one in columns)
            + " WHERE "
            + " OR ".join(map(is_now, columns))
            for table, columns in tables.items()
        ]
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("SET session_replication_role = replica")
            for change in changes:
                cursor.execute(change, {"at": at, "began": self._began})
            cursor.execute(NAMES)
            cursor.execute("SET session_replication_role = origin")

    def end(self) -> None:
        """The real time again, for whatever is asked of this connection afterwards."""
        with connection.cursor() as cursor:
            cursor.execute("RESET search_path")
            cursor.execute("DROP SCHEMA IF EXISTS story CASCADE")


def is_now(column: str) -> str:
    """SQL of whether the column bears the real now. Deadlines of the future are none."""
    return f"{column} BETWEEN %(began)s AND pg_catalog.clock_timestamp()"
