"""Which rows were written, as rows that can be compared with those of another try."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from config.clock import database_now

# What an attempt leaves whatever it is of: what was sent, and what counts.
ASIDE = ("config_idempotencykey", "django_session", "django_migrations")
MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")
# Ids drawn at random, keys, hashes, what is encrypted anew each time.
RANDOM = re.compile(r"^[a-z2-7]{12}$|[0-9a-f]{16,}|[0-9a-f]{8}-[0-9a-f-]{27}|gAAAA[\w=-]+|argon2\S+|[A-Za-z0-9_-]{20,}")


# How many rows of each table this transaction has written, taken back or not. Of tables it wrote to alone.
COUNTS = """
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
        coalesce((SELECT jsonb_object_agg(name, rows) FROM (
            SELECT relname AS name, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid) AS rows
            FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL(%s)
        ) counted WHERE rows > 0), '{}')::text
"""


def _counts() -> tuple[int, dict[str, int]]:
    """The next transaction's id, and by table what this one has written."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [list(ASIDE)])
        since, rows = cursor.fetchone()
        return since, json.loads(rows)


class Written:
    """The rows that came about or were changed since it was made, within this transaction."""

    def __init__(self) -> None:
        self.since, self.before = _counts()

    def rows(self) -> list[str]:
        """Sorted, each with its table, without what differs from try to try by design."""
        _, after = _counts()
        # Most tables were not touched, and need not be looked through.
        union = " UNION ALL ".join(
            f"SELECT '{name}', to_jsonb(t)::text FROM {name} t WHERE xmin::text::bigint >= {self.since}"
            for name, count in after.items()
            if count != self.before.get(name)
        )
        if not union:
            return []
        now = database_now()
        with connection.cursor() as cursor:
            cursor.execute(union)
            return sorted(f"{name} {json.dumps(_plain(json.loads(row), now))}" for name, row in cursor.fetchall())


def _plain(value: Any, now: datetime) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one, now) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, now) for one in value]
    if isinstance(value, str):
        if MOMENT.match(value):
            return f"in {(datetime.fromisoformat(value) - now) / timedelta(hours=1):.0f} hours"
        return RANDOM.sub("random", value)
    return value


@contextmanager
def same_numbers() -> Iterator[None]:
    """Sequences go on from where they stood: what is written next has the ids of what is written now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(sequencename), last_value FROM pg_sequences WHERE schemaname = 'public'")
        stood = cursor.fetchall()
    yield
    with connection.cursor() as cursor:
        for name, value in stood:
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", [name, value or 1, value is not None])
