"""Asking the provider to give money back, and asking again when nobody knows whether it did.

The decision was committed before, with its key. Three facts make it safe to go on from wherever a call was cut off:

* the same call under the same key gives back nothing new; it answers what was done;
* the key is good for a day: later, and after a fault that would only be repeated, we look for our own name first;
* a new key is taken only when the provider has answered, and has no refund of that name.

A refund is claimed by one statement before the provider is asked, so that two workers ask about different ones.
"""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from config import outbox
from config.clock import ClockTimestamp, database_now
from config.money import format_amount
from payments.models import DiscrepancyKind, Refund, RefundOrigin, RefundState
from payments.models.refund import UNFINISHED
from payments.providers import provider_named
from payments.providers.base import PaymentProvider, RefundFacts, RefundOrder
from payments.providers.faults import Faulted, NotThere, ProviderError, Rejected, Unclear, Unreachable
from payments.services.discrepancies import raise_discrepancy
from payments.services.refunds.deciding import lock_refund
from payments.services.refunds.mirroring import apply_refund_facts, fail_refund
from payments.services.refunds.unapplied import TWICE

logger = logging.getLogger(__name__)

KEYS_LIVE = timedelta(hours=23)
# How long a worker that took a refund is left alone with it: longer than any of its calls.
LEASE = timedelta(seconds=90)
PATIENCE = timedelta(minutes=2)
# The banks take days; nothing is won by asking every two minutes.
PATIENCE_WHILE_PENDING = timedelta(hours=1)
STUCK_AFTER = timedelta(hours=1)
STUCK_WHILE_PENDING = timedelta(days=14)
NOT_HANDED_OVER = "not_handed_over"
FAILURES_IN_A_ROW = 3
TO_SEND = (RefundState.SENDING, RefundState.UNKNOWN)


class WrongRefund(ProviderError):
    """An answer about something else than was asked: not our refund, or money of the other mode."""


@outbox.handler("refund.send")
def send_decided(payload: dict[str, Any]) -> None:
    """What the outbox does with a decided refund. What it leaves undone, the sweep finds."""
    send_refund(payload["refund"])


def send_refund(refund_id: int, *, lease: timedelta = LEASE) -> Refund:
    """Have a decided refund done by its provider, and apply the answer; the refund as it is then.

    Nothing happens to one that is not to be sent, or that another worker is at. No answer leaves it `unknown`, for the
    sweep; an answer that nothing was or could be done leaves it as it was. Only a final no makes it `failed`.
    """
    try:
        return _send(refund_id, lease, "sending")
    except ProviderError as error:
        logger.warning("refund %s could not be sent: %s", refund_id, error)
    return Refund.objects.get(pk=refund_id)


def ask_about(*, refund_id: int, source: str = "sweep") -> Refund:
    """Learn what became of one refund, whatever its state: sent if it still has to be, else looked up.

    Raises `ProviderError` where the provider cannot be asked or does not answer.
    """
    refund = Refund.objects.select_related("receipt").get(pk=refund_id)
    if refund.status in TO_SEND:
        return _send(refund_id, timedelta(), source)
    if refund.status in (RefundState.REQUESTED, RefundState.CANCELLED):
        return refund
    facts = _look(provider_named(refund.provider), refund)
    return refund if facts is None else _apply(refund, facts, source)


@dataclass
class Swept:
    """What a sweep did. `failed` holds the refunds that could not be asked about, with why."""

    asked: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    gave_up: bool = False


def sweep_refunds(*, seconds: float = 60.0, patience: timedelta = PATIENCE) -> Swept:
    """Go on with every refund that has not ended and was not asked about for `patience`, until the time is spent."""
    swept, deadline, unreached = Swept(), time.monotonic() + seconds, 0
    now = database_now()
    while time.monotonic() < deadline and (refund_id := _claim_next(now, patience)) is not None:
        swept.asked += 1
        try:
            ask_about(refund_id=refund_id)
        except Exception as error:  # whatever one refund does, the others still have their turn
            level = logging.WARNING if isinstance(error, ProviderError) else logging.ERROR
            logger.log(level, "refund %s could not be asked about", refund_id, exc_info=error)
            swept.failed[refund_id] = f"{type(error).__name__}: {error}"
            unreached = unreached + 1 if isinstance(error, Unreachable) else 0
        else:
            unreached = 0
        _raise_if_stuck(refund_id, now)
        if unreached >= FAILURES_IN_A_ROW:
            swept.gave_up = True
            break
    return swept


def _send(refund_id: int, lease: timedelta, source: str) -> Refund:
    is_first = Refund.objects.filter(pk=refund_id, sent_at__isnull=True).exists()
    if not _claim(refund_id, lease):
        return Refund.objects.get(pk=refund_id)
    refund = Refund.objects.select_related("receipt").get(pk=refund_id)
    provider = provider_named(refund.provider)
    try:
        facts = _done_by(provider, refund)
        if not is_first:
            # What is repeated under a key is the first answer: what became of it since is another question.
            facts = _look(provider, refund) or facts
    except Unclear as error:
        _doubt(refund, error)
        raise
    except Rejected as error:
        found = _look_after(provider, refund, error)
        if found is None:
            return _fail(refund, error)
        facts = found
    return _apply(refund, facts, source)


