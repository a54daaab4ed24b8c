"""Places in a pool: who holds one, whether one is free, and the moment money makes an entry, or brings one back.

Whoever changes a place locks the pool first and the request second, in every service, so that no two of them can wait
for each other, and looks only then.
"""

from datetime import datetime
from enum import StrEnum

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services.exclusions import Excluded, refuse_excluded
from config import outbox
from config.audit import attribute
from config.clock import database_now
from config.constraints import explain
from config.errors import Code, Refused
from config.phrases import Name, phrase
from entries.models import Entry, EntryChange, EntryStatus, PaymentStatus, Reprieve, Request, RequestKind, RequestStatus
from pools.models import Pool, PoolStatus
from pools.queries import Joining, current_rules, joining, registration_closes_at

# Payment states of an approved request that still owes its fee.
OWING = (PaymentStatus.PENDING, PaymentStatus.FAILED)

# Met only by who did not ask `refuse_excluded`.
for _guard in ("request_of_excluded", "entry_of_excluded"):
    explain(_guard, Code.EXCLUDED, "The player is excluded from new places.")

# The database has the last word on both: it reads the clock with the round held, so that nobody reveals it before us.
RETURNS_IN_TIME, COMES_IN_TIME = "reprieve_before_lock", "entry_before_lock"


class Because(StrEnum):
    """Why money, though received, makes no entry and brings none back."""

    NOT_APPROVED = "not_approved"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ALREADY_PAID = "already_paid"
    TOO_LATE = "too_late"
    POOL_CLOSED = "pool_closed"
    ENTRY_VOID = "entry_void"
    NOT_NEEDED = "not_needed"
    PLAYER_GONE = "player_gone"
    EXCLUDED = "excluded"


class PlaceRefused(Refused):
    """The request gets no entry. The money, if any, is the caller's to keep and list: it must not be dropped."""

    def __init__(self, request: Request, because: Because) -> None:
        super().__init__(
            Code.PAYMENT_NOT_DUE,
            phrase(
                "Request {request} gets no entry: {because}.",
                request=request.pk,
                because=Name(because.replace("_", " ")),
            ),
            {"request": request.pk, "because": because},
        )
        self.because = because


def lock_place(request: Request) -> tuple[Pool, Request]:
    """Lock the pool, then the request, until the end of the transaction; both as they stand now."""
    pool = Pool.objects.locked().get(pk=request.pool_id)
    return pool, Request.objects.select_related("user").locked().get(pk=request.pk)


def check_registration(pool: Pool, now: datetime) -> datetime | None:
    """When registration closes, None for never.

    Refuses with POOL_CLOSED once it has, when the pool is neither open nor running with late entry, and when an entry
    that joins now would have missed more rounds than it may have strikes.
    """
    rules = current_rules(pool)
    takes_late = pool.status == PoolStatus.RUNNING and rules.late_entry_until is not None
    if pool.status != PoolStatus.OPEN and not takes_late:
        raise Refused(
            Code.POOL_CLOSED,
            phrase("The pool is {status}, not open for requests.", status=Name(pool.status)),
            {"status": str(pool.status)},
        )
    closes_at = registration_closes_at(pool, rules)
    if closes_at is not None and (closes_at <= now or _was_closed_meanwhile(pool)):
        at = closes_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        raise Refused(
            Code.POOL_CLOSED,
            phrase("Registration closed at {at:instant}.", at=closes_at),
            {"registration_closes_at": at},
        )
    if joining(pool, rules, now) is None:
        raise Refused(
            Code.POOL_CLOSED,
            phrase(
                "Whoever joins now has missed too many rounds: each is a strike, and {strikes} are allowed.",
                strikes=rules.strikes,
            ),
            {"strikes": rules.strikes},
        )
    return closes_at


def _was_closed_meanwhile(pool: Pool) -> bool:
    """Whether it was closed while the caller, whose `now` is from before, waited for the pool."""
    return pool.registration_closes_at is not None and pool.registration_closes_at <= database_now()


def has_room(pool: Pool) -> bool:
    """Whether a place is free. Means something only while the caller holds the pool's lock."""
    return places_left(pool) != 0


def places_left(pool: Pool) -> int | None:
    """How many places are free, None for any number; as `has_room`. A pool that was made smaller has none."""
    if pool.capacity is None:
        return None
    return max(pool.capacity - pool.requests.holding_a_place().count(), 0)


@transaction.atomic
def grant_place(
    *, request: Request, by: User | None, now: datetime, paid_at: datetime | None = None, waiver_reason: str = ""
) -> Entry:
    """Turn a paid (or waived) request into an entry, or into the return of the entry that it buys back in.

    In the transaction that books the money; the caller holds the locks of pool and request, or takes them here. The
    fee counts as paid at `paid_at`, by default `now`: money sent within `pay_by` buys the place also when the news of
    it comes later, as long as the place is still held. An entry that comes in late plays from the first round that has
    not locked when the news comes; a return needs the news before the lock of the round that it is for. With
    `waiver_reason` nothing was paid, and `by` answers for it.

    Raises `PlaceRefused` with the reason; nothing is changed then. The request handed in is brought up to date.
    """
    pool = Pool.objects.locked().get(pk=request.pool_id)
    request.refresh_from_db(from_queryset=Request.objects.locked())
    refusal = _refusal(pool, request, paid_at or now, now)
    if refusal is not None:
        raise PlaceRefused(request, refusal)
    attribute(by=by, reason=waiver_reason or "paid")
    try:
        with transaction.atomic():
            request.payment_status = PaymentStatus.COMPLETED
            request.waived_by = by if waiver_reason else None
            request.waiver_reason = waiver_reason
            request.save(update_fields=["payment_status", "waived_by", "waiver_reason"])
            return bring_back(request) if request.kind == RequestKind.BUY_BACK else make_entry(request)
    except PlaceRefused:
        request.refresh_from_db()
        raise


