"""Tie-outs (L6): sums that two sides have to agree on to the cent, ours and somebody else's.

The books against themselves, what providers say we have with them, what banks say, and what nobody has looked at for
too long. `tie_outs` asks everything anew, and providers over the network; `checked` is what the last check found, and
what pages show. Each that is broken is a row of the queue until it holds again (`check_tie_outs`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from config.money import format_amount
from payments.models import Discrepancy, DiscrepancyKind, ReconciliationRun, RunKind, RunPhase, RunStatus
from payments.models.discrepancy import OPEN_STATES
from payments.providers import online_provider
from payments.reconciliation.clearing import clearing_tie_outs
from payments.reconciliation.runs import start_or_resume
from payments.reconciliation.sums import sums_of_ours
from payments.reconciliation.tie_out import TieOut, read_tie_out
from payments.services import books
from payments.services.discrepancies import raise_discrepancy, settle_discrepancy
from payments.services.periods import broken_periods

__all__ = ["Checked", "TieOut", "check_tie_outs", "checked", "tie_outs"]

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last check found, and when; nothing and no instant before the first."""

    at: datetime | None = None
    run_id: int | None = None
    rows: tuple[TieOut, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether everything does; what could not be asked is not known to."""
        return bool(self.rows) and all(row.agrees for row in self.rows)

    @property
    def verdict(self) -> str:
        """`green`, `red`, or `unknown` where something could not be asked, or nothing was asked yet."""
        if any(row.agrees is False for row in self.rows):
            return "red"
        return "green" if self.agrees else "unknown"


def tie_outs() -> list[TieOut]:
    """Ask all of them now: the providers over the network, the database. Nothing is changed."""
    return [*clearing_tie_outs(), *sums_of_ours(), *_of_the_books(), _of_closed_months()]


def checked() -> Checked:
    """What the last finished check found."""
    run = (
        ReconciliationRun.objects.filter(kind=RunKind.INVARIANTS, status=RunStatus.FINISHED)
        .only("pk", "finished_at", "tie_outs")
        .first()
    )
    if run is None:
        return Checked()
    return Checked(run.finished_at, run.pk, tuple(read_tie_out(row) for row in run.tie_outs))


def check_tie_outs(*, by: User | None = None) -> ReconciliationRun | None:
    """Ask all of them, put what is broken before a person, and close what holds again; None while another does."""
    return start_or_resume(
        kind=RunKind.INVARIANTS, livemode=online_provider().livemode, steps={RunPhase.CHECKING: _check}, by=by
    )


def _check(run: ReconciliationRun) -> None:
    rows = tie_outs()
    told = set(
        Discrepancy.objects.filter(status__in=OPEN_STATES, object_key__startswith="tie_out:").values_list(
            "object_key", flat=True
        )
    )
    found: dict[str, int] = {}
    with transaction.atomic():
        for row in rows:
            if row.agrees is False:
                found[row.doubt] = found.get(row.doubt, 0) + 1
                _tell(row)
            elif row.agrees and row.key in told:
                settle_discrepancy(kind=row.doubt, object_key=row.key, resolution="Both sides are the same again.")
        run.tie_outs, run.found = [row.told() for row in rows], found
        run.save(update_fields=["tie_outs", "found"])


def _tell(row: TieOut) -> None:
    where = f" at {row.provider}" if row.provider else ""
    mode = "real" if row.livemode else "test"
    if row.currency:
        said = (
            f"It does not hold for {mode} money in {row.currency.upper()}{where}: {_amount(row, row.ours)} here,"
            f" {_amount(row, row.theirs)} there."
        )
    else:
        said = f"It does not hold: {'; '.join(row.differences[:3]) or f'{row.ours} differ'}."
    raise_discrepancy(
        kind=row.doubt,
        object_key=row.key,
        sentence=f"{row.sentence} {said}"[:500],
        suggestion="Look at what differs, run the deep reconciliation, and find out which side is right.",
        ours={"amount_cents": row.ours} if row.currency else {"differences": row.ours},
        theirs={"amount_cents": row.theirs} if row.currency else {"differences": row.theirs},
        amount_cents=row.difference if row.currency else None,
        currency=row.currency,
        details={
            "tie_out": row.name,
            "provider": row.provider,
            "livemode": row.livemode,
            "differences": list(row.differences),
        },
    )


def _amount(row: TieOut, cents: int | None) -> str:
    return "nothing known" if cents is None else format_amount(cents, row.currency)


def _of_the_books() -> list[TieOut]:
    """The ledger against the rows of payments, refunds, disputes and pools: each invariant is one."""
    return [
        TieOut(
            name=check.name,
            sentence=check.sentence,
            currency="",
            livemode=True,
            ours=len(check.differences),
            theirs=0,
            agrees=check.holds,
            differences=_named(check.differences),
            doubt=DiscrepancyKind.BOOKS_BROKEN,
        )
        for check in books.invariants()
    ]


def _of_closed_months() -> TieOut:
    broken = broken_periods()
    return TieOut(
        name="closed_months",
        sentence="Every closed month is what it was when it was closed.",
        currency="",
        livemode=True,
        ours=len(broken),
        theirs=0,
        agrees=not broken,
        differences=tuple(f"{one.period}: {one.because}" for one in broken[:MOST_NAMED]),
        doubt=DiscrepancyKind.BOOKS_BROKEN,
    )


def _named(differences: Sequence[books.Difference]) -> tuple[str, ...]:
    return tuple(
        f"{one.what}: {_of(one, one.found)} instead of {_of(one, one.expected)}" for one in differences[:MOST_NAMED]
    )


def _of(difference: books.Difference, amount: int) -> str:
    return format_amount(amount, difference.currency) if difference.currency else str(amount)
