"""Prizes paid out: by two names, once, less what a country keeps; and owed again when the bank sends them back."""

import pytest
from django.db import IntegrityError, connection, transaction

from config.clock import database_now
from config.errors import Code, Conflict, Forbidden, Malformed, Refused
from entries.services.lost_places import suspend_entry
from payments.models import Discrepancy, Payout, PayoutChange, TaxForm, TaxYear
from payments.reconciliation.sums import sums_of_ours
from payments.services.manual.deciding import confirm_record, reject_record
from payments.services.payouts import (
    PrizeNotDue,
    approve_payout,
    cancel_payout,
    hand_over,
    mark_paid,
    request_payout,
    return_payout,
)
from payments.services.taxes import TaxFormMissing, finance_year
from tests.factories.accounts import FinanceFactory
from tests.factories.pools import PoolFactory
from tests.payments.test_prizes import journal, owed_to
from tests.support.playing import play
from tests.support.winning import approved_payout, booked, cash, paid_in, paid_out, won_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def winner():
    pool, winner, _ = won_pool()
    booked(pool)
    return winner


@pytest.fixture
def second():
    return FinanceFactory()


def tax_year(**fields):
    given = {"country": "US", "year": finance_year(database_now()), "currency": "usd", "form": "W-9"}
    return TaxYear.objects.create(**(given | {"threshold_cents": 10000} | fields))


def refused(sql):
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    return caught.value.__cause__.diag.constraint_name


def in_hand():
    """Money by hand, in the books and as it was signed for."""
    return [(one.ours, one.theirs, one.agrees) for one in sums_of_ours() if one.name == "in_hand"]


class TestAsking:
    def test_the_amount_is_the_one_booked(self, winner, finance):
        payout = request_payout(entry_id=winner.pk, by=finance)
        assert (payout.amount_cents, payout.withheld_cents, payout.currency) == (10000, 0, "usd")
        assert (payout.status, payout.player, payout.requested_by) == ("requested", winner.user, finance)

    def test_a_prize_is_paid_out_once(self, winner, finance):
        request_payout(entry_id=winner.pk, by=finance)
        with pytest.raises(PrizeNotDue, match="already"):
            request_payout(entry_id=winner.pk, by=finance)

    def test_what_is_not_booked_is_not_paid_out(self, finance):
        _, winner, loser = won_pool()
        for entry in (winner, loser):
            with pytest.raises(PrizeNotDue, match="no prize"):
                request_payout(entry_id=entry.pk, by=finance)

    def test_nobody_pays_out_a_prize_of_their_own(self, winner, finance):
        with pytest.raises(Forbidden):
            request_payout(entry_id=winner.pk, by=winner.user)
        wish = request_payout(entry_id=winner.pk, by=finance)
        with pytest.raises(Forbidden):
            approve_payout(payout_id=wish.pk, by=winner.user)

    def test_nor_takes_one_back_or_says_that_it_came_back(self, winner, finance):
        """It would be owed again, and the colleagues who then pay it a second time would know of nothing."""
        wish = request_payout(entry_id=winner.pk, by=finance)
        with pytest.raises(Forbidden):
            cancel_payout(payout_id=wish.pk, by=winner.user, reason="x")
        cancel_payout(payout_id=wish.pk, by=finance, reason="x")
        payout = paid_out(winner)
        with pytest.raises(Forbidden):
            return_payout(payout_id=payout.pk, by=winner.user, reason="it came back")
        assert owed_to(winner.user) == 0

    def test_a_disputed_winner_waits(self, winner, finance, second):
        wish = request_payout(entry_id=winner.pk, by=finance)
        suspend_entry(entry=winner, by=None, reason="disputed")
        with pytest.raises(Refused) as caught:
            approve_payout(payout_id=wish.pk, by=second)
        assert caught.value.code is Code.ENTRY_SUSPENDED
        cancel_payout(payout_id=wish.pk, by=finance, reason="wait")
        with pytest.raises(Refused):
            request_payout(entry_id=winner.pk, by=finance)

    def test_what_was_paid_too_much_before_is_not_paid_again(self, winner, finance):
        from payments.ledger import rules
        from payments.ledger.posting import post
        from payments.ledger.rules import Sum

        post(rules.winner_paid("earlier", winner.user_id, 0, "manual", Sum(1, "usd", False, database_now())))
        with pytest.raises(PrizeNotDue, match="less than"):
            request_payout(entry_id=winner.pk, by=finance)


