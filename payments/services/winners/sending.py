"""Sending approved prizes to a provider, and going on with those whose answer never came.

A payout is `sending` before the provider is asked, in a transaction of its own. A worker that is killed in between
leaves it so; an answer that is lost leaves it `unknown`. The sweep goes on with both: under the same key as long as
the provider keeps it, and by looking for our own mark after that. A new key is taken only when the provider has
answered, and has no transfer of that name. So no prize is ever sent twice.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from config import outbox
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.errors import DomainError
from payments.models import Payout, PayoutState, Provider
from payments.models.payout import PAYOUTS_UNDER_WAY
from payments.providers import provider_named
from payments.providers.base import PaymentProvider, TransferFacts, TransferOrder
from payments.providers.faults import Faulted, NotThere, ProviderError, Rejected, Unclear
from payments.services.asking import Swept, ask_about_each
from payments.services.payouts import check_still_right
from payments.services.winners.locking import lock_payout
from payments.services.winners.mirroring import apply_transfer_facts, fail_payout
from payments.services.winners.outcomes import doubt_payout

logger = logging.getLogger(__name__)

KEYS_LIVE = timedelta(hours=23)
# How long a worker that took a payout is left alone with it: longer than any of its calls.
LEASE = timedelta(seconds=90)
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
        "payout", lambda: _claim_next(now, patience), lambda payout_id: _go_on(payout_id, now), seconds=seconds
    )


def _go_on(payout_id: int, now: datetime) -> None:
    try:
        ask_about(payout_id=payout_id, source="sweep")
    finally:
        _doubt_if_stuck(payout_id, now)


def _send(payout_id: int, lease: timedelta, source: str) -> Payout:
    if not _begin(payout_id, lease):
        return Payout.objects.get(pk=payout_id)
    payout = Payout.objects.select_related("booking").get(pk=payout_id)
    provider = provider_named(payout.provider)
    try:
        facts = _done_by(provider, payout)
    except Unclear as error:
        _note_unknown(payout, error)
        raise
    except Rejected as error:
        found = _look_after(provider, payout, error)
        if found is None:
            return fail_payout(payout_id=payout_id, why=error.reason)
        facts = found
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


def _done_by(provider: PaymentProvider, payout: Payout) -> TransferFacts:
    """The provider's answer to the payout's own call, or the transfer that was made by an earlier one."""
    is_old = payout.sent_at is not None and payout.sent_at < database_now() - KEYS_LIVE
    if is_old or payout.key_number > 1:
        found = provider.find_transfer(ref=str(payout.ref))
        if found is not None:
            return found
    if is_old:
        _take_next_key(payout)
    try:
        return provider.create_transfer(order_of(payout))
    except Faulted:
        found = provider.find_transfer(ref=str(payout.ref))
        if found is not None:
            return found
        # It answered, and there is nothing: the fault would be repeated under this key for ever.
        _take_next_key(payout)
        raise


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


def _take_next_key(payout: Payout) -> None:
    """Only after an answer that is final: a key that may have worked must stay the only one."""
    Payout.objects.filter(pk=payout.pk, key_number=payout.key_number, status__in=PAYOUTS_UNDER_WAY).update(
        key_number=payout.key_number + 1, sent_at=ClockTimestamp()
    )
    payout.refresh_from_db(fields=("key_number", "sent_at"))


def _look_after(provider: PaymentProvider, payout: Payout, refusal: Rejected) -> TransferFacts | None:
    """Whether a call that was refused had been done before: then the refusal is of the second one."""
    try:
        return provider.find_transfer(ref=str(payout.ref))
    except NotThere:
        return None
    except ProviderError:
        _note_unknown(payout, refusal)
        raise


def _note_unknown(payout: Payout, error: ProviderError) -> None:
    Payout.objects.filter(pk=payout.pk, status=PayoutState.SENDING).update(
        status=PayoutState.UNKNOWN, failure=error.reason[:200]
    )


def _note_refusal(payout: Payout, why: str) -> None:
    Payout.objects.filter(pk=payout.pk).update(checked_at=ClockTimestamp(), failure=why[:200])


@transaction.atomic
def _claim_next(now: datetime, patience: timedelta) -> int | None:
    """The next payout to go on with, counted as asked; None when each was, or is being asked about by another."""
    last = Coalesce("checked_at", "approved_at", "requested_at")
    payout = (
        Payout.objects.filter(status__in=UNFINISHED)
        .exclude(provider=Provider.MANUAL)
        .annotate(last=last)
        .filter(last__lt=now - patience)
        .order_by(F("checked_at").asc(nulls_first=True), "id")
        .locked(skip_busy=True)
        .first()
    )
    if payout is None:
        return None
    Payout.objects.filter(pk=payout.pk).update(checked_at=ClockTimestamp())
    return payout.pk


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
