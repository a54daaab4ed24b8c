"""What a settlement changes, gathered while it tells its lines: exact numbers for each pool, and some lines.

Memory does not grow with the lines: of each sort only the first are kept, and all of them can be written to a file.
All of them, and which pools end or go on, are in the fingerprint: two tallies that have the same changed the same.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from config.cells import cell
from config.files import filled_file
from entries.models import EntryStatus
from entries.services.rulings.paid_out import PaidOut
from entries.services.settlement import Line, MovedEnd, moved_ends

LISTED = 100
HEADER = (
    "entry", "pool", "pool_name", "player", "number", "reference", "from_status", "to_status", "from_round", "to_round",
    "reason", "from_prize_cents", "to_prize_cents", "currency",
)  # fmt: skip


@dataclass
class PoolTally:
    """One pool's part."""

    pool: str
    currency: str
    eliminated: int = 0
    revived: int = 0
    winners: int = 0
    unseated: int = 0
    adjusted: int = 0
    voided: int = 0
    returned: int = 0
    gained_cents: int = 0
    lost_cents: int = 0

    def numbers(self) -> dict[str, int]:
        """To be kept with the ruling: what is not nothing."""
        skipped = ("pool", "currency")
        return {name: value for name, value in vars(self).items() if name not in skipped and value}


@dataclass
class Tally:
    """Takes a settlement's lines; call it with them.

    `own` is what the ruling itself did to an entry, which settlement then finds done: one line comes of the two.
    """

    own: Line | None = None
    write: Callable[[Line], object] | None = None
    listed: int = LISTED
    pools: dict[int, PoolTally] = field(default_factory=dict)
    fallen: list[Line] = field(default_factory=list)
    revived: list[Line] = field(default_factory=list)
    titles: list[Line] = field(default_factory=list)
    others: list[Line] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    rounds: Counter[tuple[int, str]] = field(default_factory=Counter)
    ends: list[MovedEnd] = field(default_factory=list)
    paid_out: PaidOut = field(default_factory=PaidOut)
    _print: Any = field(default_factory=hashlib.sha256)

    def __call__(self, lines: Iterable[Line]) -> None:
        """Count them all, and keep the first of each sort."""
        self.ends = moved_ends()
        self._print.update(repr(self.ends).encode())
        for line in self._joined(lines):
            self._take(line)

    def finish(self) -> None:
        """Settlement has told all, or had nothing to tell: what the ruling did by itself is counted, too."""
        if self.own is not None and _changes(self.own):
            self._take(self.own)
        self.own = None
        self.paid_out.finish()
        self._print.update(repr(sorted(self.paid_out.payments.values())).encode())

    @property
    def fingerprint(self) -> str:
        """Of everything that was told: the same for the same changes alone."""
        return str(self._print.hexdigest())

    def _take(self, line: Line) -> None:
        self._print.update(repr(tuple(line)).encode())
        self._count(line)
        self.paid_out.take(line)
        if self.write is not None:
            self.write(line)
        sort = _sort(line)
        self.counts[sort] += 1
        kept: list[Line] = getattr(self, sort)
        if len(kept) < self.listed:
            kept.append(line)

    @property
    def total(self) -> PoolTally:
        """All pools together; money of different currencies is not added up."""
        whole = PoolTally("", "")
        for one in self.pools.values():
            for name, value in one.numbers().items():
                if not name.endswith("_cents"):
                    setattr(whole, name, getattr(whole, name) + value)
        return whole

    def numbers(self) -> dict[str, Any]:
        """What the ruling keeps: the whole, and each pool by its id."""
        pools = {str(pool_id): one.numbers() for pool_id, one in sorted(self.pools.items())}
        return {**self.total.numbers(), "pools": pools}

    def _joined(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            if self.own is None or line.entry_id != self.own.entry_id:
                yield line
                continue
            joined = line._replace(
                from_status=self.own.from_status,
                from_round=self.own.from_round,
                from_prize_cents=self.own.from_prize_cents,
            )
            self.own = None
            if _changes(joined):
                yield joined

    def _count(self, line: Line) -> None:
        one = self.pools.setdefault(line.pool_id, PoolTally(line.pool, line.currency))
        was, now = line.from_status, line.to_status
        one.winners += now == EntryStatus.WINNER != was
        one.unseated += was == EntryStatus.WINNER != now
        if EntryStatus.VOID in (was, now):
            one.voided += now == EntryStatus.VOID
            one.returned += was == EntryStatus.VOID
        else:
            one.eliminated += now == EntryStatus.ELIMINATED != was
            one.revived += was == EntryStatus.ELIMINATED != now
            one.adjusted += now == was
            if was != now and (round_ := line.to_round or line.from_round) is not None:
                self.rounds[round_, "fall" if now == EntryStatus.ELIMINATED else "back"] += 1
        moved = (line.to_prize_cents or 0) - (line.from_prize_cents or 0)
        one.gained_cents += max(moved, 0)
        one.lost_cents += max(-moved, 0)


def _sort(line: Line) -> str:
    """Which list of the tally the line belongs to: a title that moves comes before all else."""
    was, now = line.from_status, line.to_status
    if was == now or (EntryStatus.VOID in (was, now) and EntryStatus.WINNER not in (was, now)):
        return "others"
    if EntryStatus.WINNER in (was, now):
        return "titles"
    return "fallen" if now == EntryStatus.ELIMINATED else "revived"


def _changes(line: Line) -> bool:
    before = (line.from_status, line.from_round, line.from_prize_cents)
    return before != (line.to_status, line.to_round, line.to_prize_cents)


def lines_file(tell: Callable[[Callable[[Line], object]], object]) -> IO[bytes]:
    """What `tell` writes, line by line, as CSV in a nameless file on disk, open at its beginning.

    On disk first, so that half of it never looks like the whole, and its size is no matter for memory.
    """

    def fill(file: IO[bytes]) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(HEADER)
        tell(lambda line: writer.writerow([cell(value) for value in line]))
        text.detach()

    return filled_file(fill)
