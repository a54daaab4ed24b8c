"""Any number of requests decided at once: written down first, then worked through in small transactions.

`start_bulk_decision` writes who decides what about which requests, and leaves a message; `run_bulk_decision` decides a
few at a time, as `decisions` does, and writes the result of each in the same transaction. So a process can be killed
anywhere: what is decided has its result, the rest waits, untouched, and the next worker goes on with it. Two at once do
nothing twice, because the bulk decision's row is locked before the pools; nobody who holds a pool asks for it.
"""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import Error, InterfaceError, OperationalError, transaction

from accounts.models import User
from config import outbox
from config.clock import ClockTimestamp, database_now
from config.constraints import meaning_of
from config.errors import Code, Conflict, DomainError, NotFound, invalid
from config.kept_phrases import recipe_of
from config.models import OutboxMessage
from config.phrases import phrase
from entries.models import (
    WITH_REASON,
    BulkDecision,
    BulkItem,
    BulkKind,
    BulkOutcome,
    BulkState,
    PaymentStatus,
    Request,
    RequestStatus,
)
from entries.models.bulk_decision import BulkItemQuerySet
from entries.services.approvals import checked_reason, reject_request, waitlist_request
from entries.services.decisions import Decision, approving, decide_each
from entries.services.requests import withdraw_request

logger = logging.getLogger(__name__)

RUN = "bulk_decision.run"
# As many in one transaction, which holds their pools: who pays meanwhile waits for no more than these.
BATCH = 20
MOST_REQUESTS = 10_000
# Well within the lease of an outbox message.
RUN_SECONDS = 45.0
PATIENCE_SECONDS = 2.0
LONGEST_MESSAGE = 500


def start_bulk_decision(*, kind: BulkKind, request_ids: Iterable[int], by: User, reason: str = "") -> BulkDecision:
    """Write down what is decided about which requests, for a worker, or for `run_bulk_decision` at once.

    Refuses none, more than `MOST_REQUESTS`, what is not there, and, where players read why, no reason.
    """
    reason = checked_reason(reason) if kind in WITH_REASON else ""
    wanted = sorted(set(request_ids))
    if not 0 < len(wanted) <= MOST_REQUESTS:
        raise invalid("requests", phrase("From 1 to {most} of them.", most=MOST_REQUESTS))
    with transaction.atomic():
        if Request.objects.filter(pk__in=wanted).count() != len(wanted):
            raise NotFound(Code.NOT_FOUND, "One of the requests is not there.")
        bulk = BulkDecision.objects.create(kind=kind, reason=reason, by=by)
        BulkItem.objects.bulk_create((BulkItem(bulk=bulk, request_id=pk) for pk in wanted), batch_size=1000)
        _post_run(bulk.pk)
    bulk.refresh_from_db()
    return bulk


def take_back_bulk_decision(*, bulk: BulkDecision, by: User, reason: str) -> BulkDecision:
    """Undo a bulk approval as far as nothing is paid: each request is withdrawn, with the reason, as a decision anew.

    An approval has no way back to pending; the number is free again, and the player may ask again. Refuses what was no
    approval, and one of which nothing is left that could be taken back.
    """
    unpaid = list(takeable(bulk).values_list("request_id", flat=True))
    if bulk.kind != BulkKind.APPROVE or not unpaid:
        raise Conflict(Code.INVALID_TRANSITION, "None of these is approved and unpaid.")
    return start_bulk_decision(kind=BulkKind.TAKE_BACK, request_ids=unpaid, by=by, reason=reason)


def takeable(bulk: BulkDecision) -> BulkItemQuerySet:
    """What it approved and nobody has paid for yet."""
    owing = (PaymentStatus.PENDING, PaymentStatus.FAILED)
    return bulk.items.filter(
        outcome=BulkOutcome.DONE, request__status=RequestStatus.APPROVED, request__payment_status__in=owing
    )


@transaction.atomic
def stop_bulk_decision(*, bulk: BulkDecision, by: User) -> BulkDecision:
    """Leave what was not decided yet as it is. Refuses one that has ended."""
    bulk = BulkDecision.objects.locked().get(pk=bulk.pk)
    bulk.move_to(BulkState.STOPPED)
    bulk.stopped_by, bulk.finished_at = by, ClockTimestamp()
    bulk.save(update_fields=["status", "stopped_by", "finished_at"])
    bulk.items.filter(outcome=BulkOutcome.WAITING).update(outcome=BulkOutcome.LEFT)
    bulk.refresh_from_db()
    return bulk


