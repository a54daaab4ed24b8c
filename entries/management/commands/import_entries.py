"""`import_entries POOL FILE`: a pool that moves here in mid-season brings its entries and their picks along."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from accounts.models import User
from config.cells import csv_lines
from config.errors import DomainError
from entries.services.imports import ImportResult, Refusal, RowFile, UnreadableFile, import_entries
from entries.services.imports.rows import Row
from pools.management.arguments import find_pool
from pools.models import Pool

STEPS = {
    "checking": "checking every line",
    "players": "making players",
    "entries": "making entries",
    "picks": "writing picks",
}
SHOWN_REFUSALS = 10
REPORT_COLUMNS = ("line", "entry", "owner", "round", "team", "reason")


class Command(BaseCommand):
    help = (
        "Create players, paid-elsewhere entries and their picks from a CSV file (plain or .gz) with the columns "
        "entry,owner,round,team. Refused lines go to a report; the rest lands. Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pool", metavar="POOL", help="the pool's id or name")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--by", metavar="EMAIL", help="the member of staff who waives the fees")
        parser.add_argument(
            "--report",
            type=Path,
            help="where refused lines are listed (default: FILE's name with .refused.csv, in the home's reports)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        pool, by = find_pool(options["pool"]), find_staff(options["by"])
        path: Path = options["file"]
        report = options["report"] or settings.OUTLAST_HOME / "reports" / f"{path.name}.refused.csv"
        began = monotonic()
        try:
            result = self._import(pool, path, by)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error
        except UnreadableFile as error:
            raise CommandError(str(error)) from error
        except DomainError as error:
            raise CommandError(error.message) from error
        write_report(report, result.refused)
        self._tell(pool, result, report, monotonic() - began)

    def _import(self, pool: Pool, path: Path, by: User | None) -> ImportResult:
        file = RowFile(path)
        with _progress_bar() as bar:
            task = bar.add_task(f"reading {path.name}", total=file.size)
            return import_entries(
                pool=pool,
                rows=_counted(file, bar, task),
                by=by,
                reason=f"import_entries {path.name}",
                on_step=lambda step: bar.update(task, description=STEPS.get(step, f"reading {path.name}")),
            )

    def _tell(self, pool: Pool, result: ImportResult, report: Path, seconds: float) -> None:
        for refusal in result.refused[:SHOWN_REFUSALS]:
            self.stdout.write(f"line {refusal.line}: {refusal.reason}")
        if len(result.refused) > SHOWN_REFUSALS:
            self.stdout.write(f"… and {len(result.refused) - SHOWN_REFUSALS:,} more:")
            for reason, count in Counter(refusal.reason for refusal in result.refused).most_common(SHOWN_REFUSALS):
                self.stdout.write(f"  {count:,} times: {reason}")
        self.stdout.write(
            f"{pool.name} (pool {pool.pk}): {result.entries:,} entries of {result.players:,} new players, "
            f"{result.picks:,} picks imported, {result.unchanged:,} there already, {len(result.refused):,} refused, "
            f"in {seconds:.1f} s."
        )
        if result.refused:
            self.stdout.write(f"Refused lines: {report}")


def _progress_bar() -> Progress:
    """On a terminal alone, and beside the output, not in it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _counted(file: RowFile, bar: Progress, task: TaskID) -> Iterator[Row]:
    for number, row in enumerate(file):
        if number % 1000 == 0:
            bar.update(task, completed=file.position)
        yield row
    bar.update(task, completed=file.size)


def find_staff(email: str | None) -> User | None:
    """The member of staff with this address; None where none is given. Raises CommandError for anybody else."""
    if email is None:
        return None
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None or not user.is_back_office:
        raise CommandError(f"{email} is not a member of staff.")
    return user


def write_report(path: Path, refused: list[Refusal]) -> None:
    """List the refused lines, with the columns of the file so that they can be put right and imported again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(csv_lines(REPORT_COLUMNS, refused))
