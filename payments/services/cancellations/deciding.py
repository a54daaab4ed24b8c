"""Who cancels a pool: one member of staff proposes it with a reason that players read, another one confirms."""

from django.db import transaction

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.clock import ClockTimestamp
from config.constraints import explain
from config.errors import Code, Conflict, Forbidden, InvalidTransition, NotFound
from config.locks import allow_long_statements
from config.reasons import check_reason
from payments.models import Cancellation, CancellationState
from payments.services.cancellations.messages import post_run
from payments.services.cancellations.progress import paid_places, progress_of
from pools.models import Pool, PoolStatus
from pools.services.pools import close_pool

explain("cancellation_once", Code.VERSION_CONFLICT, "Cancelling this pool is proposed already.")
explain("cancellation_two_names", Code.FORBIDDEN, "Cancelling a pool needs two different names.")

# Each player once, however many places: the mail says what becomes of the money of all of them.
TOLD = """
    SELECT 'pool-cancelled-' || pool_id || '-' || user_id,
           jsonb_build_object('cancellation', %(cancellation)s::bigint, 'user', user_id)
    FROM entries_request WHERE pool_id = %(pool)s AND payment_status = 'completed'
    GROUP BY pool_id, user_id ORDER BY user_id
"""


class NothingToGiveBack(Conflict):
    """Nobody has paid: the pool is cancelled without any of this."""

    def __init__(self) -> None:
        super().__init__(
            Code.INVALID_TRANSITION, "Nobody has a paid place in this pool: it can be cancelled at once.", {}
        )


@transaction.atomic
def propose_cancellation(*, pool: Pool, by: User, reason: str) -> Cancellation:
    """Propose to end the pool and to give every fee back. Nothing changes until somebody else confirms.

    Refuses a pool that has ended, one without a paid place, a second proposal, and an empty reason.
    """
    reason = check_reason(reason)
    pool = Pool.objects.locked().get(pk=pool.pk)
    if not pool.can_move_to(PoolStatus.CANCELLED):
        raise InvalidTransition("pool", pool.status, PoolStatus.CANCELLED)
    if pool.cancellations.exclude(status=CancellationState.WITHDRAWN).exists():
        raise Conflict(Code.VERSION_CONFLICT, "Cancelling this pool is proposed already.")
    if not paid_places(pool).exists():
        raise NothingToGiveBack
    attribute(by=by, reason=reason)
    return Cancellation.objects.create(pool=pool, reason=reason, proposed_by=by)


@transaction.atomic
def confirm_cancellation(*, cancellation_id: int, by: User, seen: str | None = None) -> Cancellation:
    """End the pool at once; its places are given back from now on, batch after batch, in the background.

    `seen` is the fingerprint of the numbers that were looked at (`Progress.fingerprint`): refused with VERSION_CONFLICT
    where they are others by now.
    With the pool locked: a payment that arrives at this moment is either a place that is given back, or comes too late
    and goes back by itself. Refuses the proposer, what is decided already, and a pool that has ended meanwhile.
    """
    # Ending the requests of a big pool takes its time, and staff wait for it.
    allow_long_statements()
    cancellation = _lock(cancellation_id)
    if cancellation.status == CancellationState.PROPOSED and cancellation.proposed_by_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Whoever proposed it cannot confirm it: somebody else has to.")
    cancellation.move_to(CancellationState.RUNNING)
    if seen is not None and seen != progress_of(cancellation).fingerprint:
        raise Conflict(Code.VERSION_CONFLICT, "Places or money are others than you have seen: look at it again.")
    close_pool(pool=cancellation.pool, by=by, reason=cancellation.reason)
    cancellation.decided_by, cancellation.decided_at = by, ClockTimestamp()
    cancellation.places_total = paid_places(cancellation.pool).count()
    cancellation.save(update_fields=["status", "decided_by", "decided_at", "places_total"])
    outbox.post_many(
        kind="mail.pool_cancelled", rows=TOLD, params={"cancellation": cancellation.pk, "pool": cancellation.pool_id}
    )
    post_run(cancellation.pk)
    cancellation.refresh_from_db()
    return cancellation


@transaction.atomic
def withdraw_cancellation(*, cancellation_id: int, by: User) -> Cancellation:
    """Take a proposal back; another one can be made. Refuses one that is confirmed: money is on its way."""
    cancellation = _lock(cancellation_id)
    cancellation.move_to(CancellationState.WITHDRAWN)
    attribute(by=by, reason="withdrawn")
    cancellation.decided_by, cancellation.decided_at = by, ClockTimestamp()
    cancellation.save(update_fields=["status", "decided_by", "decided_at"])
    cancellation.refresh_from_db()
    return cancellation


def _lock(cancellation_id: int) -> Cancellation:
    """The cancellation as it stands, under its pool's lock."""
    pool_id = Cancellation.objects.filter(pk=cancellation_id).values_list("pool_id", flat=True).first()
    if pool_id is None:
        raise NotFound(Code.NOT_FOUND, "There is no such cancellation.")
    pool = Pool.objects.locked().get(pk=pool_id)
    cancellation = Cancellation.objects.locked().get(pk=cancellation_id)
    cancellation.pool = pool
    return cancellation
