"""What a line of a statement is: found where one thing fits, and a person's business everywhere else."""

from datetime import UTC, date, datetime

import pytest

from config.errors import Code
from payments.bank.days import add_business_days
from payments.bank.deciding import Choice, match_by_hand, undo_match
from payments.bank.matching import match_all_lines
from payments.bank.overdue import look_for_overdue_payouts
from payments.ledger.posting import post
from payments.ledger.rules import Sum, provider_payout
from payments.models import BankLine, BankMatch, Discrepancy, MatchKind, ProviderPayout
from tests.support.bank import csv_of
from tests.support.by_hand import cash, paid_by_hand, transfer
from tests.support.charging import balance, balances
from tests.support.refusals import refusal_of

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 3)


def sent(reference="po_1", cents=4825, *, day=DAY, trace="", status="paid", currency="usd"):
    """A payout of the provider, and its leaving the balance in the books."""
    row = ProviderPayout.objects.create(
        provider="stripe", reference=reference, amount_cents=cents, currency=currency, livemode=False, status=status,
        arrives_on=day, trace_id=trace,
    )  # fmt: skip
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    post(provider_payout("stripe", f"txn_{reference}", Sum(cents, currency, False, at)))
    return row


def line(take, *, cents=4825, text="a transfer", day="2026-11-03"):
    """A statement of one line."""
    take(csv_of((day, text, cents, 100_000)))
    return BankLine.objects.get()


def doubts(kind="bank_unmatched"):
    return list(Discrepancy.objects.filter(kind=kind, status="open").values_list("sentence", flat=True))


class TestByName:
    def test_the_trace_id_finds_its_payout_whatever_the_day(self, take):
        payout = sent(trace="TRACE0001")

        found = line(take, text="STRIPE trace0001 /X", day="2026-10-01")

        match = found.matches.get()
        assert (found.status, match.payout, match.found_by) == ("matched", payout, "trace")
        assert (balance("bank_in_transit"), balance("bank")) == (0, 100_000)
        assert doubts() == []

    def test_so_does_its_name_at_the_provider(self, take):
        sent("po_1ABCDEF")

        assert line(take, text="PO_1abcdef").status == "matched"

    def test_a_payout_of_another_amount_is_not_guessed(self, take):
        sent(trace="TRACE0001", cents=4800)
        sent("po_2", cents=4825)

        assert line(take, text="TRACE0001").status == "waiting"
        (said,) = doubts()
        assert said.startswith("48.25 USD of 2026-11-03 on the statement of House account: it bears the name of a ")

    def test_a_payout_that_a_line_names_is_no_other_line_s(self, take):
        """The bank has kept a part of it, and somebody else has sent as much on the same day."""
        sent(trace="TRACE0001", cents=4825)

        take(csv_of(("2026-11-03", "TRACE0001", 4800, 4800), ("2026-11-03", "somebody", 4825, 9625)))

        assert set(BankLine.objects.values_list("status", flat=True)) == {"waiting"}

    def test_two_lines_of_one_name_wait(self, take):
        sent(trace="TRACE0001")

        take(csv_of(("2026-11-03", "TRACE0001", 4825, 4825), ("2026-11-03", "TRACE0001 2", 4825, 9650)))

        assert set(BankLine.objects.values_list("status", flat=True)) == {"waiting"}

    def test_one_that_came_and_went_back_is_both_lines(self, take):
        payout = sent(trace="TRACE0001")
        post(provider_payout("stripe", "txn_back", Sum(-4825, "usd", False, datetime(2026, 11, 4, tzinfo=UTC))))
        ProviderPayout.objects.filter(pk=payout.pk).update(status="failed")

        take(csv_of(("2026-11-03", "TRACE0001", 4825, 4825), ("2026-11-04", "return TRACE0001", -4825, 0)))

        assert sorted(BankMatch.objects.values_list("amount_cents", flat=True)) == [-4825, 4825]
        assert balances() == {}

    def test_money_by_hand_is_found_by_its_reference(self, take, unpaid):
        record = paid_by_hand(unpaid, handover=transfer("CHK-100042"))

        assert line(take, cents=5000, text="cheque chk-100042").status == "matched"
        assert BankMatch.objects.get().record == record
        assert (balance("clearing", provider="manual"), balance("bank")) == (0, 100_000)

    @pytest.mark.parametrize(
        ("text", "status"),
        [
            ("INVOICE-12", "matched"), ("/ref/invoice-12.", "matched"), ("INVOICE-123", "waiting"),
            ("XINVOICE-12", "waiting"), ("INVOICE-12-3", "waiting"),
        ],
    )  # fmt: skip
    def test_a_name_is_found_as_a_whole_word(self, take, unpaid, text, status):
        paid_by_hand(unpaid, handover=transfer("INVOICE-12"))

        assert line(take, cents=5000, text=text, day="2026-01-05").status == status


