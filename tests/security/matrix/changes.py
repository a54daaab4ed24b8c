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
RANDOM = re.compile(r"[0-9a-f]{16,}|[0-9a-f]{8}-[0-9a-f-]{27}|gAAAA[\w=-]+|argon2\S+|[A-Za-z0-9_-]{20,}")


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s)", [list(ASIDE)]
        )
        return [name for (name,) in cursor.fetchall()]


class Written:
    """The rows that came about or were changed since it was made, within this transaction or after it."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            self.since = cursor.fetchone()[0]

    def rows(self) -> list[str]:
        """Sorted, each with its table, without what differs from try to try by design."""
        union = " UNION ALL ".join(
            f"SELECT '{name}', to_jsonb(t)::text FROM {name} t WHERE xmin::text::bigint >= {self.since}"  # noqa: S608
            for name in _tables()
        )
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
        if MOMENT.match(value) and abs(datetime.fromisoformat(value) - now) < timedelta(hours=2):
            return "now"
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
