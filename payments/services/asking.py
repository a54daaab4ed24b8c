"""Asking a provider about many things, one after the other: what a sweep does once it knows how to claim the next.

Whatever one of them does, the others still have their turn; a provider that is away, or limits us, is left alone until
next time.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from payments.providers.faults import ProviderError, RateLimited, Unreachable

logger = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 3


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
