"""The inbox of provider news: stored as it came, answered at once, looked into afterwards.

Storing is one statement, whether the event is new or comes for the tenth time. Looking into it means finding out which
payment it is about and asking the provider for the truth (`apply_provider_state`): what the event itself claims is
never acted on, so its order, its age and its repetition do not matter. The row is the queue: a worker that dies, or a
hint that is lost, only delays it until the next sweep.
"""

import json
import logging
import time
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from config import metrics, outbox
from config.clock import ClockTimestamp
from config.logging import scrub
from payments.models import Payment, WebhookEvent, WebhookState
from payments.providers import provider_named
from payments.providers.base import Notice
from payments.providers.notices import subject_of
from payments.services.provider_state import Source, apply_provider_state

logger = logging.getLogger(__name__)

DELIVERIES = metrics.counter("webhook_deliveries", "News that came in, repetitions included.", ["type"])
MAX_ATTEMPTS = outbox.MAX_ATTEMPTS
LEASE_SECONDS = 120
# News about anything else changes nothing here, whosever it is.
FOLLOWED = ("checkout.session.", "payment_intent.", "charge.succeeded", "charge.failed", "charge.updated")
SESSIONS = "checkout.session."


class Ignored(StrEnum):
    """Why an event was put aside without asking the provider."""

    LIVEMODE = "livemode"
    OTHER_ENVIRONMENT = "other_environment"
    FOREIGN = "foreign"
    MISSING_HERE = "missing_here"
    NOT_FOLLOWED = "not_followed"


def receive_notice(*, notice: Notice, provider: str) -> int:
    """Store proved news, or count it once more; the row's id. One statement, so parallel copies cannot collide."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO payments_webhookevent AS e (
                provider, event_id, event_type, object_id, livemode, payload,
                deliveries, status, ignored_because, attempts, error
            ) VALUES (%s, %s, %s, %s, %s, %s::jsonb, 1, 'received', '', 0, '')
            ON CONFLICT (provider, event_id) DO UPDATE SET deliveries = e.deliveries + 1
            RETURNING id
            """,
            [
                provider, notice.event_id, notice.event_type, notice.object_id, notice.livemode,
                json.dumps(notice.payload),
            ],
        )  # fmt: skip
        event_id: int = cursor.fetchone()[0]
    known = notice.event_type if notice.event_type.startswith(FOLLOWED) else "other"
    DELIVERIES.labels(known).inc()
    return event_id


def process_event(*, event_id: int) -> bool:
    """Look into one event, if it is due and nobody else is at it; whether this call did."""
    event = _claim(event_id)
    if event is not None:
        _work_on(event)
    return event is not None


def sweep_events(*, limit: int = 500, seconds: float = 60.0) -> int:
    """Look into whatever is due, oldest first, until nothing is left or limit or time is spent; how many."""
    deadline, done = time.monotonic() + seconds, 0
    while done < limit and time.monotonic() < deadline and (event := _claim()) is not None:
        _work_on(event)
        done += 1
    return done


def retry_event(*, event_id: int) -> bool:
    """Give a dead event its tries again; whether it was dead."""
    return bool(
        WebhookEvent.objects.filter(pk=event_id, status=WebhookState.DEAD).update(
            status=WebhookState.RECEIVED, attempts=0, due_at=ClockTimestamp()
        )
    )


def _claim(event_id: int | None = None) -> WebhookEvent | None:
    """Take a due event (or this one) for the length of a lease, counting the attempt before it is made."""
    found = WebhookEvent.objects.raw(
        """
        UPDATE payments_webhookevent
        SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => %s)
        WHERE id = (
            SELECT id FROM payments_webhookevent
            WHERE status = 'received' AND due_at <= clock_timestamp() AND (%s::bigint IS NULL OR id = %s)
            ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING *
        """,
        [LEASE_SECONDS, event_id, event_id],
    )
    return next(iter(found), None)


def _work_on(event: WebhookEvent) -> None:
    """Follow the event; a failure is kept on the row and never reaches the next event."""
    try:
        if event.attempts > MAX_ATTEMPTS:
            raise RuntimeError("every worker that tried it died")
        because = _follow(event)
    except Exception as error:  # noqa: BLE001  # whatever one event does, the others still have their turn
        _put_back(event, error)
        return
    WebhookEvent.objects.filter(pk=event.pk).update(
        status=WebhookState.IGNORED if because else WebhookState.PROCESSED,
        ignored_because=because,
        error="",
        processed_at=ClockTimestamp(),
    )


def _follow(event: WebhookEvent) -> str:
    """Have the truth fetched for the payment that the event is about; or why it is about none of ours."""
    if not event.event_type.startswith(FOLLOWED):
        return Ignored.NOT_FOLLOWED
    subject = subject_of(event.payload)
    because = _not_for_us(event, subject)
    if because:
        return because
    payment = _payment_of(event, subject)
    if payment is None:
        # With our mark and without our row: after a restore from a backup this is the ordinary case.
        return Ignored.MISSING_HERE if _metadata(subject).get("env") else Ignored.FOREIGN
    session = event.object_id if event.event_type.startswith(SESSIONS) else ""
    apply_provider_state(payment_id=payment.pk, source=Source.WEBHOOK, reference=session)
    return ""


def _not_for_us(event: WebhookEvent, subject: dict[str, Any]) -> str:
    if event.livemode != provider_named(event.provider).livemode:
        logger.error("webhook %s has livemode %s: wrong key or wrong endpoint", event.event_id, event.livemode)
        return Ignored.LIVEMODE
    if _metadata(subject).get("env", settings.OUTLAST_ENV) != settings.OUTLAST_ENV:
        return Ignored.OTHER_ENVIRONMENT
    return ""


def _payment_of(event: WebhookEvent, subject: dict[str, Any]) -> Payment | None:
    """By our own name for it, which is there before the provider was ever called; else by its session."""
    payments = Payment.objects.filter(provider=event.provider)
    for name in (_metadata(subject).get("ref"), subject.get("client_reference_id")):
        ref = read_ref(name)
        if ref is not None:
            return payments.filter(ref=ref).first()
    return payments.filter(provider_reference=event.object_id).exclude(provider_reference="").first()


def _metadata(subject: dict[str, Any]) -> dict[str, Any]:
    found = subject.get("metadata")
    return found if isinstance(found, dict) else {}


def read_ref(text: object) -> UUID | None:
    """Our own name of a payment, if the text is one."""
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _put_back(event: WebhookEvent, error: Exception) -> None:
    said = scrub(f"{type(error).__name__}: {error}")[:2000]
    is_dead = event.attempts >= MAX_ATTEMPTS
    logger.log(
        logging.ERROR if is_dead else logging.WARNING,
        "webhook %s failed, attempt %s: %s", event.event_id, event.attempts, said,
    )  # fmt: skip
    waiting = WebhookEvent.objects.filter(pk=event.pk)
    if is_dead:
        waiting.update(status=WebhookState.DEAD, error=said)
    else:
        waiting.update(due_at=ClockTimestamp() + outbox.delay_after(event.attempts), error=said)
