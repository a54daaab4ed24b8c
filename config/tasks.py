"""The kernel's sweeps. Each is safe to run twice at once: rows are claimed with SKIP LOCKED or deleted by id."""

from celery import shared_task

from config import heartbeat, outbox, rotation
from config.api import counting_rows, idempotency
from config.audit import sealing


@shared_task
def beat_heart() -> None:
    """Write down that the scheduler, the broker and a worker are there."""
    heartbeat.beat()


@shared_task
def drain_outbox() -> int:
    """Do what the outbox holds; how many messages were tried."""
    return outbox.drain()


@shared_task
def forget_old_keys() -> int:
    """Delete idempotency keys whose time is over."""
    return idempotency.forget_expired()


@shared_task
def forget_old_counters() -> int:
    """Delete rate-limit windows that have ended."""
    return counting_rows.forget_ended()


@shared_task
def forget_done_messages() -> int:
    """Delete outbox messages done long ago."""
    return outbox.forget_done()


@shared_task
def rotate_personal_data() -> int:
    """Encrypt anew what is under an old key, as much as fits into a task; how much."""
    return rotation.rotate(limit=20_000).total()


@shared_task
def seal_audit() -> int:
    """Link what was written to the audit since; how many entries."""
    return sealing.seal()


@shared_task
def close_audit_days() -> int:
    """Close the days of the audit that are past; how many."""
    return len(sealing.close_days())
