"""Places that are lost once they were paid for: the fee goes back, a dispute is lost, or is not decided yet.

Who calls this knows the money, and answers for it; here only the place is taken away. All of it can be done twice, and
whatever changes a fate or a pot leaves a mark for settlement, which derives the fates of all the others anew.
"""

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Conflict
from config.phrases import phrase
from config.states import correcting
from entries.models import Entry, EntryStatus, PaymentStatus, Reprieve, Request, RequestKind
from entries.services.approvals import promote_waiting
from entries.services.places import hurry_settlement, lock_place, post_prizes_changed
from pools.models import Pool, PoolStatus


class NothingPaid(Conflict):
    """The request has no fee that could go back."""

    def __init__(self, request: Request) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase("Request {request} is not paid: there is nothing to give back.", request=request.pk),
            {"from": str(request.payment_status), "to": str(PaymentStatus.REFUNDED)},
        )


@transaction.atomic
def take_place_back(*, request: Request, by: User | None, reason: str) -> Entry | None:
    """Take away what the fee has bought, because all of it goes back; gives the entry.

    A place becomes void, with its picks kept, and falls to the first on the waiting list; its number is free. Of a
    buy-back only the return is taken away: settlement puts the entry out again where it fell. The pot is without the
    fee. Refuses a request that is not paid; one whose fee went back already is left as it is.
    """
    pool, request = lock_place(request)
    if request.payment_status == PaymentStatus.REFUNDED:
        return _entry_of(request)
    if request.payment_status != PaymentStatus.COMPLETED:
        raise NothingPaid(request)
    attribute(by=by, reason=reason)
    entry = _entry_of(request)
    if request.kind == RequestKind.BUY_BACK:
        _revoke_return(request)
    elif entry is not None:
        _make_void(entry)
    request.payment_status = PaymentStatus.REFUNDED
    request.save(update_fields=["payment_status"])
    _hurry(pool, request, "refund")
    if request.kind == RequestKind.ENTRY:
        promote_waiting(pool=pool, now=database_now())
        # What the caller still writes is his doing, not the waiting list's.
        attribute(by=by, reason=reason)
    return entry


@transaction.atomic
def void_entry(*, entry: Entry, by: User | None, reason: str) -> Entry:
    """Take the entry out of the contest and leave its fee in the pot: a dispute was lost, and the house bears it.

    Its picks are kept, its place stays taken. A void entry is left as it is.
    """
    pool, request, entry = _lock(entry)
    if entry.status != EntryStatus.VOID:
        attribute(by=by, reason=reason)
        _make_void(entry)
        _hurry(pool, request, "void")
    return entry


@transaction.atomic
def lose_return(*, request: Request, by: User | None, reason: str) -> Request:
    """Take away what a buy-back has bought and leave its fee in the pot: a dispute was lost, and the house bears it.

    Settlement puts the entry out again where it fell. One that brought nobody back, or does no more, is left as it is.
    """
    pool, request = lock_place(request)
    attribute(by=by, reason=reason)
    _revoke_return(request)
    _hurry(pool, request, "return")
    return request


def suspend_entry(*, entry: Entry, by: User | None, reason: str) -> Entry:
    """Note that the entry's money is disputed. It plays on; where its pool says so, nobody picks for it meanwhile."""
    return _suspend(entry, True, by=by, reason=reason)


def lift_suspension(*, entry: Entry, by: User | None, reason: str) -> Entry:
    """Note that the dispute is over; what was missed meanwhile stays missed."""
    return _suspend(entry, False, by=by, reason=reason)


@transaction.atomic
def _suspend(entry: Entry, is_suspended: bool, *, by: User | None, reason: str) -> Entry:
    _, _, entry = _lock(entry)
    if entry.is_suspended != is_suspended:
        attribute(by=by, reason=reason)
        entry.is_suspended = is_suspended
        entry.save(update_fields=["is_suspended"])
    return entry


def _lock(entry: Entry) -> tuple[Pool, Request, Entry]:
    """The pool, the entry's own request and the entry, locked in this order."""
    pool, request = lock_place(entry.request)
    return pool, request, Entry.objects.locked().get(pk=entry.pk)


def _entry_of(request: Request) -> Entry | None:
    """The entry that the request made or brought back, locked after it."""
    entries = Entry.objects.locked()
    if request.kind == RequestKind.BUY_BACK:
        return entries.get(buy_backs=request)
    return entries.filter(request=request).first()


def _make_void(entry: Entry) -> None:
    """Past the map: somebody who is out, or has won, loses the place as well."""
    had_prize = entry.prize_cents is not None
    entry.status, entry.prize_cents = EntryStatus.VOID, None
    with correcting("refund"):
        entry.save(update_fields=["status", "prize_cents"])
    if had_prize:
        post_prizes_changed(entry)


def _revoke_return(request: Request) -> None:
    for reprieve in Reprieve.objects.locked().filter(request=request, revoked_at__isnull=True):
        reprieve.revoked_at = database_now()
        reprieve.save(update_fields=["revoked_at"])


def _hurry(pool: Pool, request: Request, because: str) -> None:
    """Not in a cancelled pool: nothing is settled there, and all of its places are taken back at once."""
    if pool.status != PoolStatus.CANCELLED:
        hurry_settlement(request, because)
