"""What was told of a pool, with the numbers that a commit gives."""

from typing import Any

from django.db import connection

from pools.models import Pool, PoolEvent


def number_now() -> None:
    """What a commit does at its end, inside a test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def told(pool: Pool) -> list[tuple[str, dict[str, Any]]]:
    """Kind and data of each event, in the order of their numbers, which run without a gap."""
    number_now()
    events = list(PoolEvent.objects.filter(pool=pool).order_by("number"))
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    return [(event.kind, event.data) for event in events]


def kinds(pool: Pool) -> list[str]:
    return [kind for kind, _ in told(pool)]
