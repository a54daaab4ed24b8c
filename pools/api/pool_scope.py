"""Which pool an address speaks of: drafts are there for staff alone, as everywhere."""

from django.http import Http404
from rest_framework.request import Request

from pools.models import Pool
from pools.queries.visible import visible_pools


def visible_pool(request: Request, pool_id: str) -> Pool:
    """The pool, if the caller may know of it."""
    pool = visible_pools(request.user).filter(pk=int(pool_id)).first()
    if pool is None:
        raise Http404
    return pool