def _claim(refund_id: int, lease: timedelta) -> bool:
    """Take the refund for the length of a lease; from its first call on, its key is being used up."""
    free = Q(checked_at__isnull=True) | Q(checked_at__lte=ClockTimestamp() - lease)
    waiting = Refund.objects.filter(free, pk=refund_id, status__in=TO_SEND)
    return bool(waiting.update(checked_at=ClockTimestamp(), sent_at=Coalesce("sent_at", ClockTimestamp())))


def _done_by(provider: PaymentProvider, refund: Refund) -> RefundFacts:
    """The provider's answer to the refund's own call, or the refund that was made by an earlier one."""
    is_old = refund.sent_at is not None and refund.sent_at < database_now() - KEYS_LIVE
    if is_old or refund.key_number > 1:
        found = _look(provider, refund)
        if found is not None:
            return found
    if is_old:
        _take_next_key(refund)
    try:
        return provider.create_refund(order_of(refund))
    except Faulted:
        found = _look(provider, refund)
        if found is not None:
            return found
        # It answered, and there is nothing: the fault would be repeated under this key for ever.
        _take_next_key(refund)
        raise


def order_of(refund: Refund) -> RefundOrder:
    """What the provider is told: all of it fixed with the decision, or the key would not fit a second time."""
    receipt = refund.receipt
    return RefundOrder(
        ref=str(refund.ref),
        idempotency_key=refund.idempotency_key,
        payment_id=receipt.payment_id,
        refund_id=refund.pk,
        charge_id=receipt.charge_id,
        amount_cents=refund.amount_cents,
        currency=refund.currency,
        is_duplicate=refund.reason in TWICE,
    )


def _take_next_key(refund: Refund) -> None:
    """Only after an answer that is final: a key that may have worked must stay the only one."""
    Refund.objects.filter(pk=refund.pk, key_number=refund.key_number, status__in=TO_SEND).update(
        key_number=refund.key_number + 1, sent_at=ClockTimestamp()
    )
    refund.refresh_from_db(fields=("key_number", "sent_at"))


def _look(provider: PaymentProvider, refund: Refund) -> RefundFacts | None:
    """The refund as the provider has it now; None where it has none."""
    charge_id = refund.receipt.charge_id
    try:
        if refund.origin == RefundOrigin.DASHBOARD:
            made = provider.fetch_charge(charge_id).refunds
            return next((facts for facts in made if facts.reference == refund.provider_reference), None)
        return provider.find_refund(ref=str(refund.ref), charge_id=charge_id)
    except NotThere:
        return None


def _look_after(provider: PaymentProvider, refund: Refund, refusal: Rejected) -> RefundFacts | None:
    """Whether a call that was refused had been done before: then the refusal is of the second one."""
    try:
        return _look(provider, refund)
    except ProviderError:
        _doubt(refund, refusal)
        raise


def _apply(refund: Refund, facts: RefundFacts, source: str) -> Refund:
    agreed = (facts.livemode, facts.currency, facts.amount_cents)
    if agreed != (refund.livemode, refund.currency, refund.amount_cents):
        raise WrongRefund(f"refund {facts.reference} is not what refund {refund.pk} asked for")
    with transaction.atomic(durable=True):
        receipt = lock_refund(refund.pk).receipt
        return apply_refund_facts(receipt, facts, source=source)


def _fail(refund: Refund, error: Rejected) -> Refund:
    with transaction.atomic(durable=True):
        return fail_refund(lock_refund(refund.pk), error.reason)


def _doubt(refund: Refund, error: ProviderError) -> None:
    Refund.objects.filter(pk=refund.pk, status=RefundState.SENDING).update(
        status=RefundState.UNKNOWN, failure=error.reason[:200]
    )


@transaction.atomic
def _claim_next(now: datetime, patience: timedelta) -> int | None:
    """The next refund to ask about, counted as asked; None when each was, or is being asked about by another."""
    last = Coalesce("checked_at", "decided_at", "created_at")
    due = Q(last__lt=now - patience) & ~Q(status=RefundState.PENDING)
    slow = Q(last__lt=now - (max(patience, PATIENCE_WHILE_PENDING) if patience else patience))
    refund = (
        Refund.objects.filter(status__in=UNFINISHED)
        .annotate(last=last)
        .filter(due | slow)
        .order_by(F("checked_at").asc(nulls_first=True), "id")
        .locked(skip_busy=True)
        .first()
    )
    if refund is None:
        return None
    Refund.objects.filter(pk=refund.pk).update(checked_at=ClockTimestamp())
    return refund.pk


def _raise_if_stuck(refund_id: int, now: datetime) -> None:
    """A person looks at what should have ended long ago. What is to be handed over waits for one anyhow."""
    refund = Refund.objects.get(pk=refund_id)
    if refund.status not in UNFINISHED or refund.pending_reason == NOT_HANDED_OVER:
        return
    is_pending = refund.status == RefundState.PENDING
    since = refund.decided_at or refund.created_at
    if since > now - (STUCK_WHILE_PENDING if is_pending else STUCK_AFTER):
        return
    amount = format_amount(refund.amount_cents, refund.currency)
    raise_discrepancy(
        kind=DiscrepancyKind.REFUND_STUCK,
        object_key=f"refund:{refund.pk}",
        sentence=f"{amount} have been {refund.status} since {since:%Y-%m-%d %H:%M} UTC.",
        suggestion="Look at it at the provider. It is asked about again and again, and never sent twice.",
        details={"refund": refund.pk, "receipt": refund.receipt_id, "failure": refund.failure},
    )