class TestTaxes:
    def test_above_the_threshold_a_form_is_wanted(self, winner, finance):
        tax_year()
        with pytest.raises(TaxFormMissing) as caught:
            request_payout(entry_id=winner.pk, by=finance)
        assert (caught.value.code, caught.value.details["form"]) == (Code.TAX_FORM_MISSING, "W-9")

    def test_with_the_form_all_is_paid(self, winner, finance):
        tax_year()
        TaxForm.objects.create(player=winner.user, form="W-9", received_on="2026-01-01", recorded_by=finance)
        assert request_payout(entry_id=winner.pk, by=finance).withheld_cents == 0

    @pytest.mark.parametrize("fields", [{"form": "W-8BEN"}, {"form": "W-9", "valid_through_year": 2000}])
    def test_another_form_or_an_old_one_is_none(self, winner, finance, fields):
        tax_year()
        TaxForm.objects.create(player=winner.user, received_on="2026-01-01", recorded_by=finance, **fields)
        with pytest.raises(TaxFormMissing):
            request_payout(entry_id=winner.pk, by=finance)

    def test_where_the_country_says_so_a_part_is_withheld(self, winner, finance):
        tax_year(withholding_bp=2400)
        payout = paid_out(winner)
        assert (payout.withheld_cents, payout.manual_records.get().amount_cents) == (2400, 7600)
        assert owed_to(winner.user) == 0

    @pytest.mark.parametrize(
        "fields", [{"threshold_cents": 10001}, {"country": "DE"}, {"year": 2000}, {"currency": "eur"}]
    )
    def test_below_it_elsewhere_and_in_other_years_nothing_is_asked(self, winner, finance, fields):
        tax_year(**fields)
        assert request_payout(entry_id=winner.pk, by=finance).withheld_cents == 0

    def test_prizes_of_one_year_count_together(self, winner, finance):
        tax_year(threshold_cents=15000)
        pool, *_ = won_pool()
        booked(pool)
        assert request_payout(entry_id=winner.pk, by=finance).withheld_cents == 0
        third = PoolFactory()
        mine = paid_in(third, "ANT", "CAT", user=winner.user)
        paid_in(third, "ANT", "DOG")
        play(third, 1), play(third, 2)
        booked(third)
        with pytest.raises(TaxFormMissing):
            request_payout(entry_id=mine.pk, by=finance)


class TestTwoNames:
    def test_the_one_who_asked_does_not_approve(self, winner, finance):
        wish = request_payout(entry_id=winner.pk, by=finance)
        with pytest.raises(Forbidden, match="somebody else"):
            approve_payout(payout_id=wish.pk, by=finance)

    def test_it_is_approved_once(self, winner, finance, second):
        wish = request_payout(entry_id=winner.pk, by=finance)
        assert approve_payout(payout_id=wish.pk, by=second).approved_by == second
        with pytest.raises(Conflict):
            approve_payout(payout_id=wish.pk, by=FinanceFactory())

    def test_what_is_not_approved_is_not_handed_over(self, winner, finance):
        wish = request_payout(entry_id=winner.pk, by=finance)
        with pytest.raises(PrizeNotDue, match="not approved"):
            hand_over(payout_id=wish.pk, handover=cash(), by=finance)


class TestHandingOver:
    def test_two_signatures_pay_it(self, winner, finance, second):
        payout = approved_payout(winner)
        record = hand_over(payout_id=payout.pk, handover=cash(), by=finance)
        payout.refresh_from_db()
        assert (payout.status, owed_to(winner.user)) == ("approved", 10000)
        confirm_record(record_id=record.pk, by=second)
        payout.refresh_from_db()
        assert (payout.status, payout.paid_at, owed_to(winner.user)) == ("paid", record.passed_at, 0)
        assert journal(source_type="payout") == [(str(payout.ref), "paid")]

    def test_a_record_that_is_turned_down_pays_nothing(self, winner, finance, second):
        payout = approved_payout(winner)
        record = hand_over(payout_id=payout.pk, handover=cash(), by=finance)
        with pytest.raises(PrizeNotDue, match="already"):
            hand_over(payout_id=payout.pk, handover=cash("2"), by=finance)
        with pytest.raises(PrizeNotDue, match="turn it down"):
            cancel_payout(payout_id=payout.pk, by=finance, reason="no")
        reject_record(record_id=record.pk, by=second, reason="never happened")
        payout.refresh_from_db()
        assert (payout.status, owed_to(winner.user)) == ("approved", 10000)
        assert hand_over(payout_id=payout.pk, handover=cash("2"), by=finance).status == "recorded"

    def test_an_unconfirmed_record_pays_nothing(self, winner, finance, second):
        payout = approved_payout(winner)
        record = hand_over(payout_id=payout.pk, handover=cash(), by=finance)
        with pytest.raises(PrizeNotDue, match="confirmed"):
            mark_paid(payout=payout, record=record, by=second)

    def test_one_that_is_larger_than_any_fee(self, finance, second):
        """Two fees of two billion: in a currency without parts that is a day's work of one bank."""
        pool = PoolFactory(entry_fee_cents=2_000_000_000)
        mine = paid_in(pool, "ANT", "CAT")
        paid_in(pool, "ANT", "DOG")
        play(pool, 1), play(pool, 2)
        booked(pool)
        payout = approved_payout(mine)
        record = hand_over(payout_id=payout.pk, handover=cash(), by=finance)
        confirm_record(record_id=record.pk, by=second)
        assert (record.amount_cents, owed_to(mine.user)) == (4_000_000_000, 0)


