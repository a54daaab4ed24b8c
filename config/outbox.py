"""Work for later, remembered by PostgreSQL: posted with the change that causes it, done after the commit.

    outbox.post(kind="mail.request_approved", key=f"request-approved-{request.pk}", payload={"request": request.pk})

    @outbox.handler("mail.request_approved")
    def mail_request_approved(payload): ...

A message exists exactly when its transaction committed. `drain()` claims one message at a time, runs its handler
outside any transaction (a handler may call a mail server or a provider), and marks it done; a handler that raises is
tried again, later and later, and after ten times the message is dead and waits for a person, its last error kept.
A worker that dies holding a message loses it to the next one when its lease ends, so handlers run at least once and
must bear a second time. Celery's beat drains every five seconds; `hurry()` only makes that sooner.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from celery import Celery
from django.db import connection, transaction

from config import tracing
from config.clock import ClockTimestamp, database_now
from config.errors import Code, Conflict
from config.housekeeping import forgets
from config.logging import current_request_id, scrub
from config.models import OutboxMessage

logger = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], None]

MAX_ATTEMPTS = 10
LEASE = timedelta(minutes=3)
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
KEPT_WHEN_DONE = timedelta(days=90)
# How long a process leaves the broker alone after it could not be reached.
BROKER_PAUSE_SECONDS = 15.0
DRAIN = "config.tasks.drain_outbox"
MOST_WISHES = 1000

_handlers: dict[str, Handler] = {}


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register what is done with messages of a kind. Refuses two handlers of one kind."""

    def register(function: Handler) -> Handler:
        if _handlers.get(kind, function) is not function:
            raise ValueError(f"{kind} has a handler already")
        _handlers[kind] = function
        return function

    return register


def post(*, kind: str, key: str, payload: Mapping[str, Any] | None = None, delay: timedelta = timedelta()) -> bool:
    """Remember work for after the commit; whether it is new (a key already posted changes nothing).

    Refuses to be called outside a transaction: there the message could exist without the change, or the other way.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("outbox.post() belongs into the transaction of the change that causes the work")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO config_outboxmessage
                (kind, key, payload, request_id, traceparent, due_at, attempts, last_error)
            VALUES (%s, %s, %s::jsonb, %s, %s, clock_timestamp() + make_interval(secs => %s), 0, '')
            ON CONFLICT (key) DO NOTHING
            """,
            [
                kind,
                key,
                json.dumps(dict(payload or {})),
                current_request_id.get(),
                tracing.traceparent(),
                delay.total_seconds(),
            ],
        )
        is_new = bool(cursor.rowcount)
    if is_new and not delay:
        transaction.on_commit(hurry)
    return is_new


def post_many(*, kind: str, rows: str, params: Mapping[str, Any]) -> int:
    """Remember one message per row of a SELECT; how many are new. For as many as there are: none passes through Python.

    `rows` is SQL of two columns, the key and the payload as jsonb. As with `post()`, a key already posted changes
    nothing, and a call outside a transaction is refused.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("outbox.post_many() belongs into the transaction of the change that causes the work")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO config_outboxmessage
                (kind, key, payload, request_id, traceparent, due_at, attempts, last_error)
            SELECT %(outbox_kind)s, posted.key, posted.payload, %(outbox_request)s, %(outbox_trace)s,
                clock_timestamp(), 0, ''
            FROM ({rows}) AS posted (key, payload)
            ON CONFLICT (key) DO NOTHING
            """,
            {
                **params,
                "outbox_kind": kind,
                "outbox_request": current_request_id.get(),
                "outbox_trace": tracing.traceparent(),
            },
        )
        count = int(cursor.rowcount)
    if count:
        transaction.on_commit(hurry)
    return count


def drain(*, limit: int = 500, seconds: float = 60.0) -> int:
    """Do what is due, oldest first, until nothing is left or the limit or time is spent; how many were tried."""
    started, tried = time.monotonic(), 0
    while tried < limit and time.monotonic() - started < seconds:
        message = _claim()
        if message is None:
            break
        _work_on(message)
        tried += 1
    return tried


def retry(*, message_id: int) -> None:
    """Give a dead message its ten tries again. Refuses one that is not dead."""
    revived = OutboxMessage.objects.filter(id=message_id, dead_at__isnull=False).update(
        dead_at=None, attempts=0, due_at=ClockTimestamp()
    )
    if not revived:
        raise Conflict(Code.INVALID_TRANSITION, "Only a message that was given up can be tried again.")


