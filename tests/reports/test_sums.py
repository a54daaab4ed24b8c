"""The reports of one story agree with each other, and with the books, to the cent: each sum is met twice."""

from collections import Counter

import pytest

from payments.models import Posting
from tests.reports.golden import options_of, rows, sums


@pytest.fixture
def registers(story):
    """Every register with its rows, as of the same moment."""
    kinds = ("payments", "refunds", "disputes", "provider_payouts", "winner_payouts", "open_items", "journal")
    return {kind: rows(kind) for kind in kinds} | {"tax_year": rows("tax_year", options={"year": 2026})}


def standing(*kinds, **names):
    """What accounts of these kinds have come to in each currency, debits positive."""
    found: Counter[str] = Counter()
    narrowed = {f"account__{name}": value for name, value in names.items()}
    for currency, amount in Posting.objects.filter(account__kind__in=kinds, **narrowed).values_list(
        "currency", "amount"
    ):
        found[currency] += amount
    return {code: minor for code, minor in sorted(found.items()) if minor}


def booked(event, kind):
    """What entries of this event have put on accounts of this kind, debits positive."""
    found: Counter[str] = Counter()
    lines = Posting.objects.filter(journal_entry__event=event, account__kind=kind)
    for currency, amount in lines.values_list("currency", "amount"):
        found[currency] += amount
    return {code: minor for code, minor in sorted(found.items()) if minor}


def plus(*parts):
    """The sum of several sums by currency; of one that is to be taken away, its `minus`."""
    found: Counter[str] = Counter()
    for part in parts:
        found.update(part)
    return {code: minor for code, minor in sorted(found.items()) if minor}


def minus(part):
    return {code: -minor for code, minor in part.items()}


def of(found, **cells):
    """The rows whose cells are these."""
    return [row for row in found if all(row[name] == value for name, value in cells.items())]


class TestRegistersAndBooks:
    def test_gross_is_what_the_journal_has_received(self, registers):
        assert sums(registers["payments"], "gross", "gross_currency") == booked("received", "clearing")

    def test_what_went_back_is_the_same_in_both_registers_and_the_books(self, registers):
        gone = sums(registers["refunds"], "gone")

        assert sums(registers["payments"], "refunded", "gross_currency") == gone
        left = plus(booked("paid", "refund_payable"), booked("external", "suspense"))
        came_back = plus(booked("failed", "refund_payable"), booked("external_failed", "suspense"))
        assert plus(left, came_back) == gone

    def test_fees_are_what_the_provider_kept(self, registers):
        of_charges = sums(registers["payments"], "fee", "settled_currency")
        of_refunds = sums(registers["refunds"], "fee", "settled_currency")

        assert plus(of_charges, of_refunds) == standing("provider_fees", provider="stripe")

    def test_disputes_are_what_was_taken_less_what_came_back(self, registers):
        found = registers["disputes"]
        out = plus(
            sums(found, "taken", "settled_currency"), minus(sums(found, "returned", "settled_currency")),
            minus(sums(found, "lost")),
        )  # fmt: skip

        assert out == standing("disputes_receivable")
        assert sums(found, "fee", "settled_currency") == standing("dispute_fees")
        assert sums(found, "lost") == standing("chargeback_loss")

    @pytest.mark.parametrize("kind", ["unallocated", "refund_payable", "suspense", "disputes_receivable"])
    def test_open_items_are_the_balance_of_their_account(self, registers, kind):
        side = 1 if kind in ("suspense", "disputes_receivable") else -1

        found = sums(of(registers["open_items"], account_kind=kind), "open")

        assert {code: side * minor for code, minor in found.items()} == standing(kind)

    def test_prizes_paid_are_what_winners_are_owed_no_more(self, registers):
        paid = of(registers["winner_payouts"], status="paid")

        assert plus(minus(booked("settled", "winnings_payable")), minus(sums(paid, "gross"))) == minus(
            standing("winnings_payable")
        )
        assert sums(paid, "withheld") == minus(standing("tax_withheld"))
        assert sums(paid, "gross") == sums(registers["tax_year"], "gross")
        assert sums(paid, "withheld") == sums(registers["tax_year"], "withheld")
        assert sums(paid, "net") == sums(registers["tax_year"], "paid_out")

    def test_provider_payouts_are_what_is_in_transit_or_in_the_bank(self, registers):
        found = registers["provider_payouts"]

        assert sums(found, "amount") == booked("payout", "bank_in_transit")
        with_items = [row for row in of(found, line="payout") if int(row["items"])]
        assert sums(found, "net") == sums(with_items, "amount")
        assert sums(found, "difference") == {}
        in_bank = [row for row in with_items if row["bank_line"]]
        assert plus(sums(found, "amount"), minus(sums(in_bank, "amount"))) == standing("bank_in_transit")

    def test_all_that_moved_is_what_is_left_at_the_provider_and_in_hand(self, registers):
        """Net of payments, refunds, disputes, prizes and payouts: the balance of the clearing accounts."""
        payments, disputes = registers["payments"], registers["disputes"]
        found = plus(
            sums(payments, "net", "settled_currency"),
            sums(registers["refunds"], "settled", "settled_currency"),
            minus(sums(registers["refunds"], "fee", "settled_currency")),
            minus(sums(disputes, "taken", "settled_currency")),
            sums(disputes, "returned", "settled_currency"),
            minus(sums(disputes, "fee", "settled_currency")),
            minus(sums(of(registers["winner_payouts"], status="paid"), "net")),
            minus(sums(registers["provider_payouts"], "amount")),
            booked("unexplained", "clearing"),
        )

        assert found == standing("clearing")


class TestBooks:
    def test_journal_and_trial_balance_are_the_same(self, registers):
        journal, trial = registers["journal"], rows("trial_balance")

        assert sums(journal, "debit") == sums(journal, "credit")
        assert sums(trial, "debits") == sums(journal, "debit")
        assert sums(trial, "credits") == sums(journal, "credit")
        assert sums(trial, "closing_debit") == sums(trial, "closing_credit")
        for kind in {row["account_kind"] for row in journal}:
            of_kind, of_trial = of(journal, account_kind=kind), of(trial, account_kind=kind)
            closing = plus(sums(of_trial, "closing_debit"), minus(sums(of_trial, "closing_credit")))
            assert closing == plus(sums(of_kind, "debit"), minus(sums(of_kind, "credit"))) == standing(kind), kind

    def test_an_account_s_statement_closes_at_its_balance(self, story):
        options = options_of("account_statement")
        found = rows("account_statement", options=options)

        account = standing("clearing", pk=options["account"])
        assert found[-1]["row"] == "closing"
        assert {found[-1]["currency"]: int(found[-1]["balance_minor"])} == account
        lines = [row for row in found if row["line"]]
        assert plus(sums(lines, "debit"), minus(sums(lines, "credit"))) == account