class TestByAmountAndDay:
    @pytest.mark.parametrize("day", ["2026-10-29", "2026-11-03", "2026-11-06"])
    def test_one_payout_within_three_business_days_is_it(self, take, day):
        sent()

        found = line(take, day=day)

        assert (found.status, found.matches.get().found_by) == ("matched", "amount")

    @pytest.mark.parametrize("day", ["2026-10-28", "2026-11-07"])
    def test_further_away_it_may_be_another(self, take, day):
        sent()

        assert line(take, day=day).status == "waiting"
        assert "nothing that is expected fits it alone" in doubts()[0]

    def test_weekends_do_not_count(self, take):
        """Thursday to the next Tuesday."""
        sent(day=date(2026, 11, 5))

        assert line(take, day="2026-11-10").status == "matched"

    def test_two_payouts_alike_wait_for_a_person(self, take):
        sent("po_1"), sent("po_2")

        assert line(take).status == "waiting"
        assert "2 expected payouts or records could be it" in doubts()[0]

    def test_two_lines_alike_do_as_well(self, take):
        sent()

        take(csv_of(("2026-11-03", "a", 4825, 4825), ("2026-11-03", "b", 4825, 9650)))

        assert set(BankLine.objects.values_list("status", flat=True)) == {"waiting"}

    def test_a_transfer_by_hand_and_a_payout_alike_do_as_well(self, take, unpaid):
        record = paid_by_hand(unpaid, handover=transfer())
        day = record.passed_at.date()
        sent(cents=5000, day=day)

        assert line(take, cents=5000, day=day.isoformat()).status == "waiting"

    def test_cash_is_not_recognised_by_its_amount(self, take, unpaid):
        day = paid_by_hand(unpaid, handover=cash()).passed_at.date()

        assert line(take, cents=5000, day=day.isoformat()).status == "waiting"

    def test_another_currency_mode_or_direction_is_never_it(self, take):
        sent("po_1", currency="eur")
        sent("po_2", cents=-4825)
        ProviderPayout.objects.create(
            provider="stripe", reference="po_3", amount_cents=4825, currency="usd", livemode=True, status="paid",
            arrives_on=DAY,
        )  # fmt: skip
        sent("po_4", status="failed")

        assert line(take).status == "waiting"

    def test_a_payout_that_is_learned_later_finds_its_line(self, take):
        found = line(take)
        assert len(doubts()) == 1
        sent()

        assert match_all_lines() == 1

        found.refresh_from_db()
        assert (found.status, doubts()) == ("matched", [])
        assert match_all_lines() == 0


class TestByHand:
    def match(self, found, by, **choice):
        return match_by_hand(line_id=found.pk, choice=Choice(**choice), by=by, reason="I looked")

    def test_a_payout_less_what_the_bank_took(self, take, finance):
        payout = sent(cents=5000)
        found = self.match(line(take), finance, payout_ids=(payout.pk,), rest=MatchKind.BANK_FEE)

        assert found.status == "matched"
        assert balances() == {
            "bank": 100_000, "clearing": -5000, "not_ours": -95_175, "provider_fees": 175,
        }  # fmt: skip
        assert balance("provider_fees", provider="bank") == 175
        assert doubts() == []

    def test_what_is_another_business(self, take, finance):
        self.match(line(take, cents=-700, text="Rent"), finance, rest=MatchKind.NOT_OURS)

        assert balances() == {"bank": 100_000, "not_ours": -100_000}

    def test_several_of_them_in_one_line(self, take, finance, unpaid, stranger):
        from tests.factories.entries import RequestFactory

        records = [
            paid_by_hand(unpaid, handover=cash()),
            paid_by_hand(RequestFactory(approved=True, user=stranger, pool=unpaid.pool), handover=cash()),
        ]

        self.match(line(take, cents=10_000, text="Deposit"), finance, record_ids=tuple(one.pk for one in records))

        assert balance("clearing", provider="manual") == 0
        assert set(BankMatch.objects.values_list("made_by", "reason")) == {(finance.pk, "I looked")}

    @pytest.mark.parametrize("choice", [{}, {"payout_ids": "both"}, {"payout_ids": "small"}])
    def test_what_does_not_come_to_it_is_refused(self, take, finance, choice):
        big, small = sent("po_1", 4825, day=date(2026, 1, 5)), sent("po_2", 100)
        chosen = {"both": (big.pk, small.pk), "small": (small.pk,)}.get(choice.get("payout_ids"), ())

        refusal = refusal_of(lambda: self.match(line(take), finance, payout_ids=chosen))

        assert (refusal.code, refusal.details["line_cents"]) == (Code.INVALID_TRANSITION, 4825)
        assert not BankMatch.objects.exists()

    def test_what_another_line_is_already_is_refused(self, take, finance):
        payout = sent(trace="TRACE0001")
        line(take, text="TRACE0001")
        take(csv_of(("2026-11-20", "again", 4825, 104_825)))
        other = BankLine.objects.get(status="waiting")

        assert refusal_of(lambda: self.match(other, finance, payout_ids=(payout.pk,))).code == Code.VERSION_CONFLICT

    def test_another_currency_is_refused(self, take, finance):
        payout = sent(currency="eur")

        assert list(refusal_of(lambda: self.match(line(take), finance, payout_ids=(payout.pk,))).details) == [
            "provider_payouts"
        ]

    def test_what_nobody_confirmed_is_refused(self, take, finance, unpaid):
        from tests.support.by_hand import recorded

        record = recorded(unpaid)
        found = line(take, cents=5000)

        assert list(refusal_of(lambda: self.match(found, finance, record_ids=(record.pk,))).details) == [
            "manual_records"
        ]

    def test_no_reason_is_refused(self, take, finance):
        found = line(take)

        refusal = refusal_of(
            lambda: match_by_hand(line_id=found.pk, choice=Choice(rest=MatchKind.NOT_OURS), by=finance, reason=" ")
        )
        assert list(refusal.details) == ["reason"]

    def test_a_line_that_is_not_there(self, finance):
        assert (
            refusal_of(
                lambda: match_by_hand(line_id=9, choice=Choice(rest=MatchKind.NOT_OURS), by=finance, reason="x")
            ).code
            == Code.NOT_FOUND
        )