def make_entry(request: Request) -> Entry:
    """The entry of an approved request that is paid or waived, and the mail that says so. For services alone.

    Raises `PlaceRefused` when every round has locked that it could come in for.
    """
    rules = current_rules(request.pool)
    while (begins := joining(request.pool, rules, database_now())) is not None:
        try:
            entry = _insert_entry(request, begins)
        except IntegrityError as error:
            # The round has just locked: on with the next one, if there is one.
            if _refused_by(error) != COMES_IN_TIME:
                raise
        else:
            break
    else:
        raise PlaceRefused(request, Because.TOO_LATE)
    outbox.post(kind="mail.entry_confirmed", key=f"entry-confirmed-{entry.pk}", payload={"entry": entry.pk})
    if begins.strikes:
        hurry_settlement(request, "request")
    return entry


def bring_back(request: Request) -> Entry:
    """Bring the entry back that a paid request buys back in, and the mail that says so. For services alone.

    The losses of the rounds up to its return stop counting; settlement, which is hurried, makes it active again.
    Raises `PlaceRefused` once the round of its return has locked.
    """
    entry = _bought(request)
    try:
        with transaction.atomic():
            Reprieve.objects.create(
                entry=entry,
                from_round_number=request.round_number or 0,
                before_round_number=request.resumes_round_number or 0,
                request=request,
            )
    except IntegrityError as error:
        if _refused_by(error) != RETURNS_IN_TIME:
            raise
        raise PlaceRefused(request, Because.TOO_LATE) from error
    outbox.post(kind="mail.buy_back_confirmed", key=f"buy-back-confirmed-{request.pk}", payload={"request": request.pk})
    hurry_settlement(request, "request")
    return entry


def hurry_settlement(request: Request, because: str) -> None:
    """What was just written left a mark for settlement; this only makes it look at once. Each cause once."""
    outbox.post(
        kind="results.arrived",
        key=f"results-{because}-{request.pk}",
        payload={"competition": request.pool.competition_id},
    )


def post_prizes_changed(entry: Entry) -> None:
    """The entry itself won or lost a prize by what was just done; settlement tells of all the others.

    The last row of its history makes the message one of its own, however often that happens.
    """
    last = EntryChange.objects.filter(subject_id=entry.pk).order_by("-id").values_list("pk", flat=True).first()
    outbox.post(kind="prizes.changed", key=f"prizes-changed-by-change-{last}", payload={"pool": entry.pool_id})


def post_closed(request: Request) -> None:
    """An approved request has ended unpaid: a payment of its fee, if one is open, is for nothing now."""
    if request.fee_cents:
        outbox.post(kind="request.closed", key=f"request-closed-{request.pk}", payload={"request": request.pk})


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


def _refusal(pool: Pool, request: Request, paid_at: datetime, now: datetime) -> Because | None:
    if request.status == RequestStatus.WITHDRAWN:
        return Because.WITHDRAWN
    if request.status == RequestStatus.EXPIRED:
        return Because.EXPIRED
    if request.status != RequestStatus.APPROVED:
        return Because.NOT_APPROVED
    if request.payment_status not in OWING:
        return Because.ALREADY_PAID
    if not request.user.is_active:
        return Because.PLAYER_GONE
    if _is_excluded(request, now):
        return Because.EXCLUDED
    if pool.status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        return Because.POOL_CLOSED
    if request.pay_by is not None and paid_at > request.pay_by:
        return Because.TOO_LATE
    return _refusal_of_return(request) if request.kind == RequestKind.BUY_BACK else None


def _is_excluded(request: Request, now: datetime) -> bool:
    """Whenever the money was sent: who is excluded by now gets no place for it."""
    try:
        refuse_excluded(user_id=request.user_id, now=now)
    except Excluded:
        return True
    return False


def _refusal_of_return(request: Request) -> Because | None:
    """A correction may have undone the fall, or a ruling may have taken the place, since the request was made."""
    entry = _bought(request)
    if entry.status == EntryStatus.VOID:
        return Because.ENTRY_VOID
    has_fallen = entry.status == EntryStatus.ELIMINATED and entry.eliminated_round_number == request.round_number
    return None if has_fallen else Because.NOT_NEEDED


def _bought(request: Request) -> Entry:
    """The entry that buys back in, locked: no settlement moves it before we commit."""
    return Entry.objects.locked().get(buy_backs=request)


@transaction.atomic
def _insert_entry(request: Request, begins: Joining) -> Entry:
    return Entry.objects.create(
        request=request,
        pool_id=request.pool_id,
        user_id=request.user_id,
        number=request.number,
        first_round_number=begins.first_round,
    )


def _refused_by(error: IntegrityError) -> str:
    """The name of the guard."""
    return str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", ""))
