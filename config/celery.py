"""Celery only hurries what PostgreSQL already remembers: losing or doubling any message changes nothing.

Composition root: every periodic sweep of every app is listed in `BEAT`, by the dotted name of its task. Two beats at
once are harmless, because a sweep claims rows before it works on them.
"""

import logging
import os
import time
from contextlib import ExitStack
from typing import Any

from celery import Celery
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun
from django.conf import settings

from config.tracing import Kind, Work, begin, current_work

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if not settings.configured:
    # Imported before the settings, so this process was started as `celery -A config worker` or `beat`.
    os.environ["OUTLAST_PROCESS"] = os.environ.get("OUTLAST_PROCESS") or "worker"

app = Celery("outlast")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

from config import figures  # noqa: E402  # needs the settings that are read above

logger = logging.getLogger("outlast.task")

# Seconds. A sweep that found nothing is faster.
LONG_TASK = 1.0

BEAT: dict[str, dict[str, Any]] = {
    # Whoever listens live learns of a lock by it.
    "reveal rounds": {"task": "entries.tasks.reveal_due_rounds", "schedule": 2.0},
    "start pools": {"task": "entries.tasks.start_due_pools", "schedule": 15.0},
    "pull results": {"task": "pools.tasks.pull_feeds", "schedule": 30.0},
    "settle": {"task": "entries.tasks.settle_due", "schedule": 20.0},
    "expire unpaid requests": {"task": "entries.tasks.expire_unpaid_requests", "schedule": 60.0},
    "continue bulk decisions": {"task": "entries.tasks.continue_bulk_decisions", "schedule": 30.0},
    "look into webhooks": {"task": "payments.tasks.sweep_webhooks", "schedule": 10.0},
    "fetch missed webhooks": {"task": "payments.tasks.fetch_missed_webhooks", "schedule": 900.0},
    "ask about payments": {"task": "payments.tasks.sweep_payments", "schedule": 120.0},
    "ask about charges": {"task": "payments.tasks.sweep_charges", "schedule": 120.0},
    "ask about refunds": {"task": "payments.tasks.sweep_refunds", "schedule": 120.0},
    "ask about payouts": {"task": "payments.tasks.sweep_payouts", "schedule": 120.0},
    "catch up the books": {"task": "payments.tasks.catch_up_the_books", "schedule": 3600.0},
    "sum up the ledger": {"task": "payments.tasks.make_checkpoints", "schedule": 3600.0},
    "continue cancellations": {"task": "payments.tasks.continue_cancellations", "schedule": 60.0},
    "book prizes": {"task": "payments.tasks.book_prizes", "schedule": 3600.0},
    "write exports": {"task": "payments.tasks.write_exports", "schedule": 15.0},
    "run export schedules": {"task": "payments.tasks.run_export_schedules", "schedule": 300.0},
    "delete expired exports": {"task": "payments.tasks.delete_expired_exports", "schedule": 3600.0},
    "reconcile the feed": {"task": "payments.tasks.reconcile_feed", "schedule": 3600.0},
    # At three by the clock of finance; asked often, so that a night without a worker is made up for.
    "reconcile deeply": {"task": "payments.tasks.reconcile_deep", "schedule": 600.0},
    # After the deep run of the night.
    "check the night": {"task": "payments.tasks.check_the_night", "schedule": 600.0},
    "match bank lines": {"task": "payments.tasks.match_bank_lines", "schedule": 3600.0},
    "continue reconciliations": {"task": "payments.tasks.continue_reconciliations", "schedule": 120.0},
    "beat the heart": {"task": "config.tasks.beat_heart", "schedule": 15.0},
    "drain the outbox": {"task": "config.tasks.drain_outbox", "schedule": 5.0},
    "seal the audit": {"task": "config.tasks.seal_audit", "schedule": 5.0},
    "close days of the audit": {"task": "config.tasks.close_audit_days", "schedule": 600.0},
    "forget old idempotency keys": {"task": "config.tasks.forget_old_keys", "schedule": 600.0},
    "forget done outbox messages": {"task": "config.tasks.forget_done_messages", "schedule": 600.0},
    "forget old rate-limit counters": {"task": "config.tasks.forget_old_counters", "schedule": 600.0},
    "deliver webhooks": {"task": "accounts.tasks.deliver_webhooks", "schedule": 5.0},
    "send letters": {"task": "accounts.tasks.send_letters", "schedule": 5.0},
    "write reminders": {"task": "entries.tasks.write_reminders", "schedule": 300.0},
    "forget old reminders": {"task": "entries.tasks.forget_old_reminders", "schedule": 600.0},
    "forget old rehearsals": {"task": "entries.tasks.forget_old_rehearsals", "schedule": 3600.0},
    "forget old letters": {"task": "accounts.tasks.forget_old_letters", "schedule": 600.0},
    "forget webhook deliveries": {"task": "accounts.tasks.forget_webhook_deliveries", "schedule": 600.0},
    "tell of ended exclusions": {"task": "accounts.tasks.tell_ended_exclusions", "schedule": 600.0},
    "tell of raised limits": {"task": "accounts.tasks.tell_raised_limits", "schedule": 600.0},
    "rotate personal data": {"task": "config.tasks.rotate_personal_data", "schedule": 3600.0},
    "forget expired tokens": {"task": "accounts.tasks.forget_expired_tokens", "schedule": 600.0},
    "forget dead API keys": {"task": "accounts.tasks.forget_dead_api_keys", "schedule": 3600.0},
    "forget sign-in attempts": {"task": "accounts.tasks.forget_sign_in_attempts", "schedule": 600.0},
    "forget old documents": {"task": "accounts.tasks.forget_old_documents", "schedule": 3600.0},
    "forget old sessions": {"task": "accounts.tasks.forget_old_sessions", "schedule": 600.0},
    "forget browsers": {"task": "accounts.tasks.forget_browsers", "schedule": 3600.0},
    "forget changes of address": {"task": "accounts.tasks.forget_email_changes", "schedule": 3600.0},
    "forget set-ups of second factors": {"task": "accounts.tasks.forget_old_setups", "schedule": 3600.0},
    "forget old events of pools": {"task": "pools.tasks.forget_old_events", "schedule": 600.0},
    "forget unverified accounts": {"task": "accounts.tasks.forget_unverified_accounts", "schedule": 3600.0},
}
app.conf.beat_schedule = BEAT


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Celery configures logging unless somebody listens here; Django's `LOGGING` is already in place."""


