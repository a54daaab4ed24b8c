"""What a report of a million rows costs: as CSV, against PostgreSQL's own COPY; as XLSX, against the bare library.

Each way runs in a process of its own, so that the memory it says it needed is its own, too.

    python -m config.local.benches.exports WAY FILE        prints its seconds, megabytes and rows as JSON
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from config.local.benches.scale import Pair, Scale

if TYPE_CHECKING:
    from config.local.benches.runs import Runs

ROOT = Path(__file__).resolve().parents[3]
ROWS = 1_000_000
TURNS = 3
# What the house promises for a report of any size.
MOST_MEGABYTES = 150.0
LINES_AN_ENTRY = 4
KIND = "journal"


class Cost(NamedTuple):
    """Of one way of writing it: in its best turn, and the most memory of any."""

    seconds: float
    megabytes: float


def csv_time(runs: "Runs", scale: Scale) -> Pair:
    """Seconds of our CSV, and of COPY … TO STDOUT of the same query."""
    ours, bare = _costs(runs, scale, "csv", "copy")
    return Pair(ours.seconds, bare.seconds)


def csv_memory(runs: "Runs", scale: Scale) -> Pair:
    """Megabytes of the process that writes our CSV, and what is promised."""
    (ours,) = _costs(runs, scale, "csv")
    return Pair(ours.megabytes, MOST_MEGABYTES)


def xlsx_time(runs: "Runs", scale: Scale) -> Pair:
    """Seconds of our XLSX, and of the bare library in constant memory with the same rows."""
    ours, bare = _costs(runs, scale, "xlsx", "bare-xlsx")
    return Pair(ours.seconds, bare.seconds)


def xlsx_memory(runs: "Runs", scale: Scale) -> Pair:
    """Megabytes of the process that writes our XLSX, and what is promised."""
    (ours,) = _costs(runs, scale, "xlsx")
    return Pair(ours.megabytes, MOST_MEGABYTES)


_measured: dict[tuple[str, float], Cost] = {}


def _costs(runs: "Runs", scale: Scale, *ways: str) -> list[Cost]:
    """In turns, so that what else the machine does strikes all alike. What was measured once in a run stays known."""
    from config.local.benches.ledger import _fill

    missing = [way for way in ways if (way, scale.factor) not in _measured]
    if missing:
        entries = scale(ROWS // LINES_AN_ENTRY, least=1000)
        with runs.databases.empty("journal", fill=lambda: _fill(entries)), tempfile.TemporaryDirectory() as folder:
            found: dict[str, list[Cost]] = {way: [] for way in missing}
            for _ in range(TURNS):
                for way in missing:
                    found[way].append(_run(way, Path(folder) / "report", entries * LINES_AN_ENTRY))
        for way, costs in found.items():
            _measured[way, scale.factor] = Cost(
                min(cost.seconds for cost in costs), max(cost.megabytes for cost in costs)
            )
    return [_measured[way, scale.factor] for way in ways]


def _run(way: str, path: Path, rows: int) -> Cost:
    from config.local.benches.runs import Meaningless

    done = subprocess.run(
        [sys.executable, "-m", __name__, way, str(path)], cwd=ROOT, env=_environment(), capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise Meaningless(f"{way}: {done.stderr[-500:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    if said["rows"] != rows:
        raise Meaningless(f"{way} wrote {said['rows']} rows of {rows}")
    return Cost(said["seconds"], said["megabytes"])


def _environment() -> dict[str, str]:
    """Of a process that is connected to the same database as this one."""
    from django.db import connection

    known = connection.settings_dict
    query = urlencode({"host": known["HOST"]}) if str(known["HOST"]).startswith("/") else ""
    host = "" if query else f"{known['HOST']}:{known['PORT'] or 5432}"
    address = f"postgres://{quote(known['USER'])}:{quote(known['PASSWORD'])}@{host}/{known['NAME']}?{query}"
    return {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "config.settings"}


def _ours(file_format: str) -> Callable[[IO[bytes]], int]:
    def write(file: IO[bytes]) -> int:
        from payments.exports.writing import export_report
        from payments.models import FileFormat
        from payments.reports import Narrowing

        return export_report(kind=KIND, narrowing=Narrowing(), file_format=FileFormat(file_format), file=file).rows

    return write


def _copy(file: IO[bytes]) -> int:
    """What PostgreSQL itself makes of the same query."""
    with _asked() as (cursor, sql, parameters):
        statement = cursor.mogrify(sql, parameters)
        with cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv, HEADER)") as copy:
            for block in copy:
                file.write(block)
        return int(cursor.rowcount)


def _bare_xlsx(file: IO[bytes]) -> int:
    """The library with the same rows, each cell written by the method of its type, and nothing else."""
    from xlsxwriter import Workbook

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with _asked(name="bench") as (cursor, sql, parameters), Workbook(file, options) as book:
        cursor.itersize = 5000
        cursor.execute(sql, parameters)
        sheet, line = book.add_worksheet(), 0
        for line, row in enumerate(cursor, start=1):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(line, column, value)
                elif value is not None:
                    sheet.write_number(line, column, value)
        return line


@contextmanager
def _asked(name: str = "") -> Iterator[tuple[Any, str, Any]]:
    """A cursor of the driver itself, with the query of the report."""
    import psycopg
    from django.db import connection

    from payments.exports.rows import as_of_now
    from payments.reports import REPORTS, Narrowing

    report = REPORTS[KIND]
    parameters = report.parameters(as_of_now(report, Narrowing()))
    known = connection.get_connection_params()
    wanted = {key: known[key] for key in ("dbname", "user", "password", "host", "port") if known.get(key)}
    with psycopg.connect(**wanted, cursor_factory=psycopg.ClientCursor) as session:
        session.execute("SET cursor_tuple_fraction = 1")
        with session.cursor(name) if name else session.cursor() as cursor:
            yield cursor, report.sql, parameters


WAYS: dict[str, Callable[[IO[bytes]], int]] = {
    "csv": _ours("csv"),
    "xlsx": _ours("xlsx"),
    "copy": _copy,
    "bare-xlsx": _bare_xlsx,
}


def _peak_megabytes() -> float:
    """The most memory that this process ever held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(way: str, path: str) -> None:
    """Write it one way, and say what that cost."""
    import django

    django.setup()
    with Path(path).open("w+b") as file:
        began = time.monotonic()
        rows = WAYS[way](file)
        seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "megabytes": _peak_megabytes(), "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
