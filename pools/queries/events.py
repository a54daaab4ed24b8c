"""What was told of pools, as those who listen ask for it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

# One query for all pools that anybody listens to, each from its own number on.
SINCE = """
    SELECT e.pool_id, e.number, e.kind, e.at, e.data
    FROM unnest(%(pools)s::bigint[], %(seen)s::bigint[]) AS heard (pool_id, number)
    JOIN pools_poolevent e ON e.pool_id = heard.pool_id AND e.number > heard.number
    ORDER BY e.pool_id, e.number LIMIT %(limit)s
"""

# Drafts are not there for anybody who is not known.
LAST = """
    SELECT coalesce(c.last, 0) FROM pools_pool p LEFT JOIN pools_pooleventcount c ON c.pool_id = p.id
    WHERE p.id = %s AND p.status <> 'draft'
"""


class Told(NamedTuple):
    """A row of `PoolEvent`."""

    pool_id: int
    number: int
    kind: str
    at: datetime
    data: Mapping[str, Any]


def told_since(seen: Mapping[int, int], limit: int) -> list[Told]:
    """Of these pools what is newer than the number that was seen, by pool and number."""
    with connection.cursor() as cursor:
        cursor.execute(SINCE, {"pools": list(seen), "seen": list(seen.values()), "limit": limit})
        # Django leaves JSON to its fields; a cursor gives its text.
        return [
            Told(pool_id, number, kind, at, json.loads(data)) for pool_id, number, kind, at, data in cursor.fetchall()
        ]


def last_told(pool_id: int) -> int | None:
    """The number of the pool's newest event, 0 before the first; None for a pool that the public does not see."""
    with connection.cursor() as cursor:
        cursor.execute(LAST, [pool_id])
        row = cursor.fetchone()
    return None if row is None else int(row[0])
