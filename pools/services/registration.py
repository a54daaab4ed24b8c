"""Closing registration before its time."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.errors import Code, Conflict
from config.phrases import Name, phrase
from pools.models import Pool, PoolStatus
from pools.queries import registration_closes_at


class RegistrationIsClosed(Conflict):
    """Nobody can ask to join: there is nothing to close."""

    def __init__(self, at: datetime) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase("Registration closed at {at:instant}.", at=at),
            {"registration_closes_at": at},
        )


@transaction.atomic
def close_registration(*, pool: Pool, by: User) -> Pool:
    """Let nobody ask to join from this moment on, and nobody be approved who asked before.

    Who is approved keeps the place until the time to pay is over. Refuses a draft, a pool that has ended, and one whose
    registration has closed. Registration is not opened again.
    """
    # Whoever is approved holds the pool: they are through before, or find it closed.
    pool = Pool.objects.locked().get(pk=pool.pk)
    if pool.status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        raise Conflict(
            Code.INVALID_TRANSITION,
            phrase("The pool is {status}: nobody can ask to join.", status=Name(pool.status)),
            {"status": str(pool.status)},
        )
    closes_at = registration_closes_at(pool)
    if closes_at is not None and closes_at <= database_now():
        raise RegistrationIsClosed(closes_at)
    attribute(by=by, reason="registration closed")
    pool.registration_closes_at = ClockTimestamp()
    pool.save(update_fields=["registration_closes_at"])
    pool.refresh_from_db()
    return pool
