"""Giving back every place of a cancelled pool, from wherever it was left.

What is still to be done is what the database says is paid; nothing else remembers how far it is. A batch is one
transaction: its places are given back, their refunds decided and booked, and the message for the next batch is left,
or none of it is. So a worker can be killed anywhere, and two of them at once do nothing twice: the second waits for the
pool, and finds the places gone.

Walks go from the newest request to the oldest: a bought return before the entry that it brought back. What cannot be
given back yet (a dispute is open) stays, and the rest goes on; once a walk is through, the next one begins later, until
nothing is left.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import OperationalError, transaction

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.errors import Code, Conflict, DomainError
from config.money import format_amount
from config.phrases import Name, phrase
from entries.models import PaymentStatus, Request
from entries.services.lost_places import take_place_back
from payments.models import (
    Cancellation,
    CancellationState,
    DiscrepancyKind,
    Payment,
    Receipt,
    ReceiptState,
    RefundOrigin,
)
from payments.services.booking import book_waiver_taken
from payments.services.cancellations.messages import RUN, is_under_way, post_run
from payments.services.cancellations.progress import paid_places
from payments.services.chargebacks import make_good
from payments.services.discrepancies import raise_discrepancy, settle_discrepancy
from payments.services.pots import pot_of
from payments.services.provider_state import Source, apply_provider_state
from payments.services.refunds.deciding import give_back_place
from pools.models import Pool, PoolStatus

logger = logging.getLogger(__name__)

# As many places in one transaction, and as long as others may wait for the pool: a web request waits three seconds.
BATCH, LONGEST_HOLD = 100, 2.0
# Refunds wait until they are sent; this many a second is what the provider bears beside everything else.
SENT_A_SECOND = 20
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
# Well within the lease of an outbox message.
ENDING_SECONDS = 45.0


class StillThere(Conflict):
    """The place is paid by money that is not where it should be."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase(
                "Receipt {receipt} is {status}, and its place is paid.", receipt=receipt.pk, status=Name(receipt.status)
            ),
        )


def run(cancellation_id: int, *, walk: int = 0, before: int | None = None) -> int:
    """Give back the next batch; how many places it did. Leaves the message for what comes after."""
    with transaction.atomic():
        cancellation = _lock(cancellation_id)
        if cancellation.status != CancellationState.RUNNING:
            return 0
        places = _next(cancellation.pool, before)
        receipts = _receipts_of(places)
        looked_at, done = _work_on(places, receipts, cancellation)
        if len(looked_at) == BATCH or len(looked_at) < len(places):
            sent = sum(place.pk in receipts for place in done)
            delay = timedelta(seconds=sent / SENT_A_SECOND)
            post_run(cancellation.pk, walk=walk, before=looked_at[-1].pk, delay=delay)
        elif not _finish(cancellation):
            pause = min(FIRST_PAUSE * 2 ** min(walk, 10), LONGEST_PAUSE)
            post_run(cancellation.pk, walk=walk + 1, delay=pause)
    return len(done)


def sweep_cancellations() -> int:
    """Go on with what nobody goes on with: its message was given up, or lost. How many."""
    found = 0
    for cancellation_id in Cancellation.objects.filter(status=CancellationState.RUNNING).values_list("pk", flat=True):
        if not is_under_way(cancellation_id):
            with transaction.atomic():
                # A walk of its own: keys that were posted before change nothing.
                found += post_run(cancellation_id, walk=int(database_now().timestamp()))
    return found


def end_payments_of(pool_id: int, *, after: int = 0, seconds: float = ENDING_SECONDS) -> int | None:
    """End the live payments of a closed pool at their providers; the last one looked at, or None when all were.

    One that cannot be ended now is left to the sweep, which asks about it every two minutes.
    """
    deadline, last = time.monotonic() + seconds, after
    while time.monotonic() < deadline:
        live = Payment.objects.live().filter(request__pool_id=pool_id, pk__gt=last).order_by("pk")
        payment_id = live.values_list("pk", flat=True).first()
        if payment_id is None:
            return None
        last = payment_id
        try:
            apply_provider_state(payment_id=payment_id, source=Source.SWEEP, end=True)
        except DomainError as error:
            logger.warning("payment %s of closed pool %s could not be ended: %s", payment_id, pool_id, error)
    return last


@outbox.handler(RUN)
def _go_on(payload: dict[str, int | None]) -> None:
    run(payload["cancellation"] or 0, walk=payload.get("walk") or 0, before=payload.get("before"))


@outbox.handler("pool.closed")
def _end_payments(payload: dict[str, int]) -> None:
    pool_id = payload["pool"]
    last = end_payments_of(pool_id, after=payload.get("after", 0))
    if last is not None:
        with transaction.atomic():
            key = f"pool-closed-{pool_id}-after-{last}"
            outbox.post(kind="pool.closed", key=key, payload={"pool": pool_id, "after": last})


def _lock(cancellation_id: int) -> Cancellation:
    pool_id = Cancellation.objects.values_list("pool_id", flat=True).get(pk=cancellation_id)
    pool = Pool.objects.locked().get(pk=pool_id)
    cancellation = Cancellation.objects.locked().select_related("decided_by").get(pk=cancellation_id)
    cancellation.pool = pool
    return cancellation


