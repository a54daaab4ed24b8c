"""A pool that staff looked at before they edit it: its own row, and the newest version of its rules."""

from django.db.models import Model

from config.versions import Seen, refuse_stale
from pools.models import Pool
from pools.queries import current_rules


def edited_rows(pool: Pool) -> tuple[Model, ...]:
    """What staff edit of a pool; players who join change none of it."""
    return pool, current_rules(pool)


def refuse_changed(pool: Pool, seen: Seen) -> None:
    """Raise VERSION_CONFLICT unless the pool is as it was `seen`. Whoever calls has locked it."""
    if seen is not None:
        refuse_stale(seen, *edited_rows(pool))
