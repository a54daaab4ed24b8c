"""How the CSV files of a bank are read: which columns there are, and how days and amounts are written.

No two banks agree, so each account has a layout of its own:

    {"date": "Booking date", "date_format": "%d.%m.%Y", "amount": "Amount", "decimal": ",", "delimiter": ";",
     "text": ["Purpose"], "counterparty": "Name", "balance": "Balance"}

Columns are named as in the file's first line, or numbered from 1 where it has none (`"has_header": false`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime

from config.errors import invalid
from config.phrases import phrase

ENCODINGS = ("utf-8", "cp1252", "iso-8859-1", "iso-8859-15", "utf-16")
DELIMITERS = (",", ";", "\t", "|")
SEPARATORS = ("", ",", ".", " ", "'")
MOST_SKIPPED = 50
_SAMPLE = date(2026, 12, 31)


@dataclass(frozen=True, slots=True)
class Layout:
    """Either `amount` has a sign, or money in and money out stand in two columns, `credit` and `debit`."""

    date: str
    amount: str = ""
    credit: str = ""
    debit: str = ""
    value_date: str = ""
    date_format: str = "%Y-%m-%d"
    text: tuple[str, ...] = ()
    counterparty: str = ""
    reference: str = ""
    trace: str = ""
    balance: str = ""
    decimal: str = "."
    thousands: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    skip: int = 0
    has_header: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that a file must have."""
        single = (
            self.date, self.amount, self.credit, self.debit, self.value_date, self.counterparty, self.reference,
            self.trace, self.balance,
        )  # fmt: skip
        return tuple(name for name in (*single, *self.text) if name)


def read_layout(given: object) -> Layout:
    """The layout that an account has. Refuses one that names no day or amount, and whatever it does not know."""
    if not given:
        raise invalid("layout", "This account has no layout for CSV files yet: write it down with the account.")
    if not isinstance(given, Mapping):
        raise invalid("layout", "`date` is missing: the column with the day of booking.")
    known = {one.name for one in fields(Layout)}
    strange = sorted(set(given) - known)
    if strange:
        raise invalid(
            "layout",
            phrase(
                "Nothing is known of {strange}; there are {choices}.",
                strange=", ".join(strange),
                choices=", ".join(sorted(known)),
            ),
        )
    values = {**given, "text": tuple(_texts(given.get("text", ())))}
    for name in known - {"text", "skip", "has_header"}:
        if not isinstance(values.get(name, ""), str):
            raise invalid("layout", phrase("`{name}` is a text.", name=name))
    if type(values.get("skip", 0)) is not int or type(values.get("has_header", True)) is not bool:
        raise invalid("layout", "`skip` is a number, `has_header` true or false.")
    if not values.get("date"):
        raise invalid("layout", "`date` is missing: the column with the day of booking.")
    layout = Layout(**values)
    _check(layout)
    return layout


def _texts(given: object) -> list[str]:
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, (list, tuple)) or not all(isinstance(name, str) for name in found):
        raise invalid("layout", "`text` is a list of columns.")
    return list(found)


def _check(layout: Layout) -> None:
    if bool(layout.amount) == bool(layout.credit and layout.debit) or bool(layout.credit) != bool(layout.debit):
        raise invalid("layout", "Name either `amount`, or both `credit` and `debit`.")
    if layout.encoding not in ENCODINGS:
        raise invalid("layout", phrase("`encoding` is one of {choices}.", choices=", ".join(ENCODINGS)))
    if layout.delimiter not in DELIMITERS:
        raise invalid("layout", "`delimiter` is a comma, a semicolon, a tab or a bar.")
    if layout.decimal not in (".", ",") or layout.thousands not in SEPARATORS or layout.decimal == layout.thousands:
        raise invalid("layout", "`decimal` is . or , and `thousands` something else of: , . ' blank, or nothing.")
    if not 0 <= layout.skip <= MOST_SKIPPED:
        raise invalid(
            "layout", phrase("`skip` is how many lines stand above the table: 0 to {most}.", most=MOST_SKIPPED)
        )
    if not layout.has_header and not all(name.isdecimal() and 0 < int(name) < 1000 for name in layout.columns):
        raise invalid("layout", "Without a header, columns are numbered from 1.")
    if _told_back(layout.date_format) != _SAMPLE:
        raise invalid("layout", "`date_format` says where day, month and year stand, like %d.%m.%Y.")


def _told_back(date_format: str) -> date | None:
    """A day, written and read in the format: what is lost on the way would be lost of every line."""
    try:
        return datetime.strptime(_SAMPLE.strftime(date_format), date_format).replace(tzinfo=UTC).date()
    except ValueError:
        return None
