"""The report of a run, as data: whose, which window, both sides, what was healed and what is open, and a verdict.

It is green only if both sides come to the same in every line, everything that the books must tie to does, and nothing
has been waiting for a person for longer than is promised. What a run has seen can be had as a file, with its digest.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Sum
from django.db.models.functions import Abs

from config.clock import database_now
from config.money import format_amount, to_decimal
from payments.ages import bucket_of
from payments.exports.csv_file import write_csv
from payments.models import Discrepancy, DiscrepancyKind, DiscrepancyState, ReconciliationRun, RunStatus
from payments.models.discrepancy import OPEN_STATES, URGENT
from payments.reconciliation.totals import MATCHED
from payments.reports.base import Report, code, money, number, text

# How long a row may wait: what is urgent, and everything else.
URGENT_WITHIN = timedelta(days=1)
WITHIN = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class BothSides:
    """One line of the control totals, in minor units. What is young may still be on its way, and counts with ours."""

    currency: str
    what: str
    our_count: int
    ours: int
    their_count: int
    theirs: int
    young_count: int = 0
    young: int = 0

    @property
    def difference(self) -> int:
        return self.ours + self.young - self.theirs

    @property
    def agrees(self) -> bool:
        return (self.our_count + self.young_count, self.ours + self.young) == (self.their_count, self.theirs)


@dataclass(frozen=True, slots=True)
class OpenItems:
    """What is open of one kind and currency: how many, how much money, and since when the oldest (`age`: in words)."""

    kind: str
    currency: str
    count: int
    cents: int
    oldest: datetime
    age: str


@dataclass(frozen=True, slots=True)
class RunReport:
    """See the module. `matched_percent` is of the provider's movements, None where there are none."""

    lines: tuple[BothSides, ...]
    matched_percent: float | None
    still_open: tuple[OpenItems, ...]
    objections: tuple[str, ...]

    @property
    def is_green(self) -> bool:
        return not self.objections


def report_of(run: ReconciliationRun) -> RunReport:
    """What a run has to say, and what is open now."""
    lines = tuple(_both_sides(run))
    still_open = tuple(_still_open())
    return RunReport(
        lines=lines,
        matched_percent=_matched(lines),
        still_open=still_open,
        objections=tuple(_objections(run, lines, still_open)),
    )


def _both_sides(run: ReconciliationRun) -> Iterator[BothSides]:
    for currency, whats in sorted(run.totals.items()):
        for what, sides in whats.items():
            yield BothSides(currency, what, *sides["ours"], *sides["theirs"], *sides.get("young", (0, 0)))


def _matched(lines: tuple[BothSides, ...]) -> float | None:
    matched = [line for line in lines if line.what == MATCHED]
    theirs = sum(line.their_count for line in matched)
    return round(100 * sum(line.our_count for line in matched) / theirs, 2) if theirs else None


def _still_open() -> Iterator[OpenItems]:
    now = database_now()
    rows = Discrepancy.objects.filter(status__in=OPEN_STATES).order_by("kind", "currency")
    for row in rows.values("kind", "currency").annotate(
        count=Count("pk"), cents=Sum(Abs("amount_cents")), oldest=Min("opened_at")
    ):
        cents, age = int(row["cents"] or 0), bucket_of(row["oldest"], now).label
        yield OpenItems(row["kind"], row["currency"], row["count"], cents, row["oldest"], age)


def _objections(
    run: ReconciliationRun, lines: tuple[BothSides, ...], still_open: tuple[OpenItems, ...]
) -> Iterator[str]:
    """Why it is not green, each as a sentence."""
    if run.status != RunStatus.FINISHED:
        yield f"The run is {run.status}."
    for line in lines:
        if not line.agrees:
            yield f"{_named(line)} differ by {format_amount(line.difference, line.currency)}."
    for kind, count in sorted(run.stopped_healing.items()):
        yield f"{count} of the kind {DiscrepancyKind(kind).label.lower()} wait for leave to be healed."
    for tie_out in run.tie_outs:
        if tie_out.get("agrees") is False:
            yield f"{tie_out['name']} does not hold."
    now = database_now()
    for item in still_open:
        if now - item.oldest > (URGENT_WITHIN if item.kind in URGENT else WITHIN):
            yield f"{DiscrepancyKind(item.kind).label} has been waiting since {item.oldest:%Y-%m-%d}."


def _named(line: BothSides) -> str:
    """What differs, in words: also where only the numbers do."""
    what = "Movements in the very same figures" if line.what == MATCHED else line.what.capitalize()
    return f"{what} ({line.our_count + line.young_count} here, {line.their_count} there)"


SEEN = Report(
    kind="reconciliation_run",
    title="What a run has seen",
    day="the run",
    columns=(
        code("id"), code("kind"), code("object"), code("status"), text("sentence"), *money("amount"), code("currency"),
        code("opened_at"), code("closed_at"), number("times_seen"), text("resolution"),
    ),
    sql="",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, and what tells that it is this one."""

    name: str
    content: bytes
    sha256: str


def differences_file(run: ReconciliationRun) -> Attachment:
    """Every row that the run has opened or seen last, as CSV: the same rows give the same bytes."""
    rows = Discrepancy.objects.filter(first_run=run) | Discrepancy.objects.filter(last_run=run)
    file = io.BytesIO()
    write_csv(SEEN, (_cells(row) for row in rows.order_by("id").iterator(chunk_size=500)), file)
    content = file.getvalue()
    return Attachment(f"run-{run.pk}-differences.csv", content, hashlib.sha256(content).hexdigest())


def _cells(row: Discrepancy) -> tuple[Any, ...]:
    has_amount = row.amount_cents is not None and bool(row.currency)
    amount = to_decimal(row.amount_cents or 0, row.currency) if has_amount else ""
    return (
        row.pk, row.kind, row.object_key, DiscrepancyState(row.status).value, row.sentence, amount,
        row.amount_cents if has_amount else "", row.currency, _iso(row.opened_at), _iso(row.closed_at),
        row.times_seen, row.resolution,
    )  # fmt: skip


def _iso(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%dT%H:%M:%SZ}"
