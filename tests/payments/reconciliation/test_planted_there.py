"""What the provider has otherwise than we: planted in the double, each kind found, told or healed in one run.

The second run is always quiet.
"""

from datetime import timedelta

import pytest

from config.clock import database_now
from payments.models import Discrepancy, Dispute, Movement, Payment, PaymentState, Receipt, Refund
from payments.reconciliation import differences
from payments.reconciliation.feed import run_feed
from payments.services.refunds.deciding import request_refund
from payments.services.refunds.sending import send_refund
from payments.services.winners.sending import send_payout
from tests.factories.accounts import FinanceFactory
from tests.support.charging import balance, paid_receipt
from tests.support.payments import started
from tests.support.reconciling import behind_the_guards, deep, feed, finished, history, is_quiet, queue
from tests.support.winning import account_of, approved_payout, booked, won_pool

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_once"), pytest.mark.slow]


def left_quiet(run):
    """The run as it was, after another one that had nothing to do."""
    assert is_quiet(deep())
    return run


def test_books_that_agree_are_quiet(api, unpaid, double):
    paid_receipt(api, unpaid, double)
    deep()

    run = deep()

    assert (run.found, queue()) == ({}, [])
    assert is_quiet(run)


@pytest.mark.parametrize("read", [feed, deep])
def test_a_payment_that_nobody_told_us_of_is_booked(api, player, unpaid, double, read):
    payment = started(api(player), unpaid)
    double.pay(payment.checkout_url)

    run = left_quiet(read())

    assert (run.found, run.healed) == ({}, {"status_mismatch": 1})
    receipt = Receipt.objects.get(payment=payment)
    assert (receipt.status, receipt.is_fee_known, receipt.source) == ("allocated", True, "reconcile")
    assert history() == [("status_mismatch", "resolved")]


def test_one_that_was_given_up_is_booked_as_well(api, player, unpaid, double):
    payment = started(api(player), unpaid)
    double.pay(payment.checkout_url)
    behind_the_guards("UPDATE payments_payment SET status = 'cancelled', provider_reference = ''")

    run = left_quiet(feed())

    assert run.healed == {"status_mismatch": 1}
    assert Payment.objects.get().status == PaymentState.SUCCEEDED


def test_an_expired_session_ends_its_payment(api, player, unpaid, double):
    payment = started(api(player), unpaid)
    double.advance(2 * 3600)
    behind_the_guards("UPDATE payments_payment SET created_at = created_at - interval '1 hour'")

    run = left_quiet(deep())

    assert run.healed == {"status_mismatch": 1}
    payment.refresh_from_db()
    assert payment.status == PaymentState.CANCELLED


def test_money_with_our_mark_comes_back_with_its_payment(api, unpaid, double):
    """A backup of an hour ago was restored: payment, receipt, entry and books are gone, the request is not."""
    paid_receipt(api, unpaid, double)
    forget_payments()

    run = left_quiet(feed())

    assert run.healed == {"missing_locally": 1}
    receipt = Receipt.objects.get()
    assert (receipt.status, receipt.is_fee_known) == ("allocated", True)
    assert balance("provider_fees") == double.books()["currencies"]["usd"]["fee"]


def forget_payments():
    """All that is here of payments, the requests waiting as they did."""
    for table in (
        "payments_posting", "payments_journalentry", "payments_movement", "payments_refund", "payments_dispute",
        "payments_receipt", "payments_payment", "entries_entry", "payments_discrepancy",
    ):  # fmt: skip
        behind_the_guards(f"DELETE FROM {table}")
    behind_the_guards("UPDATE entries_request SET payment_status = 'pending', status = 'approved'")


def test_a_missing_payment_without_its_request_is_booked_and_told(api, unpaid, double):
    paid_receipt(api, unpaid, double)
    forget_payments()
    behind_the_guards("DELETE FROM entries_request")

    left_quiet(feed())

    ((kind, key),) = queue()
    assert (kind, key.split(":")[0]) == ("missing_locally", "payment")
    assert balance("unallocated") == -5000
    assert balance("clearing") == sum(movement.net_cents for movement in Movement.objects.all())


def test_a_strange_charge_lies_in_suspense_and_waits(double, unpaid):
    double.foreign_charge(7000)

    run = left_quiet(feed())

    movement = Movement.objects.get()
    assert queue() == [("unknown_movement", f"movement:stripe:{movement.reference}")]
    assert (run.healed, balance("suspense")) == ({}, -movement.net_cents)