@forgets("done outbox messages", "90 days after they were done", task="config.tasks.forget_done_messages")
def forget_done(*, limit: int = 10_000) -> int:
    """Delete messages done more than `KEPT_WHEN_DONE` ago; how many. Until then their keys keep repeats out."""
    old = OutboxMessage.objects.filter(done_at__lt=database_now() - KEPT_WHEN_DONE)
    deleted, _ = OutboxMessage.objects.filter(id__in=list(old.values_list("id", flat=True)[:limit])).delete()
    return deleted


def hurry(task: str = DRAIN, *args: int) -> None:
    """Ask a worker to drain, or to run another task, soon. Never raises and never waits: a thread does the asking."""
    global _messenger
    try:
        if _messenger is None or not _messenger.is_alive():
            # The first call in this process; a fork inherits the object but not its thread.
            _messenger = _Messenger()
            _messenger.start()
        _messenger.ask(task, args)
    except RuntimeError:
        # The interpreter is going down; the row is there, and beat will find it.
        logger.debug("no hint to the workers")


def _claim() -> OutboxMessage | None:
    """Take the oldest due message for the length of a lease, and count the attempt before it is made."""
    found = OutboxMessage.objects.raw(
        """
        UPDATE config_outboxmessage SET attempts = attempts + 1, due_at = clock_timestamp() + %s
        WHERE id = (
            SELECT id FROM config_outboxmessage
            WHERE done_at IS NULL AND dead_at IS NULL AND due_at <= clock_timestamp()
            ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING *
        """,
        [LEASE],
    )
    return next(iter(found), None)


def _work_on(message: OutboxMessage) -> None:
    with tracing.begin(
        request_id=message.request_id,
        traceparent=message.traceparent,
        route=f"outbox/{message.kind}",
        kind=tracing.Kind.TASK,
    ):
        try:
            if message.attempts > MAX_ATTEMPTS:
                raise RuntimeError("every worker that tried it died")
            known = _handlers.get(message.kind)
            if known is None:
                raise LookupError(f"nobody handles {message.kind}")
            known(message.payload)
        except Exception as error:  # noqa: BLE001  # a handler may fail in any way; its message is tried again
            _put_back(message, error)
        else:
            OutboxMessage.objects.filter(pk=message.pk).update(done_at=ClockTimestamp(), last_error="")


def _put_back(message: OutboxMessage, error: Exception) -> None:
    said = scrub(f"{type(error).__name__}: {error}")[:2000]
    is_dead = message.attempts >= MAX_ATTEMPTS
    logger.log(
        logging.ERROR if is_dead else logging.WARNING,
        "outbox %s %s failed, attempt %s: %s", message.kind, message.pk, message.attempts, said,
    )  # fmt: skip
    waiting = OutboxMessage.objects.filter(pk=message.pk)
    if is_dead:
        waiting.update(dead_at=ClockTimestamp(), last_error=said)
    else:
        waiting.update(due_at=ClockTimestamp() + delay_after(message.attempts), last_error=said)


def delay_after(attempts: int) -> timedelta:
    """5 s, 20 s, 80 s … an hour at most: a mail server may be away for an afternoon."""
    factor: int = 4 ** min(attempts - 1, 10)
    return min(FIRST_DELAY * factor, LONGEST_DELAY)


class _Messenger(threading.Thread):
    """Tells the broker that there is work; the same wish many times within one message's way is one message."""

    def __init__(self) -> None:
        super().__init__(name="outbox-messenger", daemon=True)
        self.wanted = threading.Event()
        self.wishes: set[tuple[str, tuple[int, ...]]] = set()
        self.broker = Celery("outlast-hints", set_as_current=False)
        self.broker.config_from_object("django.conf:settings", namespace="CELERY")

    def ask(self, task: str, args: tuple[int, ...]) -> None:
        """Remember the wish, unless the broker is so far behind that beat will be there first."""
        if len(self.wishes) < MOST_WISHES:
            self.wishes.add((task, args))
        self.wanted.set()

    def run(self) -> None:
        while True:
            self.wanted.wait()
            self.wanted.clear()
            try:
                while self.wishes:
                    task, args = self.wishes.pop()
                    # A hint that is old says nothing: beat has drained since.
                    self.broker.send_task(task, args=args, expires=30)
            except Exception as failure:  # noqa: BLE001  # transports raise what they like; hints go on
                logger.warning("broker away, no hints for %.0f s: %s", BROKER_PAUSE_SECONDS, type(failure).__name__)
                self.wishes.clear()
                time.sleep(BROKER_PAUSE_SECONDS)


_messenger: _Messenger | None = None
