"""One tie-out: a sum that two sides have to agree on."""

from dataclasses import asdict, dataclass
from typing import Any

from payments.models import DiscrepancyKind


@dataclass(frozen=True, slots=True)
class TieOut:
    """One sum, on both sides, in minor units; without a currency they are numbers of things that differ.

    `agrees` is None where the other side could not be asked. `differences` name what differs, the first of them.
    `doubt` is what is put before a person while it does not agree.
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
    doubt: DiscrepancyKind = DiscrepancyKind.CLEARING_TIEOUT_DIFF

    @property
    def key(self) -> str:
        """What a discrepancy about it is called."""
        mode = "live" if self.livemode else "test"
        return ":".join(("tie_out", self.name, self.provider, self.currency, mode))

    @property
    def difference(self) -> int | None:
        """Ours less theirs; None where one of them is not known."""
        return None if self.ours is None or self.theirs is None else self.ours - self.theirs

    def told(self) -> dict[str, Any]:
        """As it is kept in a run."""
        return {**asdict(self), "doubt": str(self.doubt)}


def read_tie_out(row: dict[str, Any]) -> TieOut:
    """What `told` told."""
    return TieOut(**{**row, "differences": tuple(row["differences"]), "doubt": DiscrepancyKind(row["doubt"])})
