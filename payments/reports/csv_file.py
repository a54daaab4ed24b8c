"""CSV as RFC 4180 has it: CRLF, quoted where needed, UTF-8, and no cell that a spreadsheet would run.

A text cell that begins like a formula, or goes on like one after a separator of some country's spreadsheets, gets an
apostrophe there. Numbers are never touched: −5.00 must stay a number.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any

from payments.reports.base import Kind, Report

# The ASVS and OWASP set, with the full-width forms, at the start; and what begins a cell after another separator.
RISKY = re.compile(r"^(?=[=+\-@\t\r\n\x00＝＋－＠])|(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])")

Row = tuple[Any, ...]


def write_csv(report: Report, rows: Iterable[Row], file: IO[bytes]) -> int:
    """Write the heading and all rows; how many rows."""
    count = 0
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.name for column in report.columns])
    for cells in harmless(report, rows):
        writer.writerow(cells)
        count += 1
    # The file is the caller's: a wrapper that is thrown away would close it.
    text.detach()
    return count


def harmless(report: Report, rows: Iterable[Row]) -> Iterator[list[Any]]:
    """The rows with their text cells neutralised; what is no text is left as it is."""
    texts = [index for index, column in enumerate(report.columns) if column.kind is Kind.TEXT]
    for row in rows:
        cells = list(row)
        for index in texts:
            value = cells[index]
            if value and RISKY.search(value):
                cells[index] = RISKY.sub("'", value)
        yield cells
