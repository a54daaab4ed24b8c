"""What became of an attempt: written to the log, and what follows from it.

After a failure the next attempt waits longer and longer, over three days in all; then the delivery is given up, and
waits in the log for a replay. An endpoint at which nothing arrived for three days is switched off, and its owner told.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet

from accounts.models.webhook_types import AttemptCause, DeliveryStatus, OffBecause
from accounts.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookHealth
from accounts.services.webhooks.claiming import cause_of
from config import metrics, outbox
from config.audit import attribute
from config.clock import ClockTimestamp, database_now

OFF_MAIL = "mail.webhook_endpoint_off"
GONE = 410
# After the first attempt, the second, … Each is lengthened by up to a tenth, so that what failed together parts.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=18),
    timedelta(hours=23),
)
MOST_TRIES = len(WAITS) + 1
# All waits together are a little more.
SWITCHED_OFF_AFTER = timedelta(days=3)
# A receiver may ask for a longer wait than ours, up to this.
LONGEST_WAIT = timedelta(hours=24)

ATTEMPTS = metrics.counter("webhook_attempts", "Attempts to deliver to subscribers.", ["outcome"])
SWITCHED_OFF = metrics.counter("webhook_endpoints_switched_off", "Endpoints that failed for days.", ["why"])


@dataclass(frozen=True)
class Outcome:
    """What one attempt came to. `status_code` is None where no answer came; `error` says why."""

    status_code: int | None = None
    error: str = ""
    response: str = ""
    duration_ms: int = 0
    retry_after: timedelta = timedelta()
    # False: we left the receiver alone, and this was no attempt.
    was_tried: bool = True

    @property
    def has_arrived(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def name(self) -> str:
        """For figures."""
        if self.has_arrived:
            return "delivered"
        return "no_answer" if self.status_code is None else f"{self.status_code // 100}xx"


@transaction.atomic
def record(delivery: WebhookDelivery, outcome: Outcome) -> None:
    """Log the attempt that was made under the delivery's lease, and do what follows.

    Where the lease was lost meanwhile, the log alone is written: what follows is for whoever has it now.
    """
    # In this order, like whoever removes an endpoint, or takes up its deliveries.
    endpoint = WebhookEndpoint.objects.locked().get(pk=delivery.endpoint_id)
    health = WebhookHealth.objects.locked().get(pk=endpoint.pk)
    now = database_now()
    if not outcome.was_tried:
        _put_back(delivery, now + outcome.retry_after)
        return
    _log(delivery, outcome, cause_of(delivery))
    if outcome.has_arrived:
        if _leased(delivery).update(status=DeliveryStatus.DELIVERED, leased_until=None, ended_at=ClockTimestamp()):
            health.failing_since, health.succeeded_at = None, now
            health.save(update_fields=["failing_since", "succeeded_at"])
        return
    if health.failing_since is None:
        health.failing_since = now
        health.save(update_fields=["failing_since"])
    _try_again_later(delivery, outcome, now)
    if outcome.status_code == GONE:
        _switch_off(endpoint, OffBecause.GONE)
    elif now - health.failing_since >= SWITCHED_OFF_AFTER:
        _switch_off(endpoint, OffBecause.FAILING)


@transaction.atomic
def cancel(delivery: WebhookDelivery) -> None:
    """Give up a delivery that its endpoint's owner may not know of any more."""
    _leased(delivery).update(status=DeliveryStatus.CANCELLED, leased_until=None, ended_at=ClockTimestamp())


def wait_after(tries: int, *, asked: timedelta = timedelta()) -> timedelta | None:
    """How long until the next attempt; None after the last one."""
    if tries >= MOST_TRIES:
        return None
    return max(WAITS[tries - 1] * random.uniform(1, 1.1), min(asked, LONGEST_WAIT))


def _try_again_later(delivery: WebhookDelivery, outcome: Outcome, now: datetime) -> None:
    wait = wait_after(delivery.tries, asked=outcome.retry_after)
    if wait is None or outcome.status_code == GONE:
        _leased(delivery).update(status=DeliveryStatus.FAILED, leased_until=None, ended_at=ClockTimestamp())
    else:
        _leased(delivery).update(leased_until=None, due_at=now + wait)


def _put_back(delivery: WebhookDelivery, due_at: datetime) -> None:
    _leased(delivery).update(leased_until=None, due_at=due_at, tries=delivery.tries - 1)


def _leased(delivery: WebhookDelivery) -> QuerySet[WebhookDelivery]:
    """The row, unless the lease under which the attempt was made is not the present one."""
    return WebhookDelivery.objects.filter(
        pk=delivery.pk, status=DeliveryStatus.PENDING, leased_until=delivery.leased_until
    )


def _log(delivery: WebhookDelivery, outcome: Outcome, cause: AttemptCause) -> None:
    ATTEMPTS.labels(outcome.name).inc()
    WebhookAttempt.objects.create(
        delivery=delivery,
        cause=cause,
        duration_ms=outcome.duration_ms,
        status_code=outcome.status_code,
        error=outcome.error,
        response=outcome.response,
    )


def _switch_off(endpoint: WebhookEndpoint, why: OffBecause) -> None:
    if not endpoint.is_enabled:
        return
    attribute(reason=f"{why.label}")
    endpoint.off_because = why
    endpoint.save(update_fields=["off_because"])
    SWITCHED_OFF.labels(why).inc()
    outbox.post(kind=OFF_MAIL, key=f"{OFF_MAIL}-{uuid4()}", payload={"endpoint": endpoint.pk})
