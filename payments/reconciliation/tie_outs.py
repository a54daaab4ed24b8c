"""Tie-outs: sums that two sides have to agree on to the cent, ours and somebody else's.

The books against themselves, what providers say we have with them, what banks say, and what nobody has looked at for
too long. `tie_outs` asks everything anew, and providers over the network; `checked` is what the last check found, and
what pages show. Each that is broken is a row of the queue until it holds again (`check_tie_outs`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from payments.models import ReconciliationRun, RunKind, RunStatus
from payments.services import books


@dataclass(frozen=True, slots=True)
class TieOut:
    """One sum, on both sides, in minor units; without a currency they are numbers of things that differ.

    `agrees` is None where the other side could not be asked. `differences` name what differs, the first of them.
    """

    name: str
    sentence: str
    currency: str
    livemode: bool
    ours: int | None
    theirs: int | None
    agrees: bool | None
    provider: str = ""
    differences: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What a discrepancy about it is called."""
        mode = "live" if self.livemode else "test"
        return ":".join(("tie_out", self.name, self.provider, self.currency, mode))

    def told(self) -> dict[str, Any]:
        """As it is kept in a run."""
        return asdict(self)


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


def tie_outs() -> list[TieOut]:
    """Ask all of them now: the database in one look, the providers over the network. Nothing is changed."""
    return _of_the_books()


def checked() -> Checked:
    """What the last finished check found."""
    run = (
        ReconciliationRun.objects.filter(kind=RunKind.INVARIANTS, status=RunStatus.FINISHED)
        .only("pk", "finished_at", "tie_outs")
        .first()
    )
    if run is None:
        return Checked()
    return Checked(run.finished_at, run.pk, tuple(_read(row) for row in run.tie_outs))


def _of_the_books() -> list[TieOut]:
    """The ledger against the rows of payments, refunds, disputes and pools: each invariant is one."""
    return [_of_check(check) for check in books.invariants()]


def _of_check(check: books.Check) -> TieOut:
    return TieOut(
        name=check.name,
        sentence=check.sentence,
        currency="",
        livemode=True,
        ours=len(check.differences),
        theirs=0,
        agrees=check.holds,
        differences=_named(check.differences),
    )


def _named(differences: Sequence[books.Difference]) -> tuple[str, ...]:
    return tuple(f"{one.what}: {one.found} instead of {one.expected}" for one in differences[:10])


def _read(row: dict[str, Any]) -> TieOut:
    return TieOut(**{**row, "differences": tuple(row.get("differences", ()))})
