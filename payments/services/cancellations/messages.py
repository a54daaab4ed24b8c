"""The messages by which a cancellation goes on: each is one batch, and leaves the next one."""

from datetime import timedelta

from config import outbox
from config.models import OutboxMessage

RUN = "cancellation.run"


def post_run(cancellation_id: int, *, walk: int = 0, before: int | None = None, delay: timedelta = timedelta()) -> bool:
    """Go on with the places whose request is older than `before`, or begin a walk over all that is left."""
    return outbox.post(
        kind=RUN,
        key=f"cancellation-{cancellation_id}-{walk}-{before or 'all'}",
        payload={"cancellation": cancellation_id, "walk": walk, "before": before},
        delay=delay,
    )


def is_under_way(cancellation_id: int) -> bool:
    """Whether a message waits that goes on with it."""
    waiting = OutboxMessage.objects.filter(kind=RUN, done_at__isnull=True, dead_at__isnull=True)
    return waiting.filter(payload__cancellation=cancellation_id).exists()
