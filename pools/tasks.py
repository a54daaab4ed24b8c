"""What the scheduler hurries. Each task calls one service and may run twice, or not at all, without harm."""

from celery import shared_task

from pools.services.feeds import pull_due_sources
from pools.services.telling import forget_old_events as forget_events


@shared_task
def pull_feeds() -> int:
    """Pull the sources that are due; how many."""
    return len(pull_due_sources())


@shared_task
def forget_old_events() -> int:
    """Delete what was told live so long ago that nobody comes back for it; how much."""
    return forget_events()
