"""Cells of CSV files. People open them in spreadsheets, which run a text that begins like a formula."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

# The signs of a formula (the ASVS and OWASP set, full-width ones too) at the start, behind spaces or control
# characters that some programs skip, and where a cell begins for spreadsheets of countries with another separator.
RISKY = re.compile(r"^(?= *[=+\-@\t\r\n\x00＝＋－＠])|(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])")


def cell(value: Any) -> Any:
    """The value as a cell; a text that looks like a formula gets an apostrophe there, which spreadsheets hide."""
    return RISKY.sub("'", value) if isinstance(value, str) else value


class _Line:
    """Where a `csv.writer` writes: keeps the last line only."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The lines of a CSV file, one at a time, with harmless cells."""
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(header)
    yield line.text
    for row in rows:
        writer.writerow([cell(value) for value in row])
        yield line.text