def test_what_another_environment_has_marked_is_not_ours(double, unpaid):
    double.foreign_charge(7000, metadata={"env": "staging", "ref": "6f0c1a52-0000-4000-8000-000000000000"})

    run = left_quiet(feed())

    assert (run.healed, queue()) == ({"unknown_movement": 1}, [])
    assert balance("not_ours") == -Movement.objects.get().net_cents


def test_a_fee_that_nobody_booked_is_booked(api, unpaid, double):
    receipt = paid_receipt(api, unpaid, double)
    assert not Movement.objects.exists()

    run = left_quiet(feed())

    assert run.healed == {"fee_missing": 1}
    receipt.refresh_from_db()
    assert receipt.is_fee_known


def test_a_fee_that_is_another_one_is_corrected(api, unpaid, double):
    paid_receipt(api, unpaid, double)
    feed()
    fee = Movement.objects.get().fee_cents
    behind_the_guards("UPDATE payments_movement SET fee_cents = fee_cents - 20, net_cents = net_cents + 20")
    behind_the_guards("UPDATE payments_posting SET amount = amount - 20 * sign(amount) WHERE abs(amount) = %s", fee)

    run = left_quiet(feed())

    assert (run.found, run.healed) == ({}, {"fee_changed": 1})
    assert balance("provider_fees") == fee


def test_an_unknown_category_waits_in_suspense(api, unpaid, double):
    double.control("POST", "/movements", amount=-300, fee=0, currency="usd", category="network_cost")

    left_quiet(feed())

    assert [kind for kind, _ in queue()] == ["unknown_movement"]
    assert balance("suspense") == 300


class TestRefunds:
    def test_one_from_the_dashboard_is_booked_and_put_before_a_person(self, api, unpaid, double):
        receipt = paid_receipt(api, unpaid, double)
        double.dashboard_refund(2000, charge=receipt.charge_id)

        run = left_quiet(feed())

        refund = Refund.objects.get()
        assert run.healed["external_refund"] == 1
        assert queue() == [("external_refund", f"refund:{refund.pk}")]
        assert balance("suspense") == 2000

    def test_one_of_a_charge_that_is_not_ours_is_an_orphan(self, double, unpaid):
        charge = double.foreign_charge(7000)["charge"]
        feed()
        double.dashboard_refund(7000, charge=charge)

        left_quiet(feed())

        assert sorted(kind for kind, _ in queue()) == ["orphan_refund", "unknown_movement"]

    def test_one_of_ours_whose_answer_was_lost_is_found(self, api, unpaid, double, finance):
        receipt = paid_receipt(api, unpaid, double)
        refund = sent_without_an_answer(receipt, double)

        run = left_quiet(deep())

        assert "refund_stuck" in run.healed
        refund.refresh_from_db()
        assert refund.status == "succeeded"

    def test_one_that_failed_at_the_provider_is_owed_again(self, api, unpaid, double):
        receipt = paid_receipt(api, unpaid, double)
        found = double.dashboard_refund(2000, charge=receipt.charge_id)
        feed()
        double.move_refund(found["id"], "failed", failure_reason="expired_or_canceled_card")

        run = left_quiet(deep())

        assert run.healed.get("status_mismatch") == 1
        assert Refund.objects.get().status == "failed"
        assert balance("suspense") == 0

    def test_one_that_the_provider_does_not_have_is_urgent(self, api, unpaid, double):
        receipt = paid_receipt(api, unpaid, double)
        double.dashboard_refund(2000, charge=receipt.charge_id)
        deep()
        behind_the_guards("UPDATE payments_refund SET provider_reference = 're_forged'")
        behind_the_guards("UPDATE payments_movement SET reference = 'txn_forged' WHERE kind = 'refund'")

        deep()

        kinds = [kind for kind, _ in queue()]
        assert kinds.count("missing_at_provider") >= 1


def sent_without_an_answer(receipt, double):
    """A refund that the provider has made, and nobody here heard of."""
    refund = request_refund(
        receipt_id=receipt.pk,
        by=FinanceFactory(),
        amount_cents=400,
        taken_from="house",
        reason="late",
        now=database_now(),
    )
    double.fault(action="drop_after", method="POST", path="/v1/refunds", times=3)
    send_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.status == "unknown"
    return refund


