"""Does the money agree? Everything at once, for whoever asks now: what is under way, what is missing, what differs.

Payments and refunds under way are asked about first, however new; the sessions of the time are gone through, and what
we do not have is brought back; then a deep run reads, compares and heals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.clock import database_now
from payments.models import Discrepancy, DiscrepancyKind, ReconciliationRun, RunStatus
from payments.models.discrepancy import OPEN_STATES
from payments.providers import online_provider
from payments.providers.faults import ProviderError
from payments.reconciliation.differences import rows_that_disagree
from payments.reconciliation.feed import run_between
from payments.reconciliation.windows import Window
from payments.reports.base import Narrowing
from payments.services.adoption import adopt_window
from payments.services.provider_state import Source
from payments.services.refunds.sending import sweep_refunds
from payments.services.sweep import sweep_payments

# How far back the provider's lists are read unless a day is given.
LATELY = timedelta(days=3)
LONGEST_SWEEP = 3600.0


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that does not agree: by which rule, about what, and a sentence."""

    rule: str
    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Result:
    """What differs after all that heals has healed; the run, if the provider could be read."""

    differences: tuple[Told, ...]
    run: ReconciliationRun | None


def reconcile(*, narrowing: Narrowing) -> Result:
    """Ask about all that is under way, bring back what is missing, then read, compare and heal. See `Result`."""
    unknown, is_away = _ask_about_what_is_under_way()
    window = _window(narrowing)
    if is_away:
        return Result((*unknown, *_of_our_rows(narrowing)), None)
    missing, could_read = _adopt(window)
    run = run_between(window=window) if could_read else None
    found = [*unknown, *missing]
    if run is None or run.status != RunStatus.FINISHED:
        if could_read:
            found.append(_unfinished(run))
        return Result((*found, *_of_our_rows(narrowing)), run)
    # A run over days compares the rows of these days; whoever asks wants to hear of all.
    told = {(one.rule, one.subject): one for one in (*_of_our_rows(narrowing), *_of_queue(run, narrowing))}
    return Result((*found, *_stopped(run), *(one for _, one in sorted(told.items()))), run)


def _ask_about_what_is_under_way() -> tuple[list[Told], bool]:
    """What could not be asked about; and whether the provider is away."""
    swept = sweep_payments(seconds=LONGEST_SWEEP, patience=timedelta(), source=Source.RECONCILE)
    refunds = sweep_refunds(seconds=LONGEST_SWEEP, patience=timedelta())
    told = [
        Told("not_answered", f"{noun} {number}", f"the provider could not be asked: {why}")
        for noun, failed in (("payment", swept.failed), ("refund", refunds.failed))
        for number, why in sorted(failed.items())
    ]
    if swept.gave_up:
        told.append(Told("not_answered", "further payments", "were not asked about: the provider is away"))
    return told, swept.gave_up


def _window(narrowing: Narrowing) -> Window:
    since, until = narrowing.bounds()
    now = database_now()
    end = min(until or now, now)
    return Window(min(since or end - LATELY, end - timedelta(seconds=1)), end)


def _adopt(window: Window) -> tuple[list[Told], bool]:
    """What was missing here and what became of it, however new; and whether the provider could be asked."""
    try:
        adopted = list(
            adopt_window(
                provider=online_provider().name, since=window.since, until=window.until, source=Source.RECONCILE
            )
        )
    except ProviderError as error:
        return [Told("not_answered", "sessions", f"the provider could not be asked for its sessions: {error}")], False
    return [Told("missing_locally", f"payment {one.ref}", one.sentence) for one in adopted], True


def _unfinished(run: ReconciliationRun | None) -> Told:
    if run is None:
        return Told("not_answered", "lists", "were not read: another process is reading them")
    return Told("not_answered", f"run {run.pk}", f"is not finished: {run.error}")


def _stopped(run: ReconciliationRun) -> Iterator[Told]:
    for kind, count in sorted(run.stopped_healing.items()):
        label = DiscrepancyKind(kind).label
        yield Told(DiscrepancyKind.MASS_HEALING, f"run {run.pk}", f"{count} of “{label}” are too many to heal unasked")


def _of_queue(run: ReconciliationRun, narrowing: Narrowing) -> list[Told]:
    """What the run has seen and could not heal."""
    rows = Discrepancy.objects.filter(last_run=run, status__in=OPEN_STATES)
    return [
        Told(str(row.details.get("rule", row.kind)), row.object_key.replace(":", " "), row.sentence)
        for row in rows.iterator(chunk_size=500)
        if _is_within(_instant(row.details.get("happened_at")), narrowing)
    ]


def _of_our_rows(narrowing: Narrowing) -> list[Told]:
    provider = online_provider()
    found = rows_that_disagree(provider=provider.name, livemode=provider.livemode)
    return [
        Told(one.rule, one.object_key.replace(":", " "), one.sentence)
        for one in found
        if _is_within(one.happened_at, narrowing)
    ]


def _is_within(instant: datetime | None, narrowing: Narrowing) -> bool:
    since, until = narrowing.bounds()
    return instant is None or ((since is None or instant >= since) and (until is None or instant < until))


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
