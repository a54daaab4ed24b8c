"""Disputes about a part of a payment: the bank keeps its part, and what is left never gets lost on the way."""

import pytest

from config.clock import database_now
from payments.models import Discrepancy, Dispute, Receipt, Refund
from payments.services import books
from payments.services.refunds.checks import left_of
from payments.services.refunds.deciding import approve_refund, replace_refund, request_refund
from payments.services.refunds.sending import send_refund
from tests.support.by_hand import cash
from tests.support.cancelling import cancelled, carried_out
from tests.support.charging import balance, held_receipt, learn, paid_receipt

pytestmark = pytest.mark.django_db(transaction=True)


def lose(double, receipt, amount=2000):
    dispute = double.dispute(charge=receipt.charge_id, amount=amount)
    double.move_dispute(dispute["id"], "lost")
    learn(receipt)
    return dispute


def give_back(receipt, by, amount=None):
    return request_refund(
        receipt_id=receipt.pk, amount_cents=amount, taken_from="unapplied", reason="the rest", by=by,
        now=database_now(),
    )  # fmt: skip


def win_on_appeal(double, receipt, dispute):
    for status in ("appeal_needs_response", "appeal_under_review", "won"):
        double.move_dispute(dispute["id"], status)
    learn(receipt)


def waiting():
    return set(Discrepancy.objects.filter(status="open").values_list("kind", flat=True))


class TestHeldMoney:
    @pytest.fixture
    def held(self, api, unpaid, double):
        return learn(held_receipt(api, unpaid, double))

    def test_only_what_the_bank_has_left_can_go_back(self, held, double, finance):
        lose(double, held)
        assert left_of(Receipt.objects.get()) == 3000

        refund = give_back(held, finance)

        assert refund.amount_cents == 3000
        assert balance("unallocated") == 0
        assert Receipt.objects.get().status == "returning"
        assert books.broken() == {}

    def test_what_the_card_does_not_take_is_handed_over(self, held, double, finance, colleague):
        lose(double, held)
        failed = send_refund(give_back(held, finance).pk)
        assert (failed.status, Receipt.objects.get().status) == ("failed", "returning")

        again = replace_refund(refund_id=failed.pk, by=finance, reason="by hand", manual=cash())
        approve_refund(refund_id=again.pk, by=colleague)
        send_refund(again.pk)

        assert Receipt.objects.get().status == "returned"
        assert (balance("unallocated"), balance("refund_payable")) == (0, 0)
        assert books.broken() == {}

    def test_a_failed_refund_of_it_all_waits_again_with_what_is_left(self, held, double, finance):
        dispute = double.dispute(charge=held.charge_id, amount=2000)
        assert send_refund(give_back(held, finance, 5000).pk).status == "failed"
        double.move_dispute(dispute["id"], "lost")

        learn(held)

        assert Receipt.objects.get().status == "unapplied"
        assert left_of(Receipt.objects.get()) == 3000
        assert (balance("unallocated"), balance("refund_payable")) == (-3000, 0)
        assert "held_money" in waiting()
        assert books.broken() == {}


class TestCancelledPool:
    @pytest.fixture
    def receipt(self, api, unpaid, double):
        return learn(paid_receipt(api, unpaid, double))

    def test_the_fee_makes_good_the_loss_and_the_rest_is_the_player_s(self, receipt, unpaid, double, finance):
        lose(double, receipt)
        cancellation = carried_out(cancelled(unpaid.pool))

        row = Receipt.objects.get()
        assert (row.status, left_of(row)) == ("unapplied", 3000)
        assert (balance("chargeback_loss"), balance("unallocated"), balance("prize_pot")) == (0, -3000, 0)
        assert "held_money" in waiting()
        assert cancellation.status == "running"
        assert books.broken() == {}

        # The double's bank refuses the card; the player is owed it until it is handed over.
        send_refund(give_back(row, finance).pk)
        assert Refund.objects.get().amount_cents == 3000
        assert balance("unallocated") == 0
        assert books.broken() == {}

    def test_what_went_back_past_us_is_out_of_the_fee_as_well(self, receipt, unpaid, double):
        double.dashboard_refund(700, charge=receipt.charge_id)
        lose(double, receipt, 4300)

        assert carried_out(cancelled(unpaid.pool)).status == "done"
        assert Receipt.objects.get().status == "charged_back"
        assert (balance("chargeback_loss"), balance("unallocated"), balance("suspense")) == (0, 0, 0)
        assert "external_refund" not in waiting()
        assert books.broken() == {}

    def test_all_of_it_lost_leaves_nothing(self, receipt, unpaid, double):
        lose(double, receipt, 5000)

        assert carried_out(cancelled(unpaid.pool)).status == "done"
        assert Receipt.objects.get().status == "charged_back"
        assert (balance("chargeback_loss"), balance("unallocated"), balance("prize_pot")) == (0, 0, 0)
        assert books.broken() == {}

    @pytest.mark.parametrize("amount", [5000, 2000])
    def test_won_on_appeal_afterwards_it_is_the_player_s_again(self, receipt, unpaid, double, amount):
        dispute = lose(double, receipt, amount)
        carried_out(cancelled(unpaid.pool))

        win_on_appeal(double, receipt, dispute)

        row = Receipt.objects.get()
        assert Dispute.objects.get().status == "won"
        assert (row.status, row.entry, left_of(row)) == ("unapplied", None, 5000)
        assert (balance("chargeback_loss"), balance("unallocated")) == (0, -5000)
        assert "held_money" in waiting()
        assert books.broken() == {}