class TestDisputes:
    def test_one_that_nobody_told_us_of_suspends_its_place(self, api, unpaid, double):
        receipt = paid_receipt(api, unpaid, double)
        double.dispute(charge=receipt.charge_id)

        run = left_quiet(feed())

        assert run.healed["dispute_unknown"] == 1
        receipt.refresh_from_db()
        assert receipt.entry.is_suspended
        assert [kind for kind, _ in queue()] == ["dispute_deadline"]

    def test_an_inquiry_is_found_by_the_lists(self, api, unpaid, double):
        receipt = paid_receipt(api, unpaid, double)
        double.dispute(charge=receipt.charge_id, inquiry=True)

        left_quiet(deep())

        assert Dispute.objects.get().status == "warning_needs_response"

    def test_one_that_went_on_is_followed(self, api, unpaid, double):
        receipt = paid_receipt(api, unpaid, double)
        dispute = double.dispute(charge=receipt.charge_id)
        deep()
        double.move_dispute(dispute["id"], "under_review")

        run = left_quiet(deep())

        assert run.healed == {"status_mismatch": 1}
        assert Dispute.objects.get().status == "under_review"


def test_a_payout_to_our_bank_that_nobody_told_us_of_is_booked(api, unpaid, double, monkeypatch):
    """The double's clock is days ahead then: the run looks that far."""
    paid_receipt(api, unpaid, double)
    double.advance(8 * 86_400)
    (payout,) = double.run_payouts()
    later = timedelta(days=9)
    monkeypatch.setattr(differences, "GRACE", -later)

    run = finished(run_feed(until=database_now() + later))

    assert run.healed == {"fee_missing": 1, "status_mismatch": 1}
    assert balance("bank_in_transit") == payout["amount"]
    assert is_quiet(finished(run_feed(until=database_now() + later)))


def test_a_prize_that_was_sent_and_not_heard_of_is_booked_and_paid(double, monkeypatch):
    """As above: the double's money is available days later."""
    pool, winner, _ = won_pool()
    booked(pool)
    account_of(winner.user)
    double.fund(30_000)
    payout = approved_payout(winner)
    double.fault(method="POST", path="/v1/transfers", times=3, action="drop_after")
    assert send_payout(payout.pk).status == "unknown"
    later = timedelta(days=5)
    monkeypatch.setattr(differences, "GRACE", -later)

    run = finished(run_feed(until=database_now() + later))

    payout.refresh_from_db()
    transfer = Movement.objects.get(kind="transfer")
    assert (payout.status, transfer.payout, transfer.amount_cents) == ("paid", payout, -10_000)
    # The other movement is the money that the double was funded with.
    assert (run.healed, [kind for kind, _ in queue()]) == ({"status_mismatch": 1}, ["unknown_movement"])
    assert is_quiet(finished(run_feed(until=database_now() + later)))


class TestForged:
    """Rows of ours that the provider knows nothing of: urgent, and nothing is touched."""

    def test_a_receipt_without_a_charge(self, api, unpaid, double):
        receipt = paid_receipt(api, unpaid, double)
        behind_the_guards("UPDATE payments_receipt SET charge_id = 'ch_forged'")

        left_quiet(deep())

        assert ("missing_at_provider", "charge:stripe:ch_forged") in queue()
        receipt.refresh_from_db()
        assert receipt.status == "allocated"

    def test_a_movement_that_never_was(self, api, unpaid, double):
        paid_receipt(api, unpaid, double)
        feed()
        behind_the_guards("UPDATE payments_movement SET reference = 'txn_forged'")

        feed()

        assert ("missing_at_provider", "movement:stripe:txn_forged") in queue()

    @pytest.mark.parametrize(
        ("change", "kind"),
        [
            ("amount_cents = 4900", "amount_mismatch"),
            ("currency = 'eur'", "currency_mismatch"),
            ("livemode = true", "livemode_leak"),
        ],
    )
    def test_a_receipt_that_says_something_else(self, api, unpaid, double, change, kind):
        receipt = paid_receipt(api, unpaid, double)
        behind_the_guards(f"UPDATE payments_receipt SET {change}")

        left_quiet(deep())

        assert (kind, f"charge:stripe:{receipt.charge_id}") in queue()


def test_a_key_of_another_account_is_told_and_nothing_is_made_of_it(double, unpaid):
    for _ in range(21):
        double.foreign_charge(7000)

    run = feed()

    assert ("foreign_account", "account:stripe") in queue()
    assert run.stopped_healing == {"unknown_movement": 21}
    assert not Movement.objects.exists()
    again = feed()
    assert (again.opened, again.closed, again.healed) == ({}, {}, {})
    assert Discrepancy.objects.filter(kind="mass_healing").count() == 1
