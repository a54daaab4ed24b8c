"""Taking back places, and offers to buy back in, that nobody paid for in time; giving free places to those who wait.

A sweep, safe to run twice at once and to be killed anywhere: each request is expired in a transaction of its own, and
one that fails never keeps the others. Money that arrives for an expired request is kept and listed by whoever books
it (`PlaceRefused`); it does not bring the place back.
"""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q

from config.audit import attribute
from entries.models import PaymentStatus, Request, RequestKind, RequestStatus
from entries.models.request import RequestQuerySet
from entries.services.approvals import post_request_mail, promote_waiting
from entries.services.places import OWING, post_closed
from pools.models import Pool, Round

logger = logging.getLogger(__name__)

BATCH = 200
_askers: list[Callable[[Request], bool]] = []


def spare_while(is_paying: Callable[[Request], bool]) -> None:
    """Ask this before a request expires: money sent in time may still be on its way, and only its taker knows."""
    if is_paying not in _askers:
        _askers.append(is_paying)


def expire_unpaid(*, now: datetime, seconds: float = 45.0) -> int:
    """Expire approved requests whose time to pay is over, and promote the waiting; returns how many expired.

    Stops after `seconds`; the next sweep goes on. Requests whose pool is being worked on are left to the next sweep.
    """
    deadline, expired = time.monotonic() + seconds, 0
    for request_id, pool_id in _due(now):
        if time.monotonic() > deadline:
            break
        try:
            expired += _expire(request_id, pool_id, now)
        except Exception:  # one bad row must not keep the others; it is tried again by the next sweep
            logger.exception("request %s could not be expired", request_id)
    return expired


def promote_everywhere(*, now: datetime) -> int:
    """Fill places that fell free without anybody seeing it, as when a pool was made larger; returns how many."""
    promoted = 0
    for pool in _pools_with_room_and_a_list():
        try:
            promoted += len(promote_waiting(pool=pool, now=now))
        except Exception:  # as above, for pools
            logger.exception("the waiting list of pool %s could not move up", pool.pk)
    return promoted


def _due(now: datetime) -> Iterator[tuple[int, int]]:
    """Ids of requests and their pools, longest overdue first, read in batches so that memory stays bounded."""
    rows = _overdue(Request.objects.all(), now).order_by("pay_by", "id").values_list("id", "pool_id", "pay_by")
    batch = list(rows[:BATCH])
    while batch:
        for request_id, pool_id, _ in batch:
            yield request_id, pool_id
        last_id, _, last_pay_by = batch[-1]
        batch = list(rows.filter(Q(pay_by__gt=last_pay_by) | Q(pay_by=last_pay_by, id__gt=last_id))[:BATCH])


def _overdue(requests: RequestQuerySet, now: datetime) -> RequestQuerySet:
    """Also a buy-back whose round has locked before its time, because a kickoff was moved to an earlier one."""
    has_locked = Round.objects.filter(
        competition=OuterRef("pool__competition"), number=OuterRef("resumes_round_number"), locks_at__lte=now
    )
    return requests.filter(
        Q(pay_by__lt=now) | Q(Exists(has_locked), kind=RequestKind.BUY_BACK),
        status=RequestStatus.APPROVED,
        payment_status__in=OWING,
    )


@transaction.atomic
def _expire(request_id: int, pool_id: int, now: datetime) -> bool:
    """Whether the request was still due. Lost races with a payment or another sweep leave it as it is.

    So does a payment that is open: whoever takes the money ends it, and the next sweep finds the request again.
    """
    pool = Pool.objects.locked(skip_busy=True).filter(pk=pool_id).first()
    request = _overdue(Request.objects.locked(skip_busy=True), now).filter(pk=request_id).first()
    if pool is None or request is None or any(is_paying(request) for is_paying in _askers):
        return False
    attribute(reason="not paid in time")
    request.move_to(RequestStatus.EXPIRED)
    request.payment_status = PaymentStatus.NOT_DUE
    request.save(update_fields=["status", "payment_status"])
    post_request_mail("expired", request)
    post_closed(request)
    if request.kind == RequestKind.ENTRY:
        promote_waiting(pool=pool, now=now)
    return True


def _pools_with_room_and_a_list() -> list[Pool]:
    """A hint, read without locks; `promote_waiting` looks again under the pool's lock."""
    holds = Q(requests__status=RequestStatus.APPROVED, requests__kind=RequestKind.ENTRY) & ~Q(
        requests__payment_status=PaymentStatus.REFUNDED
    )
    return list(
        Pool.objects.in_play()
        .filter(pk__in=Request.objects.waiting_list().order_by().values("pool_id"))
        .annotate(held=Count("requests", filter=holds))
        .filter(Q(capacity__isnull=True) | Q(held__lt=F("capacity")))
    )
