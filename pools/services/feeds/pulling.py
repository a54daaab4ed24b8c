"""Pulling a source: claim, fetch, judge the batch, and write what follows from it in one transaction."""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from config import metrics
from config.clock import ClockTimestamp, database_now
from config.http import Answer, HttpFailed, Limits, StatusRefused, fetch
from config.logging import scrub
from pools.models import FeedKind, FeedPull, FeedSource, PullOutcome
from pools.models.feed import LONGEST_DATE, LONGEST_ETAG
from pools.services.feeds import nflverse, scoreboard
from pools.services.feeds.batches import Batch
from pools.services.feeds.claims import ClaimLost, claim, give_back, give_up, hold
from pools.services.schedule.fixtures import ScheduleError

logger = logging.getLogger(__name__)

LIMITS = Limits(connect=3.0, read=8.0, total=20.0, attempts=3)
# However often a source says that nothing changed, something may have changed here: a game let stand, a ruling undone.
READ_AGAIN_AFTER = timedelta(hours=1)
MOST_WARNINGS = 50
UNCHANGED = "unchanged"

ADAPTERS: dict[str, Callable[[FeedSource, bytes, datetime], Batch]] = {
    FeedKind.NFLVERSE: nflverse.apply,
    FeedKind.SCOREBOARD: scoreboard.apply,
}
PULLS = metrics.counter("feed_pulls", "Pulls of results feeds.", ["kind", "outcome"])


@dataclass(frozen=True)
class Pulled:
    """How a pull ended: a `PullOutcome`, or `unchanged`; and its row, if it left one."""

    source: FeedSource
    outcome: str
    pull: FeedPull | None = None


def pull_due_sources(*, limits: Limits = LIMITS, seconds: float = 45.0) -> list[Pulled]:
    """Pull what is due, longest waiting first, until nothing is left or the time is spent.

    Two at once pull different sources. One source that fails, in whatever way, never keeps the others from their turn.
    """
    deadline, done = time.monotonic() + seconds, list[Pulled]()
    while time.monotonic() < deadline and (source := claim()) is not None:
        if (pulled := _pull(source, limits)) is not None:
            done.append(pulled)
    return done


def pull_source(*, source_id: int, limits: Limits = LIMITS) -> Pulled | None:
    """Pull this source now, due or not; None while somebody else does."""
    source = claim(source_id)
    return None if source is None else _pull(source, limits)


def _pull(source: FeedSource, limits: Limits) -> Pulled | None:
    try:
        pulled = _tried(source, limits)
    except ClaimLost:
        logger.warning("%s: another pull took over; this one wrote nothing", source)
        return None
    PULLS.labels(source.kind, pulled.outcome).inc()
    return pulled


def _tried(source: FeedSource, limits: Limits) -> Pulled:
    try:
        answer = _fetched(source, limits)
        digest = hashlib.sha256(answer.body).hexdigest()
        if answer.is_unchanged or (_is_known(source) and digest == source.digest):
            give_back(source, **({} if answer.is_unchanged else _marks(answer)))
            return Pulled(source, UNCHANGED)
        return _applied(source, answer, digest)
    except ClaimLost:
        raise
    except HttpFailed as failure:
        retry_after = failure.retry_after if isinstance(failure, StatusRefused) else None
        return _failed(source, PullOutcome.FAILED, failure.message, retry_after=retry_after)
    except ScheduleError as refusal:
        return _failed(source, PullOutcome.REFUSED, refusal.message, body=answer.body)
    except Exception as error:
        # Whatever one body does to us, its source waits its turn like any that fails.
        logger.exception("%s: a pull fell over", source)
        return _failed(source, PullOutcome.FAILED, scrub(f"{type(error).__name__}: {error}")[:500])


def _fetched(source: FeedSource, limits: Limits) -> Answer:
    """One try alone while the breaker is half-open: a server that is getting up is not met with a crowd."""
    if source.is_broken:
        limits = replace(limits, attempts=1)
    if not _is_known(source):
        return fetch(source.url, limits=limits)
    return fetch(source.url, limits=limits, etag=source.etag, last_modified=source.last_modified)


def _is_known(source: FeedSource) -> bool:
    """Whether the last body was taken whole, and lately, so that the same one again is no news."""
    return (
        bool(source.digest)
        and source.last_read_at is not None
        and (database_now() - source.last_read_at < READ_AGAIN_AFTER)
    )


@transaction.atomic
def _applied(source: FeedSource, answer: Answer, digest: str) -> Pulled:
    hold(source)
    batch = ADAPTERS[source.kind](source, answer.body, database_now())
    pull = None
    if batch.changed or batch.raised or digest != _last_digest(source):
        pull = FeedPull.objects.create(
            source=source,
            outcome=PullOutcome.APPLIED,
            digest=digest,
            size=len(answer.body),
            games=batch.games,
            changed=batch.changed,
            results=batch.results,
            raised=batch.raised,
            warnings=batch.warnings[:MOST_WARNINGS],
        )
    learned: dict[str, Any] = {"said": _said(source, batch), "last_read_at": ClockTimestamp()}
    if batch.changed:
        learned["last_changed_at"] = ClockTimestamp()
    # What is held back may be taken from the very same body later, so that one must come again.
    learned |= _marks(answer) | {"digest": digest} if not batch.held else _marks(Answer(200)) | {"digest": ""}
    give_back(source, **learned)
    return Pulled(source, PullOutcome.APPLIED, pull)


def _marks(answer: Answer) -> dict[str, Any]:
    """By which the server knows the body again; one that does not fit is as good as none."""
    return {
        "etag": answer.etag if len(answer.etag) <= LONGEST_ETAG else "",
        "last_modified": answer.last_modified if len(answer.last_modified) <= LONGEST_DATE else "",
    }


def _last_digest(source: FeedSource) -> str | None:
    return source.pulls.filter(outcome=PullOutcome.APPLIED).values_list("digest", flat=True).first()


def _said(source: FeedSource, batch: Batch) -> dict[str, str]:
    return {**source.said, **{str(game_id): score for game_id, score in batch.finals.items()}}


@transaction.atomic
def _failed(
    source: FeedSource, outcome: PullOutcome, why: str, *, body: bytes = b"", retry_after: float | None = None
) -> Pulled:
    """Nothing was taken; why is kept, and whoever watches the log hears of a breaker that opens."""
    wait = give_up(source, why, retry_after=retry_after)
    level = logging.ERROR if wait.is_broken else logging.WARNING
    logger.log(level, "%s: %s, failure %s in a row: %s", source, outcome, source.failures + 1, why)
    digest = hashlib.sha256(body).hexdigest() if body else ""
    pull = FeedPull.objects.create(source=source, outcome=outcome, refusal=why, digest=digest, size=len(body))
    return Pulled(source, outcome, pull)
