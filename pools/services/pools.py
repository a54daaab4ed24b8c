"""The life of a pool, from draft to open to running, and its end before there is a winner.

A draft is invisible to players. What its fee and rounds are is fixed when it is made; a wrong draft is cancelled and
made again. Its rules can be revised until it opens; from then on they change by amendments.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.errors import Code, Conflict, Refused, invalid
from config.phrases import phrase, phrase_of
from config.versions import Seen
from pools.models import Competition, Pool, PoolStatus, Round, Rules
from pools.queries import first_lock_at, statistics
from pools.services import closing
from pools.services.pool_fields import check_fields
from pools.services.rules import check_rules, contest_of
from pools.services.unchanged import refuse_changed


class PoolHasPlaces(Conflict):
    """Somebody has a place in the pool; ending it would owe them money."""

    def __init__(self, count: int) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase_of(
                count,
                "The pool has {count} paid entry. It is cancelled together with giving their money back.",
                "The pool has {count} paid entries. It is cancelled together with giving their money back.",
            ),
            {"entries_total": count},
        )


class FirstLockPassed(Refused):
    """A pool that nobody could join any more."""

    def __init__(self, at: datetime) -> None:
        super().__init__(
            Code.POOL_CLOSED,
            phrase(
                "The pool's first round locked at {at:instant}: nobody could join. Choose a later first round.", at=at
            ),
            {"locks_at": at},
        )


def draft_of(*, competition: Competition, rules: Mapping[str, Any], **fields: Any) -> tuple[Pool, Rules]:
    """What `create_pool` would make of the same, not saved: to be looked at. Refuses what it refuses."""
    pool = Pool(competition=competition, **check_fields(competition, fields))
    switches = check_rules(rules, contest=contest_of(pool))
    return pool, Rules(pool=pool, version=1, effective_round_number=pool.first_round_number, **switches)


@transaction.atomic
def create_pool(
    *, competition: Competition, name: str, created_by: User | None, rules: Mapping[str, Any], **fields: Any
) -> Pool:
    """Make a draft with version 1 of its rules.

    `fields` are those of the pool: entry_fee_cents, currency, capacity, max_entries_per_user, registration_closes_at,
    first_round_number, last_round_number (default: the competition's last), pay_within_hours, minimum_age, countries,
    description, suspended_may_pick, chargeback_bearer. Raises VALIDATION_ERROR with field → messages, for rules as
    `rules.<key>`.
    """
    pool, made = draft_of(competition=competition, rules=rules, name=name, **fields)
    pool.created_by = made.created_by = created_by
    attribute(by=created_by, reason="made")
    pool.save(force_insert=True)
    # Its number is known only now.
    made.pool = pool
    made.save(force_insert=True)
    return pool


@transaction.atomic
def publish_pool(*, pool: Pool, by: User | None, now: datetime, allow_past: bool = False, seen: Seen = None) -> Pool:
    """Open a draft to players.

    Refuses anything but a draft, and a pool whose first round has locked, unless `allow_past`: a pool over rounds that
    are played already is joined by import alone. Refuses (VERSION_CONFLICT) one that is not as it was `seen`.
    """
    pool = Pool.objects.locked().get(pk=pool.pk)
    refuse_changed(pool, seen)
    pool.move_to(PoolStatus.OPEN)
    if not Rules.objects.filter(pool=pool).exists():
        raise invalid("rules", "The pool has no rules yet.")
    locks_at = first_lock_at(pool)
    if locks_at is not None and locks_at <= now and not allow_past:
        raise FirstLockPassed(locks_at)
    attribute(by=by, reason="published")
    pool.save(update_fields=["status"])
    return pool


@transaction.atomic
def cancel_pool(*, pool: Pool, by: User | None, reason: str, seen: Seen = None) -> Pool:
    """End a pool that nobody has paid for. Refuses one that has ended, one with entries, and one not as it was `seen`.

    The pool row is locked first, as for granting a place, so no entry can be born while we look.
    """
    pool = Pool.objects.locked().get(pk=pool.pk)
    refuse_changed(pool, seen)
    entries = statistics.pool_numbers([pool.pk])[pool.pk].entries_total
    if entries and pool.can_move_to(PoolStatus.CANCELLED):
        raise PoolHasPlaces(entries)
    return close_pool(pool=pool, by=by, reason=reason)


@transaction.atomic
def close_pool(*, pool: Pool, by: User | None, reason: str) -> Pool:
    """End a pool whatever places it has; whoever calls this gives their money back. Refuses one that has ended.

    Requests that wait for a decision or for their money end with it, in the same transaction. `pool.cancelled` and
    `pool.closed` are left in the outbox: for whoever came in at that moment, and for whoever keeps the money.
    """
    reason = reason.strip()
    if not reason:
        raise invalid("reason", "Say why; players will ask.")
    pool = Pool.objects.locked().get(pk=pool.pk)
    pool.move_to(PoolStatus.CANCELLED)
    attribute(by=by, reason=reason)
    pool.save(update_fields=["status"])
    closing.end_all(pool, by)
    # What the caller still writes is said to be done for the reason given.
    attribute(by=by, reason=reason)
    for kind in ("pool.cancelled", "pool.closed"):
        outbox.post(kind=kind, key=f"{kind.replace('.', '-')}-{pool.pk}", payload={"pool": pool.pk})
    return pool


@transaction.atomic
def start_due_pools(now: datetime) -> int:
    """Set open pools running whose first round has locked, in one statement; how many."""
    has_locked = Round.objects.filter(
        competition=OuterRef("competition"), number=OuterRef("first_round_number"), locks_at__lte=now
    )
    attribute(reason="the first round has locked")
    due = Pool.objects.filter(Exists(has_locked), status=PoolStatus.OPEN)
    return due.update(status=PoolStatus.RUNNING)