def _next(pool: Pool, before: int | None) -> list[Request]:
    """The next places, newest first, locked."""
    if pool.status != PoolStatus.CANCELLED:
        raise RuntimeError(f"pool {pool.pk} is {pool.status}: its places are not given back")
    places = paid_places(pool).select_related("pool", "user").order_by("-pk").locked()
    return list((places if before is None else places.filter(pk__lt=before))[:BATCH])


def _work_on(
    places: Iterable[Request], receipts: Mapping[int, Receipt], cancellation: Cancellation
) -> tuple[list[Request], list[Request]]:
    """One after the other until the time is over: those looked at, and those given back."""
    deadline = time.monotonic() + LONGEST_HOLD
    looked_at: list[Request] = []
    done: list[Request] = []
    for place in places:
        looked_at.append(place)
        if _done(place, receipts.get(place.pk), cancellation):
            done.append(place)
        if time.monotonic() > deadline:
            break
    return looked_at, done


def _receipts_of(places: Iterable[Request]) -> dict[int, Receipt]:
    """The money that bought each place, by request; none of a place that nobody paid for."""
    found = Receipt.objects.filter(payment__request__in=list(places), entry__isnull=False)
    return {receipt.payment.request_id: receipt for receipt in found.select_related("payment__request__pool")}


def _done(place: Request, receipt: Receipt | None, cancellation: Cancellation) -> bool:
    """Give one place back, whole or not at all; what is refused waits, with a word to staff."""
    try:
        with transaction.atomic():
            _give_back(place, receipt, cancellation)
    except OperationalError:
        # Not this place's fault: the batch is tried again as a whole.
        raise
    except Exception as error:  # noqa: BLE001  # whatever one place does, the others are given back
        _put_before_a_person(place, receipt, error)
        return False
    settle_discrepancy(kind=DiscrepancyKind.HELD_MONEY, object_key=_key(place), resolution="the place was given back")
    return True


def _give_back(place: Request, receipt: Receipt | None, cancellation: Cancellation) -> None:
    by, reason = cancellation.decided_by, f"the pool was cancelled: {cancellation.reason}"[:500]
    assert by is not None, "the database keeps no running cancellation without its second name"
    if receipt is None:
        _take(place, by, reason)
        book_waiver_taken(place)
    elif receipt.status == ReceiptState.CHARGED_BACK:
        # The house bore the loss, so that the others could play for the fee; nobody plays any more.
        _take(place, by, reason)
        make_good(receipt)
    else:
        give_back_place(receipt=receipt, origin=RefundOrigin.CANCELLATION, reason=reason, by=by)
        place.refresh_from_db(fields=["payment_status"])
        if place.payment_status == PaymentStatus.COMPLETED:
            raise StillThere(receipt)


def _take(place: Request, by: User, reason: str) -> None:
    take_place_back(request=place, by=by, reason=reason)


def _put_before_a_person(place: Request, receipt: Receipt | None, error: Exception) -> None:
    if not isinstance(error, DomainError):
        logger.error("place %s of a cancelled pool could not be given back", place.pk, exc_info=error)
    if receipt is None:
        return
    why = error.message if isinstance(error, DomainError) else "an error of ours, which is in the log"
    raise_discrepancy(
        kind=DiscrepancyKind.HELD_MONEY,
        object_key=_key(place),
        sentence=f"{format_amount(receipt.amount_cents, receipt.currency)} of the cancelled pool"
        f" {place.pool.name} did not go back: {why}",
        suggestion="Clear what stands in the way. The cancellation tries again by itself.",
        details={"receipt": receipt.pk, "request": place.pk},
    )


def _key(place: Request) -> str:
    return f"request:{place.pk}"


def _finish(cancellation: Cancellation) -> bool:
    """Call it done once everybody's money is back and the pot is empty; whether it is."""
    pool = cancellation.pool
    if paid_places(pool).exists() or Payment.objects.live().filter(request__pool=pool).exists():
        return False
    if not _pot_is_empty(pool):
        return False
    here = Receipt.objects.filter(payment__request__pool=pool)
    if here.exclude(status__in=(ReceiptState.RETURNED, ReceiptState.CHARGED_BACK)).exists():
        return False
    attribute(reason="everybody's money is back")
    cancellation.move_to(CancellationState.DONE)
    cancellation.finished_at = ClockTimestamp()
    cancellation.save(update_fields=["status", "finished_at"])
    return True


def _pot_is_empty(pool: Pool) -> bool:
    """Proven from the ledger. Every place is gone: whatever is left in the pot is an error of ours."""
    pot, key = pot_of(pool), f"pool:{pool.pk}"
    if pot:
        raise_discrepancy(
            kind=DiscrepancyKind.POT_SHORT,
            object_key=key,
            sentence=f"All places of the cancelled pool {pool.name} are given back, and its pot holds"
            f" {format_amount(pot, pool.currency)} instead of nothing.",
            suggestion="Look at the lines of the pot in the ledger: a place was not booked, or twice.",
            details={"pool": pool.pk, "pot_cents": pot},
            amount_cents=pot,
            currency=pool.currency,
        )
        return False
    settle_discrepancy(kind=DiscrepancyKind.POT_SHORT, object_key=key, resolution="the pot is empty")
    return True
