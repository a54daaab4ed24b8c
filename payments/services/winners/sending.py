"""Sending approved prizes to a provider, and going on with those whose answer never came.

A payout is `sending` before the provider is asked, in a transaction of its own. A worker that is killed in between
leaves it so; an answer that is lost leaves it `unknown`. The sweep goes on with both; what makes it safe to ask again
stands in `payments.services.sending_once`.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from config import outbox
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.errors import DomainError
from config.locks import LockedQuerySet
from payments.models import Payout, PayoutState, Provider
from payments.models.payout import PAYOUTS_UNDER_WAY
from payments.providers import provider_named
from payments.providers.base import TransferOrder
from payments.providers.faults import ProviderError, Rejected
from payments.services.asking import Swept, ask_about_each, claim
from payments.services.payouts import check_still_right
from payments.services.sending_once import LEASE, send_once
from payments.services.winners.locking import lock_payout
from payments.services.winners.mirroring import apply_transfer_facts, fail_payout
from payments.services.winners.outcomes import doubt_payout

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=2)
STUCK_AFTER = timedelta(hours=1)
UNFINISHED = (PayoutState.APPROVED, *PAYOUTS_UNDER_WAY)


@outbox.handler("payout.send")
def send_approved(payload: dict[str, Any]) -> None:
    """What the outbox does with an approved payout. What it leaves undone, the sweep finds."""
    send_payout(payload["payout"])


def send_payout(payout_id: int, *, lease: timedelta = LEASE) -> Payout:
    """Have an approved payout sent by its provider, and apply the answer; the payout as it is then.

    Nothing happens to one that is handed over by hand, that is not to be sent, or that another worker is at. One that
    may not be sent any more (a dispute, another account, another tax) stays approved, with the reason on it. No answer
    leaves it `unknown`, for the sweep. Only a final no makes it `failed`.
    """
    try:
        return ask_about(payout_id=payout_id, lease=lease)
    except ProviderError as error:
        logger.warning("payout %s could not be sent: %s", payout_id, error)
    return Payout.objects.get(pk=payout_id)


def ask_about(*, payout_id: int, source: str = "sending", lease: timedelta = timedelta()) -> Payout:
    """Learn what became of one payout, whatever its state: sent if it still has to be, else looked up.

    Raises `ProviderError` where the provider cannot be asked or does not answer.
    """
    payout = Payout.objects.get(pk=payout_id)
    if payout.provider == Provider.MANUAL:
        return payout
    if payout.status in UNFINISHED:
        return _send(payout_id, lease, source)
    if payout.provider_reference:
        facts = provider_named(payout.provider).fetch_transfer(payout.provider_reference)
        return apply_transfer_facts(payout_id=payout_id, facts=facts, source=source)
    return payout


def sweep_payouts(*, seconds: float = 60.0, patience: timedelta = PATIENCE) -> Swept:
    """Go on with every payout that has not ended and was not asked about for `patience`, until the time is spent."""
    now = database_now()
    return ask_about_each(
        "payout", lambda: claim(_due(now, patience)), lambda payout_id: _go_on(payout_id, now), seconds=seconds
    )


def _due(now: datetime, patience: timedelta) -> LockedQuerySet[Any]:
    unfinished = Payout.objects.filter(status__in=UNFINISHED).exclude(provider=Provider.MANUAL)
    last = Coalesce("checked_at", "approved_at", "requested_at")
    return unfinished.annotate(last=last).filter(last__lt=now - patience)


def _go_on(payout_id: int, now: datetime) -> None:
    try:
        ask_about(payout_id=payout_id, source="sweep")
    finally:
        _doubt_if_stuck(payout_id, now)


def _send(payout_id: int, lease: timedelta, source: str) -> Payout:
    is_again = Payout.objects.filter(pk=payout_id, sent_at__isnull=False).exists()
    if not _begin(payout_id, lease):
        return Payout.objects.get(pk=payout_id)
    payout = Payout.objects.select_related("booking").get(pk=payout_id)
    provider = provider_named(payout.provider)
    try:
        facts = send_once(
            payout,
            make=lambda: provider.create_transfer(order_of(payout)),
            look=lambda: provider.find_transfer(ref=str(payout.ref)),
            is_again=is_again,
        )
    except Rejected as refusal:
        return fail_payout(payout_id=payout_id, why=refusal.reason)
    return apply_transfer_facts(payout_id=payout_id, facts=facts, source=source)


@transaction.atomic(durable=True)
def _begin(payout_id: int, lease: timedelta) -> bool:
    """Say that the provider is asked from now on, and take the payout for the length of a lease.

    Held as everything that decides about a prize: a correction came before, and cancelled it, or comes after.
    """
    payout, winner = lock_payout(payout_id)
    now = database_now()
    if payout.status == PayoutState.APPROVED:
        try:
            check_still_right(payout, winner, at=now)
        except DomainError as refusal:
            _note_refusal(payout, refusal.message)
            return False
        attribute(reason="the provider is asked")
        payout.move_to(PayoutState.SENDING)
    elif payout.status not in PAYOUTS_UNDER_WAY or _is_taken(payout, now - lease):
        return False
    payout.checked_at, payout.sent_at = now, payout.sent_at or now
    payout.save(update_fields=["status", "checked_at", "sent_at"])
    return True


def _is_taken(payout: Payout, since: datetime) -> bool:
    return payout.checked_at is not None and payout.checked_at > since


def order_of(payout: Payout) -> TransferOrder:
    """What the provider is told: all of it fixed with the wish, or the key would not fit a second time."""
    return TransferOrder(
        ref=str(payout.ref),
        idempotency_key=payout.idempotency_key,
        payout_id=payout.pk,
        pool_id=payout.booking.pool_id,
        destination=payout.destination,
        amount_cents=payout.net_cents,
        currency=payout.currency,
    )


def _note_refusal(payout: Payout, why: str) -> None:
    Payout.objects.filter(pk=payout.pk).update(checked_at=ClockTimestamp(), failure=why[:200])


def _doubt_if_stuck(payout_id: int, now: datetime) -> None:
    """A person looks at what should have ended long ago."""
    payout = Payout.objects.select_related("booking", "player").filter(
        Q(approved_at__lt=now - STUCK_AFTER), pk=payout_id, status__in=UNFINISHED
    )
    for stuck in payout:
        why = f": {stuck.failure}" if stuck.failure else ""
        doubt_payout(
            stuck,
            f"is still {stuck.status}; it was approved on {stuck.approved_at:%Y-%m-%d %H:%M} UTC{why}",
            "Look at it at the provider. It is asked about again and again, and never sent twice.",
        )
