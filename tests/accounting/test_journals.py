"""Journals cut to what a file takes: every part balances, and nothing is lost."""

import random
from datetime import date

import pytest

from payments.accounting.days import Summed
from payments.accounting.formats import FORMATS
from payments.accounting.journals import Their, files_of, journals_of
from payments.ledger.accounts import Kind
from tests.accounting.books import QUICKBOOKS, XERO

THEIRS = {("prize_pot", "", "usd"): Their("820", "Tax Exempt"), ("clearing", "stripe", "usd"): Their("100", "")}


def sums(pools, *, number=1):
    """So many pools' pots, and the clearing that they come from."""
    draw = random.Random(pools)
    amounts = [draw.randint(1, 90_000) for _ in range(pools)]
    clearing = Summed(date(2026, 1, number), 1, "usd", Kind.CLEARING, "stripe", None, None, sum(amounts))
    pots = [
        Summed(date(2026, 1, number), 1, "usd", Kind.PRIZE_POT, "", pool, f"Pool {pool}", -amount)
        for pool, amount in enumerate(amounts, start=1)
    ]
    return [clearing, *pots]


@pytest.mark.parametrize("pools", [1, 298, 299, 300, 301, 598, 599, 3000])
@pytest.mark.parametrize("system", [QUICKBOOKS, XERO])
def test_no_file_has_more_lines_than_it_takes_and_each_journal_balances(pools, system):
    most = FORMATS[system].most_lines
    given = sums(pools)

    journals = list(journals_of(given, THEIRS, most_lines=most, livemode=True))
    files = files_of(journals, most_lines=most)

    assert [sum(line.amount for line in journal.lines) for journal in journals] == [0] * len(journals)
    assert max(sum(len(journal.lines) for journal in file) for file in files) <= most
    assert len({journal.number for journal in journals}) == len(journals)
    assert max(len(journal.number) for journal in journals) <= 21
    lines = [line for journal in journals for line in journal.lines]
    assert sum(line.amount for line in lines if line.their.account == "100") == given[0].amount
    assert sorted(line.amount for line in lines if line.their.account == "820") == sorted(s.amount for s in given[1:])


def test_journals_of_several_days_share_a_file_and_none_is_torn():
    given = [one for number in range(1, 8) for one in sums(99, number=number)]

    files = files_of(list(journals_of(given, THEIRS, most_lines=300, livemode=True)), most_lines=300)

    assert [[journal.day.day for journal in file] for file in files] == [[1, 2, 3], [4, 5, 6], [7]]
