"""A transfer by hand that the winner's bank sent back: two lines, one record."""

from datetime import timedelta

import pytest

from config.clock import database_now, finance_date
from payments.bank.candidates import candidates_of
from payments.bank.deciding import Choice, match_by_hand
from payments.models import BankLine, BankMatch
from payments.services.manual.deciding import confirm_record
from payments.services.payouts import hand_over, return_payout
from tests.factories.accounts import FinanceFactory
from tests.support.bank import csv_of, in_hand
from tests.support.by_hand import transfer
from tests.support.charging import balance
from tests.support.refusals import refusal_of
from tests.support.winning import approved_payout, booked, won_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def record():
    pool, winner, _ = won_pool()
    booked(pool)
    payout = approved_payout(winner)
    record = hand_over(payout_id=payout.pk, handover=transfer("CHK-777001"), by=FinanceFactory())
    return confirm_record(record_id=record.pk, by=FinanceFactory())


@pytest.fixture
def returned(record, finance):
    return_payout(payout_id=record.payout_id, by=finance, reason="account closed")
    return record


def lines(take, out, back, *, days_ago=0):
    day = finance_date(database_now()) - timedelta(days=days_ago)
    take(csv_of((day, out, -10_000, 0), (day, back, 10_000, 10_000)))
    return BankLine.objects.order_by("amount_cents")


def test_both_lines_are_known_by_its_reference(take, returned):
    lines(take, "prize CHK-777001", "returned CHK-777001")

    assert sorted(BankMatch.objects.values_list("record", "amount_cents", "found_by")) == [
        (returned.pk, -10_000, "reference"), (returned.pk, 10_000, "reference"),
    ]  # fmt: skip
    assert balance("clearing", provider="manual") == 0
    assert in_hand() == [(0, 0, True)]


def test_or_by_their_amount_and_day(take, returned):
    lines(take, "one", "other")

    assert set(BankMatch.objects.values_list("record", "found_by")) == {(returned.pk, "amount")}
    assert balance("clearing", provider="manual") == 0


def test_or_a_person_says_so_of_each(take, finance, returned):
    out, back = lines(take, "one", "other", days_ago=30)
    assert [candidates_of(found).records for found in (out, back)] == [(returned,), (returned,)]

    for found in (out, back):
        match_by_hand(line_id=found.pk, choice=Choice(record_ids=(returned.pk,)), by=finance, reason="I looked")

    assert [candidates_of(found).records for found in (out, back)] == [(), ()]
    assert balance("clearing", provider="manual") == 0


def test_in_hand_is_what_is_on_no_line_yet(take, record, finance):
    lines(take, "prize CHK-777001", "somebody else")
    assert in_hand() == [(0, 0, True)]

    return_payout(payout_id=record.payout_id, by=finance, reason="account closed")

    assert in_hand() == [(10_000, 10_000, True)]


def test_one_that_stayed_is_no_line_that_comes(take, finance, record):
    _, back = lines(take, "prize CHK-777001", "refund CHK-777001")
    assert (back.status, candidates_of(back).records) == ("waiting", ())

    refusal = refusal_of(match_by_hand, line_id=back.pk, choice=Choice(record_ids=(record.pk,)), by=finance, reason="x")

    assert refusal.details == {"line_cents": 10_000, "chosen_cents": -10_000}
