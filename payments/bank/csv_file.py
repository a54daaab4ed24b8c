"""A bank's CSV file as a statement, read by the layout of its account. Every row is understood, or the file refused."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

from payments.bank.layouts import Layout
from payments.bank.read import (
    LONGEST_NAME,
    LONGEST_REFERENCE,
    LONGEST_TEXT,
    LONGEST_TRACE,
    MOST_LINES,
    ReadLine,
    ReadStatement,
    minor_units,
    plain,
    unreadable,
)

LONGEST_ROW = 20_000
# A minus stands before or behind, or the amount in brackets.
SIGNED = re.compile(r"(?P<sign>[+-]?) ?(?P<bare>[^+()-]+)")
TURNED = re.compile(r"(?P<bare>[^+()-]+?) ?(?P<sign>[+-])|\((?P<inside>[^+()-]+)\)")


def read_csv(content: bytes, layout: Layout, currency: str) -> ReadStatement:
    """The lines of the file, oldest first, with its balances where it has a column of them.

    Refuses another encoding, missing columns, rows that cannot be read, and balances that do not follow from one
    another: then rows are missing, or were changed.
    """
    rows = _rows(content, layout)
    header = next(rows, None) if layout.has_header else None
    if layout.has_header and header is None:
        raise unreadable("The file is empty.")
    places = _places(layout, None if header is None else header[1])
    lines: list[ReadLine] = []
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(lines) == MOST_LINES:
            raise unreadable(f"There are more than {MOST_LINES} lines: ask the bank for a shorter time.")
        lines.append(_Row(layout, places, row, number, currency).read())
    if not lines:
        raise unreadable("There is no line in it.")
    return _statement(_oldest_first(lines))


def _rows(content: bytes, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    encoding = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise unreadable(f"It is not written in {layout.encoding}.") from None
    if "\x00" in text:
        raise unreadable("It is no text file.")
    # Rows above the table are rows of text, whatever they have in them.
    body = text.split("\n", layout.skip)[-1] if layout.skip else text
    if layout.skip and text.count("\n") < layout.skip:
        raise unreadable("The file is shorter than what stands above its table.")
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=layout.delimiter, strict=True)
    try:
        for row in reader:
            if sum(map(len, row)) > LONGEST_ROW:
                raise unreadable(f"Row {reader.line_num + layout.skip} is too long to be one of a statement.")
            yield reader.line_num + layout.skip, row
    except csv.Error as error:
        raise unreadable(f"Row {reader.line_num + layout.skip} is no row of a CSV file: {error}.") from None


def _places(layout: Layout, header: Sequence[str] | None) -> dict[str, int]:
    if header is None:
        return {name: int(name) - 1 for name in layout.columns}
    names = [name.strip() for name in header]
    missing = [name for name in layout.columns if name not in names]
    if missing:
        raise unreadable(f"There is no column {', '.join(missing)}; there are {', '.join(filter(None, names))[:300]}.")
    twice = [name for name in layout.columns if names.count(name) > 1]
    if twice:
        raise unreadable(f"Column {twice[0]} is there twice.")
    return {name: names.index(name) for name in layout.columns}


class _Row:
    """One row, and what it says."""

    def __init__(self, layout: Layout, places: dict[str, int], row: list[str], number: int, currency: str) -> None:
        self.layout, self.places, self.row, self.number, self.currency = layout, places, row, number, currency

    def read(self) -> ReadLine:
        layout = self.layout
        booked_on = self._day(layout.date)
        if booked_on is None:
            raise unreadable(f"Row {self.number} has no day in {layout.date}.")
        return ReadLine(
            booked_on=booked_on,
            value_on=self._day(layout.value_date) if layout.value_date else None,
            amount_cents=self._moved(),
            reference=plain(self._cell(layout.reference), LONGEST_REFERENCE),
            text=plain(" ".join(self._cell(name) for name in layout.text), LONGEST_TEXT),
            counterparty=plain(self._cell(layout.counterparty), LONGEST_NAME),
            trace_id=plain(self._cell(layout.trace), LONGEST_TRACE),
            balance_cents=self._amount(layout.balance) if layout.balance else None,
        )

    def _cell(self, name: str) -> str:
        if not name:
            return ""
        place = self.places[name]
        if place >= len(self.row):
            raise unreadable(f"Row {self.number} has no column {name}.")
        return self.row[place].strip()

    def _day(self, name: str) -> date | None:
        written = self._cell(name)
        if not written:
            return None
        try:
            return datetime.strptime(written, self.layout.date_format).replace(tzinfo=UTC).date()
        except ValueError:
            raise unreadable(f"Row {self.number}: {written[:40]!r} is no day as {self.layout.date_format}.") from None

    def _moved(self) -> int:
        if self.layout.amount:
            cents = self._amount(self.layout.amount)
        else:
            # Money out is written with or without its sign.
            came, went = (self._amount(name, may_lack=True) for name in (self.layout.credit, self.layout.debit))
            if came and went:
                raise unreadable(f"Row {self.number} has money in and money out.")
            cents = came or -abs(went)
        if not cents:
            raise unreadable(f"Row {self.number} moves nothing.")
        return cents

    def _amount(self, name: str, *, may_lack: bool = False) -> int:
        written = self._cell(name)
        if not written and may_lack:
            return 0
        return minor_units(self._decimal(written), self.currency, f"Row {self.number}")

    def _decimal(self, written: str) -> Decimal:
        """Read strictly: a separator in the wrong place means that the layout is of another bank."""
        shown = written.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-").strip()
        found = SIGNED.fullmatch(shown) or TURNED.fullmatch(shown)
        parts = found.groupdict() if found else {}
        bare, is_out = parts.get("bare") or parts.get("inside") or "", parts.get("sign") == "-" or "(" in shown
        thousands, decimal = re.escape(self.layout.thousands), re.escape(self.layout.decimal)
        whole = rf"(?:\d{{1,3}}(?:{thousands}\d{{3}})+|\d+)" if thousands else r"\d+"
        if not re.fullmatch(rf"{whole}(?:{decimal}\d+)?", bare, re.ASCII):
            raise unreadable(f"Row {self.number}: {written[:40]!r} is no amount as this layout writes it.")
        if self.layout.thousands:
            bare = bare.replace(self.layout.thousands, "")
        amount = Decimal(bare.replace(self.layout.decimal, "."))
        return -amount if is_out else amount


def _oldest_first(lines: list[ReadLine]) -> list[ReadLine]:
    """In the order of the bank's books: by day, and within one as the balances (or the days of the others) say."""
    days = [line.booked_on for line in lines]
    if lines[0].balance_cents is not None and len(lines) > 1:
        is_reversed = not _follow(lines) and _follow(lines[::-1])
    else:
        is_reversed = days[0] > days[-1]
    return lines[::-1] if is_reversed else lines


def _follow(lines: Sequence[ReadLine]) -> bool:
    return all(
        (before.balance_cents or 0) + line.amount_cents == line.balance_cents for before, line in pairwise(lines)
    )


def _statement(lines: list[ReadLine]) -> ReadStatement:
    has_balances = lines[0].balance_cents is not None
    if has_balances and not _follow(lines):
        broken = next(i for i, pair in enumerate(pairwise(lines), 2) if not _follow(pair))
        raise unreadable(f"The balances do not follow from one another: something is missing before line {broken}.")
    days = [line.booked_on for line in lines]
    first, last = lines[0], lines[-1]
    return ReadStatement(
        lines=tuple(lines),
        first_on=min(days),
        last_on=max(days),
        opening_cents=None if first.balance_cents is None else first.balance_cents - first.amount_cents,
        closing_cents=last.balance_cents,
    )
