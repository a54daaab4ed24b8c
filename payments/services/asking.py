"""Asking a provider about many things, one after the other: what every sweep does.

Each is claimed by moving its `checked_at`, so two sweeps at once ask about different ones. Whatever one of them does,
the others still have their turn; a provider that is away, or limits us, is left alone until next time.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from payments.providers.faults import ProviderError, RateLimited, Unreachable

logger = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 3
# What takes a bank days: nothing is won by asking every two minutes.
PATIENCE_WHILE_SLOW = timedelta(hours=1)


@dataclass
class Swept:
    """What a sweep did. `failed` holds the ids of what could not be asked about, with why."""

    asked: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    gave_up: bool = False


def ask_about_each(
    what: str,
    claim: Callable[[], int | None],
    ask: Callable[[int], object],
    *,
    seconds: float,
    limit: int | None = None,
) -> Swept:
    """Claim the next id and ask about it, until there is none, or time or limit is spent. `what` is for the log."""
    swept, deadline, unreached = Swept(), time.monotonic() + seconds, 0
    while (limit is None or swept.asked < limit) and time.monotonic() < deadline and (found := claim()) is not None:
        swept.asked += 1
        try:
            ask(found)
        except Exception as error:  # whatever one does, the others still have their turn
            level = logging.WARNING if isinstance(error, ProviderError) else logging.ERROR
            logger.log(level, "%s %s could not be asked about", what, found, exc_info=error)
            swept.failed[found] = f"{type(error).__name__}: {error}"
            unreached = unreached + 1 if isinstance(error, Unreachable | RateLimited) else 0
        else:
            unreached = 0
        if unreached >= FAILURES_IN_A_ROW:
            swept.gave_up = True
            break
    return swept


def not_asked_for(patience: timedelta, *, now: datetime, slow: Q) -> Q:
    """Rows whose `last` is so long ago; of those that are `slow`, an hour at least. Without patience: all, in any case.

    `last` is annotated by the caller: when it was asked about, or else when there was first something to ask.
    """
    slowly = max(patience, PATIENCE_WHILE_SLOW) if patience else patience
    return Q(last__lt=now - patience) & ~slow | Q(last__lt=now - slowly)


@transaction.atomic
def claim(due: LockedQuerySet[Any]) -> int | None:
    """The row that was asked about longest ago, counted as asked; None when each was, or another is asking about it."""
    row = due.order_by(F("checked_at").asc(nulls_first=True), "id").locked(skip_busy=True).first()
    if row is None:
        return None
    due.model._default_manager.filter(pk=row.pk).update(checked_at=ClockTimestamp())
    return int(row.pk)
