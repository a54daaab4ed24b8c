"""What a pool does about places whose payment is disputed: whether they pick on, and who bears a lost dispute."""

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.errors import Code, Conflict
from config.phrases import Name, phrase
from pools.models import Pool, PoolStatus


class PoolIsOver(Conflict):
    """Nothing of a pool changes once it has ended."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase("The pool is {status}; nothing of it changes.", status=Name(pool.status)),
            {"status": str(pool.status)},
        )


@transaction.atomic
def change_dispute_rules(*, pool: Pool, by: User, suspended_may_pick: bool, chargeback_bearer: str) -> Pool:
    """Set both, for every dispute from now on. Refuses a pool that has ended."""
    pool = Pool.objects.locked().get(pk=pool.pk)
    if pool.status in (PoolStatus.FINISHED, PoolStatus.CANCELLED):
        raise PoolIsOver(pool)
    if (pool.suspended_may_pick, pool.chargeback_bearer) != (suspended_may_pick, chargeback_bearer):
        attribute(by=by, reason="what happens in a dispute")
        pool.suspended_may_pick, pool.chargeback_bearer = suspended_may_pick, chargeback_bearer
        pool.save(update_fields=["suspended_may_pick", "chargeback_bearer"])
    return pool
