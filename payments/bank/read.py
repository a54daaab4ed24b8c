"""What a file of a bank says, whichever format it has, before anything of it is believed."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from config.errors import Malformed, invalid
from config.money import exponent

MOST_LINES = 50_000
LONGEST_TEXT, LONGEST_NAME, LONGEST_TRACE, LONGEST_REFERENCE = 500, 200, 140, 100
# More than any bank has; far from where programs that read JSON lose digits.
LARGEST_AMOUNT = 10**15
EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One booking of the bank. `reference` is the bank's own, or empty; `balance_cents` is what stood after it."""

    booked_on: date
    amount_cents: int
    reference: str = ""
    value_on: date | None = None
    text: str = ""
    counterparty: str = ""
    trace_id: str = ""
    balance_cents: int | None = None


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """A statement as a file has it, lines in the order of the bank's books; balances are None where it says none.

    `number` and `currency` are of the account, empty where the file does not say.
    """

    lines: tuple[ReadLine, ...]
    first_on: date
    last_on: date
    reference: str = ""
    number: str = ""
    currency: str = ""
    opening_cents: int | None = None
    closing_cents: int | None = None


def unreadable(message: str) -> Malformed:
    """The file cannot be taken, and why."""
    return invalid("file", message)


def minor_units(amount: Decimal, currency: str, where: str) -> int:
    """The amount in minor units. Refuses parts of them, and sums that no bank account has."""
    places, shown = exponent(currency), str(amount)[:40]
    # Before it is scaled: a text can be of a number that is too large for that.
    if not amount.is_finite() or amount.copy_abs() > LARGEST_AMOUNT:
        raise unreadable(f"{where}: {shown} is more than an account can have.")
    if amount != round(amount, places):
        raise unreadable(f"{where}: {shown} is no amount of {currency.upper()}.")
    scaled = int(amount.scaleb(places))
    if abs(scaled) > LARGEST_AMOUNT:
        raise unreadable(f"{where}: {shown} is more than an account can have.")
    return scaled


def plain(text: str | None, longest: int) -> str:
    """Text as one line without control characters, as long as there is room for."""
    if not text:
        return ""
    shown = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    return " ".join(shown.split())[:longest]


def on_days_that_were(statement: ReadStatement, today: date) -> ReadStatement:
    """The statement, ending today at the latest: some banks name the end of the month, or the next midnight.

    Refuses days that have not come, or are long gone: a sign that day and month were read the wrong way round.
    """
    for day in (statement.first_on, *(line.booked_on for line in statement.lines)):
        if not EARLIEST <= day <= today:
            raise unreadable(f"It is of {day}, which is no day of a statement that exists today.")
    return replace(statement, last_on=min(statement.last_on, today))


def named(lines: Iterable[ReadLine]) -> Iterator[ReadLine]:
    """Each with a reference that no other line of the account has, and that the next file gives it again.

    The bank's own, or one made of what the line says; alike ones are counted, in the order in which they stand.
    """
    seen: Counter[str] = Counter()
    for line in lines:
        own = plain(line.reference, LONGEST_REFERENCE - 8) or _made_of(line)
        seen[own] += 1
        yield replace(line, reference=own if seen[own] == 1 else f"{own}#{seen[own]}")


def _made_of(line: ReadLine) -> str:
    said = (line.booked_on, line.value_on, line.amount_cents, line.text, line.counterparty, line.trace_id)
    return "made:" + hashlib.sha256("\x1f".join(map(str, said)).encode()).hexdigest()[:32]
