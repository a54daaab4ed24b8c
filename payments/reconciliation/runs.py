"""How a run goes on: one at a time, phase by phase, each committed before the next begins.

    READING → COMPARING → HEALING → CHECKING → DONE

What a run has done stands in its row, so one that was killed is taken up where it was by whoever comes next: a step
begins again at worst, and bears that. Only one process works for a provider; a second one goes away at once.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import pairwise

from django.db import Error, transaction

from accounts.models import User
from config import metrics
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.locks import held_across_transactions
from config.version import code_version
from payments.models import ReconciliationRun, RunKind, RunPhase, RunStatus
from payments.providers.faults import ProviderError, Rejected
from payments.reconciliation.windows import Window

logger = logging.getLogger(__name__)

Step = Callable[[ReconciliationRun], object]
Steps = Mapping[RunPhase, Step]

RUNS = metrics.counter("reconciliation_runs", "Runs, by how they ended for now.", ["kind", "outcome"])
SECONDS = metrics.histogram(
    "reconciliation_seconds", "Time at work on a run.", ["kind"], buckets=(1, 5, 15, 30, 60, 120, 300, 900, 3600)
)

_FOLLOWING = dict(pairwise(RunPhase))
MOST_STEPS = 5 * len(RunPhase)
# What was read longer ago than this is not compared with what is true now.
STALE_AFTER = timedelta(hours=6)
MOST_RESUMED = 50
LONGEST_ERROR = 500
# These read the same lists and write the same rows: of both kinds together, one at a time.
_READERS = (RunKind.FEED, RunKind.DEEP)


class Overtaken(Exception):
    """Somebody else has gone on with this run: our connection, and with it our lock, was lost meanwhile."""


def start_or_resume(
    *,
    kind: RunKind,
    steps: Steps,
    provider: str = "",
    livemode: bool = False,
    window: Window | None = None,
    by: User | None = None,
) -> ReconciliationRun | None:
    """Carry out a run, or the rest of one that was cut off; None when another process is at one.

    A step takes the run and works outside any transaction, and may begin again after a kill; that of RunPhase.DONE
    works within the transaction that ends the run. A provider that cannot be asked leaves the run to be taken up again,
    and `error` says why. What it refuses for good fails the run, and so does any other error, which is raised as well.
    Answers the run as it is then.
    """
    with alone(kind, provider) as is_ours:
        if not is_ours:
            RUNS.labels(kind, "busy").inc()
            return None
        run = _unfinished(kind, provider, livemode) or _begin(kind, provider, livemode, window, by)
        return _carry_out(run, steps)


def resume(*, kind: RunKind, steps: Steps, provider: str = "", livemode: bool = False) -> ReconciliationRun | None:
    """Go on with a run that was cut off; None where there is none, or somebody is at it."""
    if not ReconciliationRun.objects.filter(kind=kind, provider=provider, status=RunStatus.RUNNING).exists():
        return None
    with alone(kind, provider) as is_ours:
        run = _unfinished(kind, provider, livemode) if is_ours else None
        return None if run is None else _carry_out(run, steps)


def alone(kind: RunKind, provider: str) -> AbstractContextManager[bool]:
    """The lock of all runs like this; False inside where another process holds it."""
    what = "feed" if kind in _READERS else str(kind)
    return held_across_transactions(f"reconcile {what} {provider}")


def fail(run: ReconciliationRun, error: str) -> None:
    """End it as failed, with what a person should know."""
    with transaction.atomic():
        attribute(reason=error)
        _change(run, run.phase, status=RunStatus.FAILED, error=error[:LONGEST_ERROR], finished_at=ClockTimestamp())
    RUNS.labels(run.kind, "failed").inc()


def _unfinished(kind: RunKind, provider: str, livemode: bool) -> ReconciliationRun | None:
    """The one that was cut off, counted as taken up; what nobody can go on with is ended instead."""
    run = ReconciliationRun.objects.filter(kind=kind, provider=provider, status=RunStatus.RUNNING).first()
    if run is None:
        return None
    why_not = _why_not_again(run, livemode)
    if why_not:
        fail(run, why_not)
        return None
    _change(run, run.phase, resumed=run.resumed + 1)
    logger.info("run %s was cut off while %s: going on", run.pk, run.phase)
    return run


def _why_not_again(run: ReconciliationRun, livemode: bool) -> str:
    if run.livemode != livemode:
        return "It was cut off, and the key is of the other mode since."
    if run.touched_at < database_now() - STALE_AFTER:
        return "It was cut off, and what it had read is too old to be compared."
    return "It was cut off too often." if run.resumed >= MOST_RESUMED else ""


@transaction.atomic
def _begin(kind: RunKind, provider: str, livemode: bool, window: Window | None, by: User | None) -> ReconciliationRun:
    attribute(by=by, reason="a reconciliation")
    run = ReconciliationRun.objects.create(
        kind=kind,
        provider=provider,
        livemode=livemode,
        since=None if window is None else window.since,
        until=None if window is None else window.until,
        code_version=code_version(),
        started_by=by,
    )
    run.refresh_from_db()
    return run


def _carry_out(run: ReconciliationRun, steps: Steps) -> ReconciliationRun:
    started = time.monotonic()
    try:
        _go_through(run, steps)
    except ProviderError as error:
        _note(run, error)
    except Overtaken:
        RUNS.labels(run.kind, "overtaken").inc()
        logger.warning("run %s is gone on with by somebody else", run.pk)
    except Exception as error:
        logger.exception("run %s failed while %s", run.pk, run.phase)
        _fail_if_possible(run, f"{type(error).__name__} while {run.phase}")
        raise
    finally:
        SECONDS.labels(run.kind).observe(time.monotonic() - started)
    run.refresh_from_db()
    return run


def _go_through(run: ReconciliationRun, steps: Steps) -> None:
    """Phase after phase. A step may send the run back to an earlier one; not for ever, though."""
    for _ in range(MOST_STEPS):
        if run.phase == RunPhase.DONE:
            return
        phase = RunPhase(run.phase)
        if phase in steps:
            steps[phase](run)
        if run.phase == phase:
            _enter(run, phase, _FOLLOWING[phase], steps)
    raise RuntimeError(f"run {run.pk} goes round in circles")


def _enter(run: ReconciliationRun, phase: str, following: RunPhase, steps: Steps) -> None:
    """The phase is over; after the last one the run is."""
    if following != RunPhase.DONE:
        _change(run, phase, phase=following)
        return
    with transaction.atomic():
        if RunPhase.DONE in steps:
            steps[RunPhase.DONE](run)
        attribute(reason="everything was read, compared and dealt with")
        _change(run, phase, phase=following, status=RunStatus.FINISHED, error="", finished_at=ClockTimestamp())
    RUNS.labels(run.kind, "finished").inc()


def _change(run: ReconciliationRun, at: str, /, **values: object) -> None:
    """Write to the run as long as it is where we think it is. Raises `Overtaken`."""
    ours = ReconciliationRun.objects.filter(
        pk=run.pk, status=RunStatus.RUNNING, phase=at, pages=run.pages, resumed=run.resumed
    )
    if ours.update(touched_at=ClockTimestamp(), **values) != 1:
        raise Overtaken
    run.refresh_from_db()


def _note(run: ReconciliationRun, error: ProviderError) -> None:
    """It waits for the provider, or it is over: a refusal stays one."""
    said = f"{type(error).__name__}: {error}"[:LONGEST_ERROR]
    if isinstance(error, Rejected):
        _fail_if_possible(run, said)
        return
    logger.warning("run %s waits while %s: %s", run.pk, run.phase, said)
    ReconciliationRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(error=said)
    RUNS.labels(run.kind, "waiting").inc()


def _fail_if_possible(run: ReconciliationRun, error: str) -> None:
    """A broken connection keeps it running on paper: it is taken up again."""
    try:
        run.refresh_from_db()
        fail(run, error)
    except (Error, Overtaken):
        logger.warning("run %s could not be ended", run.pk)
