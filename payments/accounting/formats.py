"""The files as the two programs import them; columns, dates and limits are theirs.

QuickBooks Online: one journal for each JournalNo, month first in dates, debits and credits in two columns; the number
has 21 characters at most, a file 1,000 rows. Xero: one journal for each narration and date, at most 300 lines in a
file, debits positive, the month in letters, so that no country reads it as the day.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from config.cells import cell
from config.money import exponent, to_decimal
from payments.accounting.journals import Journal, JournalLine
from payments.models import AccountingSystem

# The first instant that a ZIP can name: the same journals are the same bytes, whenever they are packed.
NO_INSTANT = (1980, 1, 1, 0, 0, 0)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Format:
    """How one program wants its journals."""

    heading: tuple[str, ...]
    most_lines: int
    row: Callable[[Journal, JournalLine], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Packed:
    """A file, ready to be kept: a CSV, or a ZIP of several."""

    ending: str
    content: bytes


def _amount(minor: int, currency: str) -> str:
    return f"{to_decimal(minor, currency):.{exponent(currency)}f}"


def _quickbooks(journal: Journal, line: JournalLine) -> tuple[Any, ...]:
    debit = _amount(line.amount, journal.currency) if line.amount > 0 else ""
    credit = _amount(-line.amount, journal.currency) if line.amount < 0 else ""
    description = cell(line.description)
    return (journal.number, f"{journal.day:%m/%d/%Y}", line.their.account, debit, credit, description, "")


def _xero(journal: Journal, line: JournalLine) -> tuple[Any, ...]:
    day = f"{journal.day.day} {MONTHS[journal.day.month - 1]} {journal.day.year}"
    amount = _amount(line.amount, journal.currency)
    return (
        f"Outlast {journal.number}", day, cell(line.description), line.their.account, line.their.tax_rate, amount
    )  # fmt: skip


FORMATS = {
    AccountingSystem.QUICKBOOKS: Format(
        heading=("JournalNo", "JournalDate", "AccountName", "Debits", "Credits", "Description", "Name"),
        most_lines=1_000,
        row=_quickbooks,
    ),
    AccountingSystem.XERO: Format(
        heading=("Narration", "Date", "Description", "AccountCode", "TaxRate", "Amount"), most_lines=300, row=_xero
    ),
}


def packed(system: AccountingSystem, files: Sequence[tuple[str, Sequence[Journal]]]) -> Packed:
    """One file as it is, several in a ZIP. `files` are names without ending, and what is in each."""
    form = FORMATS[system]
    written = [(f"{name}.csv", _csv(form, journals)) for name, journals in files]
    if len(written) == 1:
        return Packed("csv", written[0][1])
    return Packed("zip", _zip(written))


def _csv(form: Format, journals: Iterable[Journal]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(form.heading)
    for journal in journals:
        writer.writerows(form.row(journal, line) for line in journal.lines)
    return text.getvalue().encode()


def _zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    packed_files = io.BytesIO()
    with zipfile.ZipFile(packed_files, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, NO_INSTANT), content, zipfile.ZIP_DEFLATED)
    return packed_files.getvalue()
