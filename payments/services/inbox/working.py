"""Taking what is due, and what becomes of it.

Due news of one object is taken together, for the length of a lease, by one worker: what is true of the object is
fetched once for all of it, and nobody else looks at the object meanwhile. Two claims of one object meet at an advisory
lock, which the second does not wait for; claims of other objects pass each other with SKIP LOCKED.
"""

import logging
import time
from collections.abc import Sequence

from django.db import connection, transaction

from config import metrics, outbox
from config.clock import ClockTimestamp, database_now
from config.locks import try_advisory_lock
from config.logging import scrub
from payments import figures
from payments.models import DiscrepancyKind, WebhookEvent, WebhookState
from payments.services.discrepancies import raise_discrepancy, settle_discrepancy
from payments.services.inbox.following import Following

logger = logging.getLogger(__name__)

IGNORED = metrics.counter("webhooks_ignored", "News that was put aside, by the reason.", ["because"])
DIED = metrics.counter("webhooks_given_up", "News that ten tries could not look into.")
MAX_ATTEMPTS = outbox.MAX_ATTEMPTS
LEASE_SECONDS = 120

HEAD = """
    SELECT id, provider, object_id FROM payments_webhookevent e
    WHERE status = 'received' AND due_at <= clock_timestamp() AND (%(event)s::bigint IS NULL OR id = %(event)s)
        AND NOT id = ANY(%(passed)s) AND coalesce(leased_until <= clock_timestamp(), true)
        AND (object_id = '' OR NOT EXISTS (
            SELECT 1 FROM payments_webhookevent s
            WHERE (s.provider, s.object_id, s.status) = (e.provider, e.object_id, 'received')
                AND s.leased_until > clock_timestamp()))
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
# The attempt is counted before it is made: a worker that dies has tried.
TAKE = """
    UPDATE payments_webhookevent
    SET attempts = attempts + 1, leased_until = clock_timestamp() + make_interval(secs => %(lease)s)
    WHERE id IN (
        SELECT id FROM payments_webhookevent
        WHERE status = 'received' AND due_at <= clock_timestamp()
            AND (id = %(head)s OR (provider, object_id) = (%(provider)s, %(object)s) AND object_id <> '')
        ORDER BY id FOR UPDATE SKIP LOCKED
    ) AND NOT EXISTS (
        SELECT 1 FROM payments_webhookevent s
        WHERE (s.provider, s.object_id, s.status) = (%(provider)s, %(object)s, 'received') AND s.object_id <> ''
            AND s.leased_until > clock_timestamp()
    ) RETURNING *
"""


def process_event(*, event_id: int) -> bool:
    """Look into one event, and whatever else is due about its object; False if it is not due, or at work already."""
    events = _claim(event_id)
    done = bool(events)
    while events:
        _work_on(events)
        # What came meanwhile found the object taken.
        events = _claim_more(events[0])
    return done


def sweep_events(*, limit: int = 500, seconds: float = 60.0) -> int:
    """Look into whatever is due, oldest first, until nothing is left or limit or time is spent; how many."""
    deadline, done = time.monotonic() + seconds, 0
    while done < limit and time.monotonic() < deadline and (events := _claim()):
        _work_on(events)
        done += len(events)
    return done


def retry_event(*, event_id: int) -> bool:
    """Give a dead event its tries again; whether it was dead."""
    return bool(
        WebhookEvent.objects.filter(pk=event_id, status=WebhookState.DEAD).update(
            status=WebhookState.RECEIVED, attempts=0, due_at=ClockTimestamp(), leased_until=None
        )
    )


def _claim(event_id: int | None = None) -> list[WebhookEvent]:
    """The due events of the object whose turn it is (or of this event's), leased to the caller; none if there is none.

    An object that somebody is just taking is passed over.
    """
    passed: list[int] = []
    while True:
        head, taken = _take(event_id, passed)
        if head is None or taken:
            return taken
        passed.append(head)


def _claim_more(known: WebhookEvent) -> list[WebhookEvent]:
    if not known.object_id:
        return []
    waiting = WebhookEvent.objects.filter(
        provider=known.provider, object_id=known.object_id, status=WebhookState.RECEIVED, due_at__lte=ClockTimestamp()
    )
    following = waiting.order_by("id").values_list("pk", flat=True).first()
    return [] if following is None else _claim(following)


@transaction.atomic
def _take(event_id: int | None, passed: list[int]) -> tuple[int | None, list[WebhookEvent]]:
    with connection.cursor() as cursor:
        cursor.execute(HEAD, {"event": event_id, "passed": passed})
        found = cursor.fetchone()
    if found is None:
        return None, []
    head, provider, object_id = found
    # Its row is ours, but not those of its siblings: of two who hold one each, neither waits for the other.
    if object_id and not try_advisory_lock(f"webhooks:{provider}:{object_id}"):
        return head, []
    names = {"head": head, "provider": provider, "object": object_id, "lease": LEASE_SECONDS}
    return head, sorted(WebhookEvent.objects.raw(TAKE, names), key=lambda event: event.pk)


def _work_on(events: Sequence[WebhookEvent]) -> None:
    """Follow news of one object; a failure is kept on its row and never reaches the next object."""
    following = Following()
    for event in events:
        try:
            if event.attempts > MAX_ATTEMPTS:
                raise RuntimeError("every worker that tried it died")
            because = following.follow(event)
        except Exception as error:  # noqa: BLE001  # whatever one event does, the others still have their turn
            _put_back(event, error)
        else:
            _finish(event, because)


def _finish(event: WebhookEvent, because: str) -> None:
    if because:
        IGNORED.labels(because).inc()
    figures.WEBHOOK_LAG.observe(max(0.0, (database_now() - event.received_at).total_seconds()))
    WebhookEvent.objects.filter(pk=event.pk).update(
        status=WebhookState.IGNORED if because else WebhookState.PROCESSED,
        ignored_because=because,
        error="",
        leased_until=None,
        processed_at=ClockTimestamp(),
    )
    if event.error:
        settle_discrepancy(
            kind=DiscrepancyKind.POISON_WEBHOOK, object_key=_key(event), resolution="It was looked into after all."
        )


def _put_back(event: WebhookEvent, error: Exception) -> None:
    said = scrub(f"{type(error).__name__}: {error}")[:2000]
    is_dead = event.attempts >= MAX_ATTEMPTS
    logger.log(
        logging.ERROR if is_dead else logging.WARNING,
        "webhook %s failed, attempt %s: %s", event.event_id, event.attempts, said,
    )  # fmt: skip
    waiting = WebhookEvent.objects.filter(pk=event.pk)
    if not is_dead:
        due_at = ClockTimestamp() + outbox.delay_after(event.attempts)
        waiting.update(due_at=due_at, leased_until=None, error=said)
        return
    DIED.inc()
    with transaction.atomic():
        waiting.update(status=WebhookState.DEAD, leased_until=None, error=said)
        raise_discrepancy(
            kind=DiscrepancyKind.POISON_WEBHOOK,
            object_key=_key(event),
            sentence=f"{event.event_type} about {event.object_id or 'nothing'} failed {event.attempts} times: {said}",
            suggestion="Put right what the error names, then look into it again from the list of webhooks.",
            details={"event": event.event_id, "object": event.object_id},
        )


def _key(event: WebhookEvent) -> str:
    return f"webhook:{event.pk}"
