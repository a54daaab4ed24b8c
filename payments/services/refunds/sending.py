"""Asking the provider to give money back, and asking again when nobody knows whether it did.

A refund is claimed by one statement before the provider is asked, so that two workers ask about different ones; what
makes it safe to ask again stands in `payments.services.sending_once`.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from config import outbox
from config.clock import ClockTimestamp, database_now
from config.money import format_amount
from payments.models import DiscrepancyKind, Refund, RefundOrigin, RefundState
from payments.models.refund import UNFINISHED, RefundQuerySet
from payments.providers import provider_named
from payments.providers.base import RefundFacts, RefundOrder
from payments.providers.faults import NotThere, ProviderError, Rejected
from payments.providers.port import PaymentProvider
from payments.services.asking import Swept, ask_about_each, claim, not_asked_for
from payments.services.discrepancies import raise_discrepancy
from payments.services.refunds.deciding import lock_refund
from payments.services.refunds.mirroring import apply_refund_facts, fail_refund
from payments.services.refunds.unapplied import TWICE
from payments.services.sending_once import LEASE, send_once

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=2)
STUCK_AFTER = timedelta(hours=1)
STUCK_WHILE_PENDING = timedelta(days=14)
NOT_HANDED_OVER = "not_handed_over"
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


def sweep_refunds(*, seconds: float = 60.0, patience: timedelta = PATIENCE) -> Swept:
    """Go on with every refund that has not ended and was not asked about for `patience`, until the time is spent."""
    now = database_now()
    return ask_about_each(
        "refund", lambda: claim(_due(now, patience)), lambda refund_id: _go_on(refund_id, now), seconds=seconds
    )


def _due(now: datetime, patience: timedelta) -> RefundQuerySet:
    unfinished = Refund.objects.filter(status__in=UNFINISHED)
    due = not_asked_for(patience, now=now, slow=Q(status=RefundState.PENDING))
    return unfinished.annotate(last=Coalesce("checked_at", "decided_at", "created_at")).filter(due)


def _go_on(refund_id: int, now: datetime) -> None:
    try:
        ask_about(refund_id=refund_id)
    finally:
        _raise_if_stuck(refund_id, now)


def _send(refund_id: int, lease: timedelta, source: str) -> Refund:
    is_again = Refund.objects.filter(pk=refund_id, sent_at__isnull=False).exists()
    if not _claim(refund_id, lease):
        return Refund.objects.get(pk=refund_id)
    refund = Refund.objects.select_related("receipt").get(pk=refund_id)
    provider = provider_named(refund.provider)
    try:
        facts = send_once(
            refund,
            make=lambda: provider.create_refund(order_of(refund)),
            look=lambda: _look(provider, refund),
            is_again=is_again,
        )
    except Rejected as refusal:
        return _fail(refund, refusal)
    return _apply(refund, facts, source)


def _claim(refund_id: int, lease: timedelta) -> bool:
    """Take the refund for the length of a lease; from its first call on, its key is being used up."""
    free = Q(checked_at__isnull=True) | Q(checked_at__lte=ClockTimestamp() - lease)
    waiting = Refund.objects.filter(free, pk=refund_id, status__in=TO_SEND)
    return bool(waiting.update(checked_at=ClockTimestamp(), sent_at=Coalesce("sent_at", ClockTimestamp())))


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
