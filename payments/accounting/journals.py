"""Sums of days as journals, each of one day and currency, small enough for a file of the other program.

A journal of more lines than a file takes is cut into parts. Each balances: the line of the largest amount goes with
every part, with as much of it as the rest of the part comes to.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

from payments.accounting.days import Summed
from payments.ledger.accounts import Kind


@dataclass(frozen=True, slots=True)
class Their:
    """An account of the other program."""

    account: str
    tax_rate: str


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line; debits are positive."""

    their: Their
    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class Journal:
    """One day in one currency, or a part of it. `number` is its name in the other program, unique and short."""

    number: str
    day: date
    currency: str
    lines: tuple[JournalLine, ...]


# Kind, provider, currency → an account of theirs; see `payments.accounting.mapping`.
Finder = Mapping[tuple[Kind, str, str], Their]


def journals_of(sums: Iterable[Summed], theirs: Finder, *, most_lines: int, livemode: bool) -> Iterator[Journal]:
    """The journals of these sums, oldest first. Each balances, and none has more lines than `most_lines`."""
    for (day, part, currency), group in groupby(sums, key=lambda one: (one.day, one.part, one.currency)):
        lines = tuple(_line(one, theirs[one.kind, one.provider, currency]) for one in group)
        number = f"{'OL' if livemode else 'OT'}-{day:%y%m%d}-{currency.upper()}-{part}"
        whole = Journal(number, day, currency, lines)
        yield from _cut(whole, most_lines)


def files_of(journals: Sequence[Journal], *, most_lines: int) -> list[list[Journal]]:
    """The journals of one currency by file: none is torn apart, and no file has more lines than `most_lines`."""
    files: list[list[Journal]] = []
    left = 0
    for journal in journals:
        if len(journal.lines) > left:
            files.append([])
            left = most_lines
        files[-1].append(journal)
        left -= len(journal.lines)
    return files


def _line(one: Summed, their: Their) -> JournalLine:
    of = ", ".join(
        text for text in (one.provider, f"{one.pool_name} (pool {one.pool_id})" if one.pool_id else "") if text
    )
    return JournalLine(their, f"{one.kind.label}: {of}" if of else one.kind.label, one.amount)


def _cut(whole: Journal, most_lines: int) -> Iterator[Journal]:
    if len(whole.lines) <= most_lines:
        yield whole
        return
    largest = max(whole.lines, key=lambda line: abs(line.amount))
    others = [line for line in whole.lines if line is not largest]
    for index, start in enumerate(range(0, len(others), most_lines - 1)):
        piece = others[start : start + most_lines - 1]
        rest = -sum(line.amount for line in piece)
        lines = (*piece, replace(largest, amount=rest)) if rest else tuple(piece)
        yield replace(whole, number=f"{whole.number}{chr(ord('a') + index % 26)}{index // 26 or ''}", lines=lines)