class TestComingBack:
    def test_it_is_in_hand_again(self, winner, finance):
        payout = paid_out(winner)
        assert in_hand() == [(-10000, -10000, True)]
        return_payout(payout_id=payout.pk, by=finance, reason="account closed")
        assert in_hand() == [(0, 0, True)]

    def test_it_is_owed_again_and_can_be_paid_again(self, winner, finance):
        payout = paid_out(winner)
        back = return_payout(payout_id=payout.pk, by=finance, reason="account closed")
        assert (back.status, owed_to(winner.user)) == ("returned", 10000)
        assert journal(source_type="payout") == [(str(payout.ref), "paid"), (str(payout.ref), "returned")]
        doubt = Discrepancy.objects.get(kind="payout_failed")
        assert doubt.object_key == f"prize:{winner.pool_id}:{winner.user_id}"
        assert paid_out(winner).pk != payout.pk
        doubt.refresh_from_db()
        assert (doubt.status, owed_to(winner.user)) == ("resolved", 0)

    def test_only_what_was_paid_comes_back_and_only_once(self, winner, finance):
        payout = approved_payout(winner)
        with pytest.raises(Conflict):
            return_payout(payout_id=payout.pk, by=finance, reason="x")
        cancel_payout(payout_id=payout.pk, by=finance, reason="x")
        payout = paid_out(winner)
        return_payout(payout_id=payout.pk, by=finance, reason="x")
        with pytest.raises(Conflict):
            return_payout(payout_id=payout.pk, by=finance, reason="x")
        assert owed_to(winner.user) == 10000

    def test_a_reason_is_given(self, winner, finance):
        with pytest.raises(Malformed):
            return_payout(payout_id=paid_out(winner).pk, by=finance, reason=" ")


class TestGuards:
    def test_the_database_refuses_it_as_well(self, winner, finance, second):
        payout = approved_payout(winner)
        copy = (
            "INSERT INTO payments_payout (ref, booking_id, player_id, replaces_id, provider, livemode, won_cents,"
            " amount_cents, currency, status, reason, requested_by_id) SELECT gen_random_uuid(), booking_id, player_id,"
            " {replaces}, provider, livemode, won_cents, {amount}, '{currency}', '{status}', '', requested_by_id"
            " FROM payments_payout"
        )
        usual = {"replaces": "NULL", "amount": "amount_cents", "currency": "usd", "status": "requested"}
        assert refused(copy.format(**usual)) == "payout_within_prize"
        assert refused(copy.format(**usual | {"replaces": "id", "amount": "1"})) == "payout_within_prize"
        assert refused(copy.format(**usual | {"amount": "0"})) in ("payout_once", "payout_amounts")
        assert refused(copy.format(**usual | {"currency": "eur"})) == "payout_of_its_prize"
        assert refused(copy.format(**usual | {"amount": "won_cents + 1", "status": "cancelled"})) == "payout_amounts"
        assert refused("UPDATE payments_payout SET amount_cents = 1") == "payout_stays"
        assert refused("UPDATE payments_payout SET player_id = player_id + 1") == "payout_stays"
        assert refused("UPDATE payments_payout SET destination = 'acct_mine'") in ("payout_stays", "payout_destination")
        assert refused("UPDATE payments_payout SET status = 'sending'") == "payout_destination"
        assert refused("UPDATE payments_payout SET status = 'paid'") == "payout_paid_when"
        alone = refused("UPDATE payments_payout SET approved_by_id = requested_by_id")
        assert alone in ("payout_two_names", "payout_stays")
        assert refused("UPDATE payments_payout SET status = 'requested'") == "status_map"
        assert refused("DELETE FROM payments_payout") == "never_deleted"
        told = PayoutChange.objects.filter(subject_id=payout.pk).values_list("to_status", flat=True)
        assert list(told) == ["requested", "approved"]
        assert Payout.objects.count() == 1