class TestTakingBack:
    def test_it_is_reversed_and_waits_again(self, take, finance):
        payout = sent(trace="TRACE0001")
        found = line(take, text="TRACE0001")

        undo_match(line_id=found.pk, by=finance, reason="another house's")

        found.refresh_from_db()
        match = found.matches.get()
        assert (found.status, match.undone_by, match.undone_because) == ("waiting", finance, "another house's")
        assert (balance("bank_in_transit"), balance("bank")) == (4825, 95_175)
        assert "It was matched, and that was taken back" in doubts()[0]
        match_by_hand(line_id=found.pk, choice=Choice(payout_ids=(payout.pk,)), by=finance, reason="it was")
        assert balance("bank_in_transit") == 0

    def test_what_waits_cannot_be_taken_back(self, take, finance):
        found = line(take)

        assert refusal_of(lambda: undo_match(line_id=found.pk, by=finance, reason="x")).code == Code.INVALID_TRANSITION

    def test_what_was_taken_back_is_not_guessed_again_at_once(self, take, finance):
        """A person has said that it is not it."""
        sent(trace="TRACE0001")
        found = line(take, text="TRACE0001")
        undo_match(line_id=found.pk, by=finance, reason="another house's")

        assert match_all_lines() == 0


class TestOverdue:
    def test_five_business_days_after_its_day_somebody_is_told(self, bank):
        sent(day=DAY)
        due = add_business_days(DAY, 5)

        assert look_for_overdue_payouts(today=due) == 0
        assert look_for_overdue_payouts(today=add_business_days(due, 1)) == 1

        assert "there is no statement of that day: none was imported" in doubts("payout_not_in_bank")[0]

    @pytest.mark.parametrize("day", ["2026-11-04", "2026-11-02"])
    def test_where_no_statement_is_of_its_day_nobody_is_told_that_it_is_missing_there(self, take, day):
        sent(day=DAY)
        take(csv_of((day, "x", 1, 1)))

        look_for_overdue_payouts(today=date(2026, 12, 1))

        assert f"there is no statement of that day: they are of {day} to {day}" in doubts("payout_not_in_bank")[0]

    def test_the_bank_s_line_closes_it(self, take):
        sent(trace="TRACE0001")
        take(csv_of(("2026-11-02", "y", 1, 1), ("2026-11-19", "x", 1, 2)))
        look_for_overdue_payouts(today=date(2026, 11, 20))
        assert "no statement shows it" in doubts("payout_not_in_bank")[0]

        take(csv_of(("2026-11-19", "TRACE0001", 4825, 4827)))

        assert doubts("payout_not_in_bank") == []
        assert look_for_overdue_payouts(today=date(2026, 11, 20)) == 0

    def test_without_an_account_nobody_can_know(self):
        sent()

        assert look_for_overdue_payouts(today=date(2026, 12, 1)) == 0

    def test_what_failed_is_not_expected(self, bank):
        sent(status="failed")

        assert look_for_overdue_payouts(today=date(2026, 12, 1)) == 0

    def test_a_person_who_dealt_with_it_is_left_in_peace(self, bank, finance):
        from payments.services.discrepancies import resolve

        sent()
        look_for_overdue_payouts(today=date(2026, 12, 1))
        resolve(discrepancy_id=Discrepancy.objects.get().pk, by=finance, resolution="it went to another account")

        look_for_overdue_payouts(today=date(2026, 12, 2))

        assert Discrepancy.objects.count() == 1
