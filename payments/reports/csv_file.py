"""CSV as RFC 4180 has it: CRLF, quoted where needed, UTF-8, and no cell that a spreadsheet would run.

A text cell that begins like a formula, or goes on like one after a separator of some country's spreadsheets, gets an
apostrophe there. Numbers are never touched: −5.00 must stay a number.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import count
from typing import IO, Any

from config.cells import RISKY
from payments.reports.base import Kind, Report

Row = tuple[Any, ...]


def write_csv(report: Report, rows: Iterable[Row], file: IO[bytes]) -> int:
    """Write the heading and all rows; how many rows."""
    lines = count()
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in report.columns])
    # `zip` asks for the row first, so what is left of the count is the number of rows.
    writer.writerows(row for row, _ in zip(harmless(report, rows), lines, strict=False))
    # The file is the caller's: a wrapper that is thrown away would close it.
    text.detach()
    return next(lines)


def harmless(report: Report, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows with their text cells neutralised; what is no text is left as it is."""
    texts = [index for index, column in enumerate(report.columns) if column.kind is Kind.TEXT]
    for row in rows:
        if any((value := row[index]) and RISKY.search(value) for index in texts):
            yield tuple(RISKY.sub("'", cell) if n in texts and cell else cell for n, cell in enumerate(row))
        else:
            yield row
