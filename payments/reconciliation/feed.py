"""Reading what the provider has, comparing it with what we have, and dealing with what differs.

The feed is the list of all movements of our balance there: whatever moved money is in it, told of or not. Hourly, what
is new of it is read, and two hours more. A deep run reads the last days again, and the lists of sessions, charges,
refunds, disputes and payouts beside it, which shows also what has not moved money, or should have.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Greatest

from accounts.models import User
from config import metrics
from config.clock import database_now
from payments.models import FeedCursor, ObjectKind, ReconciliationRun, RunKind, RunPhase, RunStatus
from payments.providers import provider_named, provider_names
from payments.providers.port import PaymentProvider
from payments.reconciliation import differences, healing, staging
from payments.reconciliation.runs import Step, Steps, resume, start_or_resume
from payments.reconciliation.totals import control_totals
from payments.reconciliation.windows import (
    NIGHTLY_DAYS,
    SETTLED_AFTER,
    Window,
    days_of,
    deep_window,
    feed_window,
    last_night,
)

logger = logging.getLogger(__name__)

MOVEMENTS = "movement"
LISTS = {RunKind.FEED: (MOVEMENTS,), RunKind.DEEP: (MOVEMENTS, *ObjectKind.values)}
# A night whose run fails so often needs a person, not another try.
MOST_FAILURES = 3

PAGES = metrics.counter("reconciliation_pages", "Pages read of the provider's lists.", ["provider", "listing"])
ROWS = metrics.counter("reconciliation_rows", "Rows on them.", ["provider", "listing"])


def run_feed(
    *, provider: str | None = None, until: datetime | None = None, by: User | None = None
) -> ReconciliationRun | None:
    """Read what moved since the last run, and deal with it; None while another process reads. See `start_or_resume`."""
    name = provider or settings.PAYMENT_PROVIDER
    cursor = FeedCursor.objects.filter(provider=name).first()
    through = None if cursor is None else cursor.through
    return _run(RunKind.FEED, name, feed_window(through=through, now=database_now(), until=until), by)


def run_deep(
    *,
    days: int = NIGHTLY_DAYS,
    provider: str | None = None,
    until: datetime | None = None,
    by: User | None = None,
) -> ReconciliationRun | None:
    """The same over everything of the last days. One that was cut off is finished before."""
    return run_between(window=deep_window(days=days, now=database_now(), until=until), provider=provider, by=by)


def run_between(*, window: Window, provider: str | None = None, by: User | None = None) -> ReconciliationRun | None:
    """The same over any time."""
    name = provider or settings.PAYMENT_PROVIDER
    run = _run(RunKind.DEEP, name, window, by)
    if run is not None and run.resumed and run.status != RunStatus.RUNNING:
        # That was another's, with a window of its own.
        return _run(RunKind.DEEP, name, window, by)
    return run


def run_deep_if_due(*, provider: str | None = None) -> ReconciliationRun | None:
    """The run of last night, where nobody has made it yet: also later, if there was nobody to make it at night."""
    name, now = provider or settings.PAYMENT_PROVIDER, database_now()
    night = last_night(now, settings.FINANCE_TIME_ZONE)
    window = deep_window(days=days_of(night, settings.FINANCE_TIME_ZONE), now=night)
    since_then = ReconciliationRun.objects.filter(kind=RunKind.DEEP, provider=name, started_at__gte=night)
    is_made = since_then.filter(status=RunStatus.FINISHED, since__lte=window.since, until__gte=window.until).exists()
    is_hopeless = since_then.filter(status=RunStatus.FAILED).count() >= MOST_FAILURES
    if is_made or is_hopeless:
        return None
    return run_between(window=Window(window.since, now - SETTLED_AFTER), provider=name)


def go_on(provider: str) -> ReconciliationRun | None:
    """Take up what was cut off of this provider's runs; the last that was gone on with."""
    steps, livemode = _steps(provider), provider_named(provider).livemode
    found = [resume(kind=kind, steps=steps, provider=provider, livemode=livemode) for kind in LISTS]
    return next((run for run in reversed(found) if run is not None), None)


def for_each_provider(work: Callable[[str], ReconciliationRun | None]) -> int:
    """Whose lists are read: whoever takes payments now, and who has taken some before. Of how many there was a run.

    What goes wrong with one is logged, and noted on its run; the others have their turn.
    """
    known = {settings.PAYMENT_PROVIDER, *FeedCursor.objects.values_list("provider", flat=True)}
    count = 0
    for name in sorted(known.intersection(provider_names())):
        try:
            count += work(name) is not None
        except Exception:
            logger.exception("the reconciliation of %s failed", name)
    return count


def _run(kind: RunKind, provider: str, window: Window, by: User | None) -> ReconciliationRun | None:
    return start_or_resume(
        kind=kind,
        steps=_steps(provider),
        provider=provider,
        livemode=provider_named(provider).livemode,
        window=window,
        by=by,
    )


def _steps(provider: str) -> Steps:
    return {
        RunPhase.READING: partial(_read, provider_named(provider)),
        RunPhase.COMPARING: _on_what_was_read(differences.compare),
        RunPhase.HEALING: _on_what_was_read(healing.heal),
        RunPhase.CHECKING: _on_what_was_read(_check),
        RunPhase.DONE: _end,
    }


def _read(provider: PaymentProvider, run: ReconciliationRun) -> None:
    """Every list from where the run left it, page by page. What was lost of earlier pages is read again."""
    if not staging.is_whole(run):
        staging.start_again(run)
    elif not run.pages:
        staging.forget(run)
    for listing in LISTS[RunKind(run.kind)]:
        # "" begins; None is read to its end.
        while (after := run.page_cursors.get(listing, "")) is not None:
            _read_page(provider, run, listing, after or None)
    staging.gather_statistics()


def _read_page(provider: PaymentProvider, run: ReconciliationRun, listing: str, after: str | None) -> None:
    window = _window(run)
    if listing == MOVEMENTS:
        movements = provider.movements_page(since=window.since, until=window.until, after=after)
        staging.put_movements(run, listing, movements)
        count = len(movements.rows)
    else:
        kind = ObjectKind(listing)
        objects = provider.objects_page(kind, since=window.since, until=window.until, after=after)
        staging.put_objects(run, listing, objects)
        count = len(objects.rows)
    PAGES.labels(run.provider, listing).inc()
    ROWS.labels(run.provider, listing).inc(count)


def _window(run: ReconciliationRun) -> Window:
    if run.since is None or run.until is None:
        raise ValueError(f"run {run.pk} has no window, so there is nothing to read")
    return Window(run.since, run.until)


def _on_what_was_read(step: Step) -> Step:
    """The step, as long as everything that it works on is there: the tables do not outlive a crash of the database."""

    def work(run: ReconciliationRun) -> None:
        if staging.is_whole(run):
            step(run)
        else:
            staging.start_again(run)

    return work


def _check(run: ReconciliationRun) -> None:
    run.totals = control_totals(run)
    run.save(update_fields=["totals"])


def _end(run: ReconciliationRun) -> None:
    """What was read has done its work; the next feed begins where this one ended."""
    staging.forget(run)
    if run.kind == RunKind.FEED and run.until is not None:
        cursor, is_new = FeedCursor.objects.get_or_create(provider=run.provider, defaults={"through": run.until})
        if not is_new:
            FeedCursor.objects.filter(pk=cursor.pk).update(through=Greatest(F("through"), run.until))
