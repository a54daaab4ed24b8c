"""Cells of CSV files. People open them in spreadsheets, which run a text that begins like a formula."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

# The signs of a formula, full-width ones too, and the control characters that some programs skip before them.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: Any) -> Any:
    """The value as a cell; a text that looks like a formula gets an apostrophe in front, which spreadsheets hide."""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_SIGNS):
        return f"'{value}"
    return value


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
