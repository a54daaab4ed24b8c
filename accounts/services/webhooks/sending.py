"""Sending what is due: rows are taken up and written by one thread, calls are made by many.

No call is made inside a transaction, and none by a thread that holds a connection to the database. A receiver gets
fifteen seconds, answers with any 2xx, and is not followed anywhere else.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from datetime import timedelta

from accounts.models.webhook_types import Covers
from accounts.models.webhooks import EXCERPT_LENGTH, WebhookDelivery
from accounts.services.webhooks.claiming import AT_ONCE, claim
from accounts.services.webhooks.endpoints import may_see_all
from accounts.services.webhooks.outcomes import Outcome, cancel, record
from accounts.services.webhooks.signing import body_of, headers_of
from config.clock import database_now
from config.http import SUBSCRIBERS, AddressRefused, Answer, CircuitOpen, HttpFailed, Limits, send
from config.locks import held_across_transactions
from config.logging import one_line, scrub

logger = logging.getLogger(__name__)

LIMITS = Limits(connect=5.0, read=10.0, total=15.0, attempts=1, largest_body=4096, cuts_body=True)
THREADS = 16
# Endpoints that fail are mostly slow as well: the other half is for those that do not.
THREADS_FOR_FAILING = THREADS // 2
SECONDS = 20.0

Running = dict[Future[Outcome], WebhookDelivery]


def deliver_due(*, seconds: float = SECONDS) -> int:
    """Send what is due until nothing is, or the time is over; how many were tried. One process does so at a time."""
    with held_across_transactions("webhooks") as is_ours:
        return _deliver(seconds) if is_ours else 0


def _deliver(seconds: float) -> int:
    deadline, tried = time.monotonic() + seconds, 0
    running: Running = {}
    with ThreadPoolExecutor(THREADS, thread_name_prefix="webhooks") as threads:
        while True:
            while len(running) <= THREADS - AT_ONCE and time.monotonic() < deadline:
                taken = claim(only_healthy=_failing(running) >= THREADS_FOR_FAILING)
                if not taken:
                    break
                tried += _start(taken, threads, running)
            if not running:
                return tried
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for call in done:
                _finish(running.pop(call), call)


def _start(deliveries: Sequence[WebhookDelivery], threads: ThreadPoolExecutor, running: Running) -> int:
    """Hand over what may still be told; how many."""
    now, started = database_now(), 0
    for delivery in deliveries:
        if not _may_be_told(delivery):
            cancel(delivery)
            continue
        body = body_of(delivery)
        headers = headers_of(delivery, body, now=now)
        # With the trace of the task at hand, which a thread does not have by itself.
        call = threads.submit(copy_context().run, attempt, delivery.endpoint.url, headers, body)
        running[call] = delivery
        started += 1
    return started


def _may_be_told(delivery: WebhookDelivery) -> bool:
    """Rights can have gone since it was posted."""
    endpoint = delivery.endpoint
    is_seen = endpoint.covers == Covers.OWN or may_see_all(endpoint.user, delivery.type)
    return endpoint.user.is_active and is_seen


def _finish(delivery: WebhookDelivery, call: Future[Outcome]) -> None:
    try:
        outcome = call.result()
    except Exception as error:
        # A fault of ours in one call must not keep the others from being written down; the lease brings it back.
        logger.exception("delivery %s could not be sent", delivery.pk)
        outcome = Outcome(error=type(error).__name__)
    record(delivery, outcome)


def _failing(running: Running) -> int:
    """How many calls to endpoints that failed last time are under way."""
    return sum(delivery.endpoint.health.failing_since is not None for delivery in running.values())


def attempt(url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
    """One call to a receiver, and what it came to. Never raises for what the other side does."""
    started = time.monotonic()
    try:
        answer = send("POST", url, purpose=SUBSCRIBERS, headers=headers, body=body, limits=LIMITS)
    except CircuitOpen as refusal:
        return Outcome(retry_after=timedelta(seconds=refusal.retry_after), was_tried=False)
    except AddressRefused:
        return Outcome(error="its address leads to nowhere in the open internet", duration_ms=_since(started))
    except HttpFailed as failure:
        return Outcome(error=failure.message, duration_ms=_since(started))
    return Outcome(
        status_code=answer.status,
        error="" if answer.status < 300 else f"answered {answer.status}",
        response=_excerpt(answer),
        duration_ms=_since(started),
        retry_after=_asked(answer),
    )


def _since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


def _excerpt(answer: Answer) -> str:
    """The beginning of what was answered, in one harmless line."""
    return scrub(one_line(answer.body[: 2 * EXCERPT_LENGTH].decode(errors="replace")))[:EXCERPT_LENGTH]


def _asked(answer: Answer) -> timedelta:
    """For how long the receiver asks to be left alone, where it says so in seconds."""
    asked = answer.headers.get("Retry-After", "")
    return timedelta(seconds=int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else timedelta()
