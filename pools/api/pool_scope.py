"""Which pool an address speaks of: drafts are there for staff alone, as everywhere."""

from django.http import Http404
from rest_framework.request import Request

from accounts.models import User
from pools.models import Pool


def visible_pool(request: Request, pool_id: str) -> Pool:
    """The pool, if the caller may know of it."""
    is_staff = isinstance(request.user, User) and request.user.is_back_office
    pools = Pool.objects.all() if is_staff else Pool.objects.public()
    pool = pools.filter(pk=int(pool_id)).first()
    if pool is None:
        raise Http404
    return pool
