"""Sweeps of the accounts, safe to run twice at once: rows are deleted by id."""

from celery import shared_task

from accounts.services import housekeeping
from config.clock import database_now


@shared_task
def forget_expired_tokens() -> int:
    """Delete tokens past their time; how many."""
    return housekeeping.forget_expired_tokens(now=database_now())


@shared_task
def forget_old_sessions() -> int:
    """Delete sessions unused for long; how many."""
    return housekeeping.forget_old_sessions(now=database_now())
