"""CSV as RFC 4180 has it: CRLF, quoted where needed, UTF-8, and no cell that a spreadsheet would run.

A text cell that begins like a formula, or goes on like one after a separator of some country's spreadsheets, gets an
apostrophe there. Numbers are never touched: −5.00 must stay a number.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import IO

from config.cells import RISKY
from payments.exports.rows import Row
from payments.reports.base import Kind, Report


def write_csv(report: Report, rows: Iterable[Row], file: IO[bytes]) -> None:
    """Write the heading and all rows, with harmless texts."""
    write_raw_csv(report, _harmless(report, rows), file)


def write_raw_csv(report: Report, rows: Iterable[Row], file: IO[bytes]) -> None:
    """Write the heading and all rows, with texts as they are."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in report.columns])
    writer.writerows(rows)
    # The file is the caller's: a wrapper that is thrown away would close it.
    text.detach()


def _harmless(report: Report, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows with their text cells neutralised; what is no text is left as it is."""
    texts = [index for index, column in enumerate(report.columns) if column.kind is Kind.TEXT]
    for row in rows:
        if any((value := row[index]) and RISKY.search(value) for index in texts):
            yield tuple(RISKY.sub("'", cell) if n in texts and cell else cell for n, cell in enumerate(row))
        else:
            yield row
