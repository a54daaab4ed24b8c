"""The journals of the one fixed story for both programs, byte by byte; and what they come to is the trial balance."""

from collections import Counter
from decimal import Decimal

import pytest

from payments.accounting.batches import make_batch
from payments.ledger.accounts import Kind
from tests.accounting.books import QUICKBOOKS, XERO, files_of, lines_of, mapped
from tests.reports.golden import agrees
from tests.support.reports import rows


@pytest.mark.parametrize("system", [QUICKBOOKS, XERO])
def test_the_files_are_as_they_were_agreed_and_come_to_the_trial_balance(system, story):
    mapped(system)

    batch = make_batch(system=system, by=story.fiona)

    for name, raw in files_of(batch).items():
        assert agrees(name.replace(str(batch.first_day), "first").replace(str(batch.through_day), "last"), raw)
    found = Counter()
    for lines in lines_of(batch).values():
        for line in lines:
            found[account_of(line)] += amount_of(line)
    books = Counter()
    for row in rows("trial_balance"):
        books[theirs(system, row)] += Decimal(row["closing_debit"]) - Decimal(row["closing_credit"])
    assert {key: of for key, of in found.items() if of} == {key: of for key, of in books.items() if of}


def account_of(line):
    return line.get("AccountName") or line["AccountCode"]


def amount_of(line):
    if "Amount" in line:
        return Decimal(line["Amount"])
    return Decimal(line["Debits"] or 0) - Decimal(line["Credits"] or 0)


def theirs(system, row):
    """As `mapped` has it."""
    kind = Kind(row["account_kind"])
    return f"Outlast:{kind.label}" if system == QUICKBOOKS else str(100 + list(Kind).index(kind))
