"""What was paid out already of prizes that a ruling would take away. This app knows no payouts: who does, registers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from entries.services.settlement import Line

# Lines that are asked about at once.
CHUNK = 2_000


class Payment(NamedTuple):
    """A payout to a player whose prize shrinks: gone, or on its way. In minor units of its currency."""

    number: int
    pool_id: int
    cents: int
    currency: str
    is_gone: bool


# Asked about lines whose prize becomes smaller; each payout once, however many entries of its player are among them.
Teller = Callable[[Sequence[Line]], Iterable[Payment]]

_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Say who knows. The last one said counts."""
    _tellers[:] = [teller]


@dataclass
class PaidOut:
    """Takes lines, and adds up what went out to their players; asks in parts, so that a million are never in memory."""

    payments: dict[int, Payment] = field(default_factory=dict)
    _asked: list[Line] = field(default_factory=list)

    def take(self, line: Line) -> None:
        """Look at the line, if its prize becomes smaller."""
        if (line.from_prize_cents or 0) > (line.to_prize_cents or 0):
            self._asked.append(line)
        if len(self._asked) >= CHUNK:
            self.finish()

    def finish(self) -> None:
        """Ask about what was not asked yet."""
        lines, self._asked = self._asked, []
        for teller in _tellers if lines else ():
            self.payments |= {payment.number: payment for payment in teller(lines)}

    def of(self, *, is_gone: bool) -> dict[tuple[int, str], tuple[int, int]]:
        """By pool and currency: how many payouts, and their cents."""
        found: dict[tuple[int, str], tuple[int, int]] = {}
        for payment in self.payments.values():
            if payment.is_gone == is_gone:
                count, cents = found.get((payment.pool_id, payment.currency), (0, 0))
                found[payment.pool_id, payment.currency] = (count + 1, cents + payment.cents)
        return found
