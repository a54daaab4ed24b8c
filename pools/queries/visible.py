"""Which pools somebody may know of, at whatever door they ask."""

from typing import Any

from accounts.models import User
from pools.models.pool import Pool, PoolQuerySet


def visible_pools(viewer: Any) -> PoolQuerySet:
    """All pools for staff; for everybody else, signed in or not, all but drafts."""
    is_staff = isinstance(viewer, User) and viewer.is_back_office
    return Pool.objects.all() if is_staff else Pool.objects.public()
