"""What staff decide about a request, and who gets a place that falls free.

Only a pool whose registration has not closed gives places, and never more than its capacity: the pool row is
locked before places are counted. Nobody decides about a request of their own.
"""

import logging
from datetime import datetime, timedelta
from functools import cached_property

from django.db import Error, transaction

from accounts.models import User
from accounts.services.exclusions import Excluded, refuse_excluded
from config import outbox
from config.audit import attribute
from config.errors import Code, Conflict, Forbidden, Refused, invalid
from config.phrases import Name, phrase
from entries.models import PaymentStatus, Request, RequestKind, RequestStatus
from entries.services.places import (
    PlaceRefused,
    check_registration,
    has_room,
    lock_place,
    make_entry,
    places_left,
)
from pools.models import Pool

logger = logging.getLogger(__name__)

FREE_POOL = "Free pool"
REASON_LENGTH = 500


class PoolFull(Conflict):
    """Every place is held; the request can go on the waiting list."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(
            Code.POOL_FULL,
            phrase("All {capacity} places are taken.", capacity=pool.capacity),
            {"capacity": pool.capacity},
        )


@transaction.atomic
def approve_request(*, request: Request, by: User, now: datetime) -> Request:
    """Hold a place and start the payment clock; in a free pool, make the entry at once.

    Refuses with POOL_FULL, with POOL_CLOSED once registration has closed, with INVALID_TRANSITION anything that is not
    pending, with NOT_ELIGIBLE a closed account, with EXCLUDED a player who is, with FORBIDDEN the approver's own
    request. The fee and its currency are copied, so a later change of the pool changes nothing here; it is due by the
    pool's hours from now, and never later than registration closes.
    """
    pool, request = lock_place(request)
    return approve_locked(Admission(pool, now), request, by=by)


class Admission:
    """A locked pool as it takes people in: asked once, however many are approved before the transaction ends."""

    def __init__(self, pool: Pool, now: datetime) -> None:
        self.pool, self.now = pool, now

    @cached_property
    def closes_at(self) -> datetime | None:
        """When registration closes; refuses as `check_registration`."""
        return check_registration(self.pool, self.now)

    @cached_property
    def places_left(self) -> int | None:
        """None where there is no end of them. Whoever takes one counts it off."""
        return places_left(self.pool)


def approve_locked(admission: Admission, request: Request, *, by: User) -> Request:
    """`approve_request`, of a request that is locked, with its player, after its pool."""
    pool, now = admission.pool, admission.now
    _refuse_own(request, by)
    request.move_to(RequestStatus.APPROVED)
    _refuse_closed_account(request)
    refuse_excluded(user_id=request.user_id, now=now)
    closes_at = admission.closes_at
    if admission.places_left == 0:
        raise PoolFull(pool)
    attribute(by=by)
    request.decided_by = by
    _hold_place(pool, request, now=now, closes_at=closes_at)
    if request.payment_status == PaymentStatus.PENDING:
        post_request_mail("approved", request)
    if admission.places_left is not None:
        admission.places_left -= 1
    return request


@transaction.atomic
def reject_request(*, request: Request, by: User, now: datetime, reason: str) -> Request:
    """Turn a pending request down, with a reason that the player sees. Final: the number stays used.

    Refuses an empty or too long reason, anything that is not pending, and the decider's own request.
    """
    reason = checked_reason(reason)
    _, request = lock_place(request)
    _refuse_own(request, by)
    request.move_to(RequestStatus.REJECTED)
    attribute(by=by, reason=reason)
    request.reason, request.decided_at, request.decided_by = reason, now, by
    request.save(update_fields=["status", "reason", "decided_at", "decided_by"])
    post_request_mail("rejected", request)
    return request


@transaction.atomic
def waitlist_request(*, request: Request, by: User, now: datetime) -> Request:
    """Put a pending request at the end of a full pool's waiting list.

    That is the decision to let it in once a place falls free, so `by` stands as the one who decided. Refuses, besides
    what `approve_request` refuses, a request that is on the list already, and a pool with a free place: whoever is
    waiting then would wait for nothing.
    """
    pool, request = lock_place(request)
    _refuse_own(request, by)
    _refuse_unless_waitable(request)
    _refuse_closed_account(request)
    refuse_excluded(user_id=request.user_id, now=now)
    check_registration(pool, now)
    if has_room(pool):
        raise Conflict(Code.INVALID_TRANSITION, "The pool has a free place. Approve the request instead.")
    attribute(by=by, reason="put on the waiting list")
    request.waitlisted_at, request.decided_by = now, by
    request.save(update_fields=["waitlisted_at", "decided_by"])
    return request


@transaction.atomic
def promote_waiting(*, pool: Pool, now: datetime) -> list[Request]:
    """Approve from the waiting list, first come first, as long as places are free; returns who moved up.

    Called by whatever frees a place, in the same transaction. Does nothing once registration has closed. Players who
    closed their account meanwhile, or are excluded, are passed over.
    """
    pool = Pool.objects.locked().get(pk=pool.pk)
    try:
        closes_at = check_registration(pool, now)
    except Refused:
        return []
    waiting = pool.requests.waiting_list().filter(user__is_active=True).select_related("user")
    promoted: list[Request] = []
    passed_over: list[int] = []
    while has_room(pool) and (request := waiting.exclude(pk__in=passed_over).locked().first()) is not None:
        try:
            with transaction.atomic():
                promoted.append(_promote(pool, request, now=now, closes_at=closes_at))
        except Excluded:
            passed_over.append(request.pk)
        except (Error, Refused):  # one row that is refused must not keep the others from their place
            logger.exception("request %s could not move up", request.pk)
            passed_over.append(request.pk)
    return promoted


def _promote(pool: Pool, request: Request, *, now: datetime, closes_at: datetime | None) -> Request:
    refuse_excluded(user_id=request.user_id, now=now)
    attribute(reason="next on the waiting list")
    request.move_to(RequestStatus.APPROVED)
    _hold_place(pool, request, now=now, closes_at=closes_at)
    if request.payment_status == PaymentStatus.PENDING:
        post_request_mail("promoted", request)
    return request


def checked_reason(reason: str) -> str:
    """The reason without surrounding space. Refuses none, and more than a request can keep."""
    reason = reason.strip()
    if not reason:
        raise invalid("reason", "Say why: the player will read it.")
    if len(reason) > REASON_LENGTH:
        raise invalid("reason", phrase("At most {most} characters.", most=REASON_LENGTH))
    return reason


def post_request_mail(what: str, request: Request) -> None:
    """Leave a mail about what became of the request for after the commit; each is sent once per request."""
    name = f"buy_back_{what}" if request.kind == RequestKind.BUY_BACK else f"request_{what}"
    outbox.post(kind=f"mail.{name}", key=f"{name}-{request.pk}", payload={"request": request.pk})


def _hold_place(pool: Pool, request: Request, *, now: datetime, closes_at: datetime | None) -> None:
    """Write the approval of a request that has moved to approved, under the locks and after the checks."""
    request.decided_at = now
    request.fee_cents, request.currency = pool.entry_fee_cents, pool.currency
    if pool.entry_fee_cents:
        request.payment_status = PaymentStatus.PENDING
        pay_by = now + timedelta(hours=pool.pay_within_hours)
        request.pay_by = pay_by if closes_at is None else min(pay_by, closes_at)
    else:
        request.payment_status = PaymentStatus.COMPLETED
        request.waived_by, request.waiver_reason = request.decided_by, FREE_POOL
    request.save(
        update_fields=[
            "status", "payment_status", "fee_cents", "currency", "pay_by", "decided_at", "decided_by",
            "waived_by", "waiver_reason",
        ]
    )  # fmt: skip
    if request.payment_status == PaymentStatus.COMPLETED:
        try:
            make_entry(request)
        except PlaceRefused as refusal:
            raise Refused(Code.POOL_CLOSED, "Registration has just closed.") from refusal


def _refuse_own(request: Request, by: User) -> None:
    """A place is worth money: whoever plays does not also decide."""
    if request.user_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Nobody decides about a request of their own. Ask a colleague.")


def _refuse_closed_account(request: Request) -> None:
    if not request.user.is_active:
        raise Forbidden(Code.NOT_ELIGIBLE, "The player's account is not active.")


def _refuse_unless_waitable(request: Request) -> None:
    if request.status != RequestStatus.PENDING:
        raise Conflict(
            Code.INVALID_TRANSITION,
            phrase("A request that is {status} cannot wait for a place.", status=Name(request.status)),
        )
    if request.waitlisted_at is not None:
        raise Conflict(Code.INVALID_TRANSITION, "The request is on the waiting list already.")