@before_task_publish.connect
def send_along(headers: dict[str, Any], **_: Any) -> None:
    """A message says for which request it was sent, and in which trace."""
    work = current_work.get()
    if work is not None:
        headers["outlast_request_id"] = work.request_id
        headers["outlast_traceparent"] = work.trace.traceparent


_entered: dict[str, tuple[ExitStack, Work, float]] = {}


@task_prerun.connect
def enter_task(task_id: str, task: Any, **_: Any) -> None:
    """A task's lines and statements carry the request's id that it was sent for, else its own."""
    sent = task.request
    stack = ExitStack()
    work = stack.enter_context(
        begin(
            request_id=getattr(sent, "outlast_request_id", None) or task_id,
            traceparent=getattr(sent, "outlast_traceparent", None) or "",
            route=task.name,
            kind=Kind.TASK,
        )
    )
    _entered[task_id] = stack, work, time.perf_counter()


@task_postrun.connect
def leave_task(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
    """One line for each task. Sweeps come every few seconds and find nothing: theirs is for who looks closely."""
    stack, work, began = _entered.pop(task_id)
    seconds, attempt = time.perf_counter() - began, (task.request.retries or 0) + 1
    work.ended = state
    is_redelivered = bool((task.request.delivery_info or {}).get("redelivered"))
    figures.task_done(task.name, state or "UNKNOWN", seconds, is_again=is_redelivered or attempt > 1)
    logger.log(
        logging.DEBUG if state == "SUCCESS" and seconds < LONG_TASK else logging.INFO,
        "task %s %s %.0fms", task.name, state, seconds * 1000,
        extra={
            "task": task.name, "task_id": task_id, "state": state, "attempt": attempt, "redelivered": is_redelivered,
            "ms": round(seconds * 1000, 1), **work.fields(),
        },
    )  # fmt: skip
    stack.close()
