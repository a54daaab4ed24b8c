"""What else ends with a pool. Pools know nothing of requests; the app that keeps them says so when Django starts:

    closing.register(end_requests)

Without one, nothing else ends.
"""

from collections.abc import Callable

from accounts.models import User
from pools.models import Pool

# Called with a pool that was just cancelled, which is locked, in the same transaction, and with who did it.
Ender = Callable[[Pool, User | None], object]

_registered: list[Ender] = []


def register(ender: Ender) -> None:
    """Make this the one who ends what hangs on a pool. The last one registered is asked."""
    _registered[:] = [ender]


def end_all(pool: Pool, by: User | None) -> None:
    """End whatever hangs on the pool."""
    for ender in _registered:
        ender(pool, by)
