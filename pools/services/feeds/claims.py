"""Whose turn a source is: one puller at a time, over processes and restarts, and none while its breaker is open.

A claim is a number that grows. Whoever lost it (its time ran out, or the source was changed meanwhile) finds another
number when it comes to write, and writes nothing.
"""

import random
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Value
from django.db.models.functions import Coalesce

from config.clock import ClockTimestamp
from pools.models import FeedSource
from pools.models.feed import BREAKS_AFTER

# Longer than a pull may take in all.
LEASE = timedelta(minutes=2)
FIRST_COOL_OFF = timedelta(minutes=1)
LONGEST_COOL_OFF = timedelta(minutes=30)
# A server may ask us to stay away; for longer than this we do not believe it.
LONGEST_RETRY_AFTER = timedelta(hours=1)

CLAIM = """
    UPDATE pools_feedsource SET claims = claims + 1, claimed_until = clock_timestamp() + %(lease)s
    WHERE id = (
        SELECT id FROM pools_feedsource
        WHERE (claimed_until IS NULL OR claimed_until <= clock_timestamp())
            AND (id = %(source)s::bigint
                 OR (%(source)s::bigint IS NULL AND is_enabled AND next_pull_at <= clock_timestamp()))
        ORDER BY next_pull_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING *
"""


class ClaimLost(Exception):
    """Somebody else has the source now; what was fetched for it is dropped."""


@dataclass(frozen=True)
class Wait:
    """How long a source is left alone after a failure, and whether that is because its breaker opened."""

    time: timedelta
    is_broken: bool


def claim(source_id: int | None = None) -> FeedSource | None:
    """Take the source that has been due for longest, or this one, due or not; None when there is none to take."""
    return next(iter(FeedSource.objects.raw(CLAIM, {"lease": LEASE, "source": source_id})), None)


def hold(source: FeedSource) -> None:
    """Lock the claimed source until the end of the transaction. Raises `ClaimLost`."""
    if not FeedSource.objects.locked().filter(pk=source.pk, claims=source.claims).exists():
        raise ClaimLost


def give_back(source: FeedSource, **learned: object) -> None:
    """End a claim with success: the breaker closes, and the next pull comes in its time."""
    _end(source, failures=0, broken_at=None, last_error="", next_pull_at=_in(_soon(source)), **learned)


def give_up(source: FeedSource, why: str, *, retry_after: float | None = None) -> Wait:
    """End a claim with a failure, which opens the breaker when it was one too many."""
    wait = wait_after(source, source.failures + 1)
    asked = min(timedelta(seconds=retry_after or 0), LONGEST_RETRY_AFTER)
    _end(
        source,
        failures=F("failures") + 1,
        broken_at=Coalesce("broken_at", ClockTimestamp()) if wait.is_broken else None,
        last_error=why,
        next_pull_at=_in(max(wait.time, asked)),
    )
    return wait


def wait_after(source: FeedSource, failures: int) -> Wait:
    """Its usual time; from the failure on that opens the breaker, a time that doubles. Never quite the same twice."""
    if failures < BREAKS_AFTER:
        return Wait(_soon(source), is_broken=False)
    cool_off: timedelta = FIRST_COOL_OFF * 2 ** min(failures - BREAKS_AFTER, 10)
    cool_off = max(min(cool_off, LONGEST_COOL_OFF), timedelta(seconds=source.every_seconds))
    return Wait(cool_off * random.uniform(1.0, 1.5), is_broken=True)


def _soon(source: FeedSource) -> timedelta:
    """Sources of one interval drift apart instead of all being due at once."""
    return timedelta(seconds=source.every_seconds * random.uniform(0.9, 1.1))


def _in(time: timedelta) -> object:
    return ClockTimestamp() + Value(time)


def _end(source: FeedSource, **values: object) -> None:
    """Raises `ClaimLost`."""
    mine = FeedSource.objects.filter(pk=source.pk, claims=source.claims)
    if not mine.update(claimed_until=None, last_pulled_at=ClockTimestamp(), **values):
        raise ClaimLost
