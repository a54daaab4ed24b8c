"""Writing a finance report into a file, in one look at the database and in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from itertools import chain
from typing import IO

from django.db import connection, transaction

from config.errors import invalid
from config.files import filled_file
from payments.reports import REPORTS, Narrowing, Report
from payments.reports.as_of import take_as_of
from payments.reports.csv_file import Row, write_csv
from payments.reports.xlsx_file import write_xlsx
from pools.models import Pool

ROWS_AT_ONCE = 5000
# A report of a million rows takes its time, also where web requests must be quick.
LONGEST_STATEMENT = "300s"


class FileFormat(StrEnum):
    """What kind of file; also its ending."""

    CSV = "csv"
    XLSX = "xlsx"


CONTENT_TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
WRITERS = {FileFormat.CSV: write_csv, FileFormat.XLSX: write_xlsx}


def export_report(*, kind: str, narrowing: Narrowing, file_format: FileFormat, file: IO[bytes]) -> int:
    """Write the report into the file, which must be one that can be gone back in; how many rows.

    Refuses, naming the field, a kind that does not exist, a pool that does not exist, and days that end before they
    begin. The rows are those of one instant, and travel through a server-side cursor.
    """
    report = _checked(kind, narrowing)
    with rows_of(report, narrowing) as rows:
        return WRITERS[file_format](report, rows, file)


def exported_file(*, kind: str, narrowing: Narrowing, file_format: FileFormat) -> IO[bytes]:
    """The report in a nameless file on disk, open at its beginning; it is gone when the caller closes it."""
    return filled_file(lambda file: export_report(kind=kind, narrowing=narrowing, file_format=file_format, file=file))


@contextmanager
def rows_of(report: Report, narrowing: Narrowing) -> Iterator[Iterator[Row]]:
    """The report's rows, as of one instant, fetched a few thousand at a time.

    As of now, where the narrowing does not say and the report is not always of now.
    """
    if narrowing.as_of is None and not report.is_live:
        narrowing = replace(narrowing, as_of=take_as_of())
    parameters = report.parameters(narrowing)
    is_ours = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if is_ours:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true),"
                " set_config('idle_in_transaction_session_timeout', %s, true)",
                [LONGEST_STATEMENT, LONGEST_STATEMENT],
            )
        with connection.chunked_cursor() as cursor:
            cursor.execute(report.sql, parameters)
            # Row by row, Django's wrapper would cost more than the writing.
            batches = iter(lambda: cursor.fetchmany(ROWS_AT_ONCE), [])
            yield chain.from_iterable(batches)


def _checked(kind: str, narrowing: Narrowing) -> Report:
    if kind not in REPORTS:
        raise invalid("kind", f"There is no report {kind!r}; there are {', '.join(REPORTS)}.")
    first, last = narrowing.first_day, narrowing.last_day
    if first is not None and last is not None and first > last:
        raise invalid("to", f"{last} is before {first}.")
    if narrowing.pool_id is not None and not Pool.objects.filter(pk=narrowing.pool_id).exists():
        raise invalid("pool", f"There is no pool {narrowing.pool_id}.")
    return REPORTS[kind]