def run_bulk_decision(*, bulk_id: int, seconds: float = RUN_SECONDS) -> bool:
    """Decide what waits, a few at a time, until none is left or the time is over; whether it has ended.

    Returns at once where somebody else is at it.
    """
    deadline = time.monotonic() + seconds
    while _step(bulk_id):
        if time.monotonic() > deadline:
            return False
    return not BulkDecision.objects.filter(pk=bulk_id, status=BulkState.RUNNING).exists()


def run_while_somebody_waits(*, bulk_id: int) -> None:
    """As far as it comes within `PATIENCE_SECONDS`; a worker goes on, also where somebody holds a pool for longer."""
    try:
        run_bulk_decision(bulk_id=bulk_id, seconds=PATIENCE_SECONDS)
    except OperationalError:
        logger.info("bulk decision %s is left to a worker", bulk_id)


def sweep_bulk_decisions() -> int:
    """Go on with those that nobody goes on with: the message was given up, or lost. How many."""
    found = 0
    for bulk_id in BulkDecision.objects.filter(status=BulkState.RUNNING).values_list("pk", flat=True):
        if not _is_under_way(bulk_id):
            with transaction.atomic():
                _post_run(bulk_id)
            found += 1
    return found


@outbox.handler(RUN)
def _go_on(payload: dict[str, int]) -> None:
    if not run_bulk_decision(bulk_id=payload["bulk"]):
        with transaction.atomic():
            # Somebody else is at it, or has died at it a moment ago.
            _post_run(payload["bulk"], delay=timedelta(seconds=1))


def _post_run(bulk_id: int, *, delay: timedelta = timedelta()) -> None:
    outbox.post(kind=RUN, key=f"bulk-decision-{bulk_id}-{uuid4()}", payload={"bulk": bulk_id}, delay=delay)


def _is_under_way(bulk_id: int) -> bool:
    waiting = OutboxMessage.objects.filter(kind=RUN, done_at__isnull=True, dead_at__isnull=True)
    return waiting.filter(payload__bulk=bulk_id).exists()


@transaction.atomic
def _step(bulk_id: int) -> bool:
    """Decide the next few; whether there may be more to do for us."""
    running = BulkDecision.objects.filter(pk=bulk_id, status=BulkState.RUNNING)
    bulk = running.select_related("by").locked(skip_busy=True).first()
    if bulk is None:
        return False
    items = {item.request_id: item for item in bulk.items.waiting()[:BATCH]}
    if not items:
        bulk.move_to(BulkState.DONE)
        bulk.finished_at = ClockTimestamp()
        bulk.save(update_fields=["status", "finished_at"])
        return False
    for decision in decide_each(list(items), _unbroken(_way_of(bulk, database_now()))):
        _note(items[decision.request_id], decision)
    BulkItem.objects.bulk_update(items.values(), ["outcome", "code", "message", "recipe", "decided_at"])
    return True


def _way_of(bulk: BulkDecision, now: datetime) -> Callable[[Request], object]:
    """The service that decides about one."""
    by, reason = bulk.by, bulk.reason
    ways: dict[str, Callable[[Request], object]] = {
        BulkKind.APPROVE: approving(by=by, now=now),
        BulkKind.REJECT: lambda request: reject_request(request=request, by=by, now=now, reason=reason),
        BulkKind.WAIT: lambda request: waitlist_request(request=request, by=by, now=now),
        BulkKind.TAKE_BACK: lambda request: withdraw_request(request=request, by=by, now=now, reason=reason),
    }
    return ways[bulk.kind]


def _unbroken(decide: Callable[[Request], object]) -> Callable[[Request], object]:
    """The same; what fails for reasons of its own is a refusal too, and keeps nobody else from their turn."""

    def decided(request: Request) -> object:
        try:
            return decide(request)
        except (DomainError, OperationalError, InterfaceError):
            # Without a database nobody has a turn: all of these come again.
            raise
        except Exception as failure:
            meaning = meaning_of(failure) if isinstance(failure, Error) else None
            if meaning is not None:
                raise Conflict(meaning.code, meaning.message) from failure
            logger.exception("request %s could not be decided", request.pk)
            raise DomainError(Code.INTERNAL_ERROR, "Something went wrong on our side.") from failure

    return decided


def _note(item: BulkItem, decision: Decision) -> None:
    refusal = decision.refusal
    item.outcome = BulkOutcome.DONE if refusal is None else BulkOutcome.REFUSED
    item.code, item.message = ("", "") if refusal is None else (refusal.code, refusal.message[:LONGEST_MESSAGE])
    item.recipe = None if refusal is None else recipe_of(refusal.message)
    item.decided_at = ClockTimestamp()
