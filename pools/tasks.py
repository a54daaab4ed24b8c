"""What the scheduler hurries. The task calls one service and may run twice, or not at all, without harm."""

from celery import shared_task

from pools.services.feeds import pull_due_sources


@shared_task
def pull_feeds() -> int:
    """Pull the sources that are due; how many."""
    return len(pull_due_sources())
