"""Settle what is final, in one pool's competition or in a competition by its code.

All pools of a competition are settled together. `--through N` holds later rounds back; `--dry-run` changes nothing and
says who would fall, who would be revived, and which titles and how much money would move. `-o FILE` keeps every line of
that, as CSV. The counts stand on the last line.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.cells import csv_lines
from config.money import format_amount
from entries.services.settlement import Line, Settlement, settle_competition
from pools.management.arguments import find_pool
from pools.models import Competition

SHOWN = 40


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pool", nargs="?", metavar="POOL", help="the pool's id or name")
        parser.add_argument("--competition", metavar="CODE", help="a competition's code, instead of a pool")
        parser.add_argument("--through", type=int, metavar="N", help="hold back rounds after N")
        parser.add_argument("--dry-run", action="store_true", help="change nothing, say what would change")
        parser.add_argument("--afresh", action="store_true", help="derive every fate anew, from the first round on")
        parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write every entry that changes, as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        told = Told(options["output"], shown=SHOWN if options["dry_run"] else 0)
        settlement = settle_competition(
            competition_id=_competition_id(options["pool"], options["competition"]),
            through=options["through"],
            dry_run=options["dry_run"],
            afresh=options["afresh"],
            tell=told.take,
        )
        for sentence in told.sentences:
            self.stdout.write(sentence)
        self.stdout.write(_counts(settlement))


class Told:
    """Keeps the first lines to be read, and writes all of them to a file where one is wanted."""

    def __init__(self, output: Path | None, *, shown: int) -> None:
        self.output, self.shown = output, shown
        self.sentences: list[str] = []
        self.more = 0

    def take(self, lines: Iterator[Line]) -> None:
        """Go through the changes once; they are never all in memory."""
        if self.output is None:
            for _ in self._read(lines):
                pass
        else:
            try:
                with self.output.open("w", newline="", encoding="utf-8") as file:
                    file.writelines(csv_lines(Line._fields, self._read(lines)))
            except OSError as error:
                raise CommandError(f"{self.output}: cannot be written: {error.strerror}.") from error
        if self.more and self.shown:
            self.sentences.append(f"… and {self.more} more; -o FILE writes all of them.")

    def _read(self, lines: Iterator[Line]) -> Iterator[Line]:
        for line in lines:
            if len(self.sentences) < self.shown:
                self.sentences.append(sentence(line))
            else:
                self.more += 1
            yield line


def sentence(line: Line) -> str:
    """One entry's change in words."""
    name = f" ({line.reference})" if line.reference else ""
    who = f"{line.pool}: entry {line.entry_id}{name}, {line.player} {line.number}"
    told = f"{who}: {_state(line.from_status, line.from_round)}"
    if (line.from_status, line.from_round) != (line.to_status, line.to_round):
        told += f" → {_state(line.to_status, line.to_round)}"
        told += f" ({line.code})" if line.code else ""
    if line.from_prize_cents != line.to_prize_cents:
        told += f", prize {_money(line.from_prize_cents, line)} → {_money(line.to_prize_cents, line)}"
    return told


def _state(status: str, round_number: int | None) -> str:
    return f"{status} in round {round_number}" if round_number else status


def _money(cents: int | None, line: Line) -> str:
    return "none" if cents is None else format_amount(cents, line.currency)


def _competition_id(pool: str | None, code: str | None) -> int:
    if (pool is None) == (code is None):
        raise CommandError("Name either a pool or --competition CODE.")
    if pool is not None:
        return find_pool(pool).competition_id
    found = Competition.objects.filter(code=code).values_list("pk", flat=True).first()
    if found is None:
        raise CommandError(f"There is no competition {code!r}.")
    return found


def _counts(settlement: Settlement) -> str:
    if settlement.difference.is_nothing:
        return "Nothing to settle: every entry stands as its picks and the results say."
    verb = "would change" if settlement.dry_run else "changed"
    counts = settlement.difference._asdict()
    return f"{verb}: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items() if count)
