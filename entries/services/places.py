"""Places in a pool: who holds one, whether one is free, and the moment a place becomes an entry.

Whoever changes a place locks the pool first and the request second, in every service, so that no two of them can wait
for each other, and looks only then.
"""

from datetime import datetime
from enum import StrEnum

from django.db import transaction

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.errors import Code, Refused
from entries.models import Entry, PaymentStatus, Request, RequestStatus
from pools.models import Pool, PoolStatus
from pools.queries import registration_closes_at

# Payment states of an approved request that still owes its fee.
OWING = (PaymentStatus.PENDING, PaymentStatus.FAILED)


class Because(StrEnum):
    """Why money, though received, cannot become an entry."""

    NOT_APPROVED = "not_approved"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ALREADY_PAID = "already_paid"
    TOO_LATE = "too_late"
    POOL_CLOSED = "pool_closed"


class PlaceRefused(Refused):
    """The request gets no entry. The money, if any, is the caller's to keep and list: it must not be dropped."""

    def __init__(self, request: Request, because: Because) -> None:
        super().__init__(
            Code.PAYMENT_NOT_DUE,
            f"Request {request.pk} gets no entry: {because.replace('_', ' ')}.",
            {"request": request.pk, "because": because},
        )
        self.because = because


def lock_place(request: Request) -> tuple[Pool, Request]:
    """Lock the pool, then the request, until the end of the transaction; both as they stand now."""
    pool = Pool.objects.locked().get(pk=request.pool_id)
    return pool, Request.objects.select_related("user").locked().get(pk=request.pk)


def check_registration(pool: Pool, now: datetime) -> datetime | None:
    """When registration closes, None for never. Refuses with POOL_CLOSED once it has, or when the pool is not open."""
    if pool.status != PoolStatus.OPEN:
        raise Refused(
            Code.POOL_CLOSED, f"The pool is {pool.status}, not open for requests.", {"status": str(pool.status)}
        )
    closes_at = registration_closes_at(pool)
    if closes_at is not None and closes_at <= now:
        at = closes_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        raise Refused(Code.POOL_CLOSED, f"Registration closed at {at}.", {"registration_closes_at": at})
    return closes_at


def has_room(pool: Pool) -> bool:
    """Whether a place is free. Means something only while the caller holds the pool's lock."""
    return pool.capacity is None or pool.requests.holding_a_place().count() < pool.capacity


@transaction.atomic
def grant_place(
    *, request: Request, by: User | None, now: datetime, paid_at: datetime | None = None, waiver_reason: str = ""
) -> Entry:
    """Turn a paid (or waived) request into an entry, in the transaction that books the money.

    The caller holds the locks of pool and request, or takes them here. The fee counts as paid at `paid_at`, by
    default `now`: money sent within `pay_by` buys the place also when the news of it comes later, as long as the place
    is still held. With `waiver_reason` nothing was paid, and `by` answers for it.

    Raises `PlaceRefused` with the reason; nothing is changed then. The request handed in is brought up to date.
    """
    pool = Pool.objects.locked().get(pk=request.pool_id)
    request.refresh_from_db(from_queryset=Request.objects.locked())
    refusal = _refusal(pool, request, paid_at or now)
    if refusal is not None:
        raise PlaceRefused(request, refusal)
    attribute(by=by, reason=waiver_reason or "paid")
    request.payment_status = PaymentStatus.COMPLETED
    request.waived_by = by if waiver_reason else None
    request.waiver_reason = waiver_reason
    request.save(update_fields=["payment_status", "waived_by", "waiver_reason"])
    return make_entry(request)


def make_entry(request: Request) -> Entry:
    """The entry of an approved request that is paid or waived, and the mail that says so. For services alone."""
    entry = Entry.objects.create(
        request=request, pool_id=request.pool_id, user_id=request.user_id, number=request.number
    )
    outbox.post(kind="mail.entry_confirmed", key=f"entry-confirmed-{entry.pk}", payload={"entry": entry.pk})
    return entry


def note_payment_failed(*, request: Request) -> Request:
    """Remember that the last attempt to pay failed; the place stays held. Changes nothing unless the fee is owed."""
    return _note(request, PaymentStatus.FAILED, "a payment failed")


def note_payment_pending(*, request: Request) -> Request:
    """Remember that the player tries again. Changes nothing unless the fee is owed."""
    return _note(request, PaymentStatus.PENDING, "a payment was started")


@transaction.atomic
def _note(request: Request, target: PaymentStatus, reason: str) -> Request:
    _, request = lock_place(request)
    if request.status == RequestStatus.APPROVED and request.payment_status in OWING:
        attribute(reason=reason)
        request.payment_status = target
        request.save(update_fields=["payment_status"])
    return request


def _refusal(pool: Pool, request: Request, paid_at: datetime) -> Because | None:
    if request.status == RequestStatus.WITHDRAWN:
        return Because.WITHDRAWN
    if request.status == RequestStatus.EXPIRED:
        return Because.EXPIRED
    if request.status != RequestStatus.APPROVED:
        return Because.NOT_APPROVED
    if request.payment_status not in OWING:
        return Because.ALREADY_PAID
    if pool.status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        return Because.POOL_CLOSED
    if request.pay_by is not None and paid_at > request.pay_by:
        return Because.TOO_LATE
    return None
