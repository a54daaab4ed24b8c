"""Writing a finance report into a file, in one look at the database and in bounded memory."""

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import IO

from config.errors import invalid
from config.phrases import phrase
from payments.exports.formats import FORMS, Sheet, formats_of
from payments.exports.rows import Tally, Totals, as_of_now, batches_of
from payments.models import FileFormat
from payments.reports import REPORTS, Narrowing, Report
from pools.models import Pool

BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Written:
    """What came out: enough to know the file again, and to check it against other reports."""

    rows: int
    totals: Totals
    sha256: str
    size: int


def write_sheet(sheet: Sheet, file_format: FileFormat, file: IO[bytes], tally: Tally | None = None) -> Written:
    """Write into a file that can be gone back in; the caller may watch the tally grow from another thread."""
    tally = tally or Tally(sheet.report)
    with batches_of(sheet.report, sheet.narrowing) as batches:
        FORMS[file_format].write(sheet, tally.through(batches), tally, file)
    size = file.seek(0, 2)
    file.seek(0)
    digest = hashlib.sha256()
    for block in iter(partial(file.read, BLOCK), b""):
        digest.update(block)
    file.seek(0)
    return Written(tally.rows, tally.totals, digest.hexdigest(), size)


def checked(kind: str, narrowing: Narrowing, file_format: FileFormat) -> Report:
    """The report. Refuses, naming the field, a kind that does not exist or is not written as such a file, a pool that
    does not exist, days that end before they begin, and options that the report does not take."""
    if kind not in REPORTS:
        raise invalid(
            "kind", phrase("There is no report {kind!r}; there are {choices}.", kind=kind, choices=", ".join(REPORTS))
        )
    report = REPORTS[kind]
    if file_format not in formats_of(report):
        raise invalid("format", phrase("The report {kind} is not printed.", kind=kind))
    first, last = narrowing.first_day, narrowing.last_day
    if first is not None and last is not None and first > last:
        raise invalid("last_day", phrase("{last} is before {first}.", last=last, first=first))
    report.parameters(narrowing)
    if narrowing.pool_id is not None and not Pool.objects.filter(pk=narrowing.pool_id).exists():
        raise invalid("pool", phrase("There is no pool {pool}.", pool=narrowing.pool_id))
    return report


def export_report(*, kind: str, narrowing: Narrowing, file_format: FileFormat, file: IO[bytes]) -> Written:
    """Write a report as it is asked for, without leaving a row of it. Refuses what `checked` refuses."""
    report = checked(kind, narrowing, file_format)
    return write_sheet(Sheet(report, as_of_now(report, narrowing)), file_format, file)
