"""XLSX in constant memory: text is written as text whatever it looks like, numbers as numbers."""

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from xlsxwriter import Workbook

from payments.exports.rows import Row
from payments.reports.base import Kind, Report

MOST_ROWS = 1_048_576
# XML has no place for these; the spreadsheet would refuse the whole file.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
WIDTHS = {Kind.TEXT: 26, Kind.CODE: 18, Kind.NUMBER: 14, Kind.MONEY: 14}
# What stands as its date in a book that is as of no instant; the format has no place for none.
NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_FOOTER = 200
# The format allows 31 characters; a number follows.
LONGEST_TITLE = 26
NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\']+")


@dataclass(frozen=True, slots=True)
class Look:
    """What a book says of itself: the instant it is as of, and a mark in its properties and at the foot of each page.

    Without a given instant the writer would take the clock's, and the same rows would make other bytes.
    """

    made_at: datetime | None = None
    mark: str = ""


def write_xlsx(report: Report, rows: Iterable[Row], file: IO[bytes], *, look: Look) -> None:
    """Write the heading and all rows, on as many sheets as it takes."""
    with tempfile.TemporaryDirectory() as folder:
        options = {
            "constant_memory": True,
            "tmpdir": folder,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        # Numbers beyond a double's precision do not occur: ids are text, amounts are below 2^53.
        with Workbook(file, options) as book:
            made_at = look.made_at.astimezone(UTC).replace(microsecond=0) if look.made_at else NO_DATE
            mark = NOT_XML.sub("", look.mark)
            book.set_properties({"title": report.title, "created": made_at, "comments": mark})
            # An ampersand begins a code there.
            _Sheets(report, book, mark[:LONGEST_FOOTER].replace("&", "&&")).write(rows)


class _Sheets:
    """The sheets of one report, a new one whenever the last is full."""

    def __init__(self, report: Report, book: Workbook, footer: str) -> None:
        self.report = report
        self.book = book
        self.footer = footer
        self.heading = book.add_format({"bold": True, "bottom": 1})
        self.decimals = {places: book.add_format({"num_format": _pattern(places)}) for places in (0, 2, 3)}
        self.sheet: Any = None
        self.line = 0

    def write(self, rows: Iterable[Row]) -> None:
        ways = {Kind.MONEY: self._money, Kind.NUMBER: self._number, Kind.TEXT: self._text, Kind.CODE: self._text}
        puts = [(index, ways[column.kind]) for index, column in enumerate(self.report.columns)]
        self._turn_over()
        for row in rows:
            if self.line == MOST_ROWS:
                self._turn_over()
            for (index, put), value in zip(puts, row, strict=True):
                if value is not None and value != "":
                    put(index, value)
            self.line += 1

    def _money(self, index: int, value: Any) -> None:
        self.sheet.write_number(self.line, index, float(value), self.decimals[-value.as_tuple().exponent])

    def _number(self, index: int, value: Any) -> None:
        self.sheet.write_number(self.line, index, value)

    def _text(self, index: int, value: str) -> None:
        # Nearly every text is printable, and seen to be so a great deal sooner.
        self.sheet.write_string(self.line, index, value if value.isprintable() else NOT_XML.sub("", value))

    def _turn_over(self) -> None:
        """Begin the next sheet with its heading."""
        number = len(self.book.worksheets()) + 1
        title = NOT_IN_TITLES.sub(" ", self.report.title)[:LONGEST_TITLE].strip()
        self.sheet = self.book.add_worksheet(title if number == 1 else f"{title} {number}")
        self.sheet.freeze_panes(1, 0)
        if self.footer:
            self.sheet.set_footer(f"&L&8{self.footer}")
        for index, column in enumerate(self.report.columns):
            self.sheet.set_column(index, index, max(WIDTHS[column.kind], len(column.name) + 2))
            self.sheet.write_string(0, index, column.name, self.heading)
        self.line = 1


def _pattern(places: int) -> str:
    return "#,##0" + ("." + "0" * places if places else "")
