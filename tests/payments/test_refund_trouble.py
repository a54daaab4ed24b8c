"""Sending money back while the provider drops, delays, faults and refuses: never a second refund, and no guess."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F

from config import outbox
from config.clock import database_now
from payments.models import Refund
from payments.providers import provider_named
from payments.providers.faults import Rejected
from payments.providers.stripe.provider import StripeProvider
from payments.services.refunds import sending
from payments.services.refunds.deciding import replace_refund
from payments.services.refunds.sending import ask_about, order_of, sweep_refunds
from tests.support.charging import balances, held_receipt, learn, paid_receipt
from tests.support.payments import TROUBLE
from tests.support.refunding import asked, at_stripe, doubts, fresh, sent, states

pytestmark = pytest.mark.django_db(transaction=True)

REFUNDS = "/v1/refunds"
NOW = timedelta()


@pytest.fixture
def receipt(api, unpaid, double):
    return paid_receipt(api, unpaid, double)


@pytest.fixture
def refund(receipt, finance):
    return asked(receipt, finance)


@pytest.mark.parametrize("rule", TROUBLE, ids=lambda rule: rule["action"])
def test_trouble_ends_in_one_refund(refund, receipt, double, rule):
    # More often than the client tries by itself.
    double.fault(method="POST", path=REFUNDS, times=3, **rule)

    assert sent(refund).status in ("sending", "unknown", "succeeded")
    double.control("DELETE", "/faults")
    sweep_refunds(patience=NOW)
    sweep_refunds(patience=NOW)

    assert at_stripe(double) == [(5000, "succeeded")]
    assert (fresh(refund).status, fresh(receipt).status) == ("succeeded", "returned")
    assert balances().get("refund_payable", 0) == 0


def test_a_time_out_leaves_it_unknown_and_the_sweep_finds_it(refund, double, quick_provider):
    double.fault(action="delay_after", method="POST", path=REFUNDS, seconds=1.5, times=None)

    assert sent(refund).status == "unknown"
    double.control("DELETE", "/faults")
    sweep_refunds(patience=NOW)

    assert (fresh(refund).status, at_stripe(double)) == ("succeeded", [(5000, "succeeded")])
    assert fresh(refund).key_number == 1


@pytest.mark.parametrize(
    "rule",
    [{"action": "drop_after"}, {"action": "error_after", "status": 500}, {"action": "delay_after", "seconds": 1.5}],
    ids=lambda rule: rule["action"],
)
def test_a_part_whose_answer_was_lost_goes_once(api, unpaid, double, finance, quick_provider, rule):
    """Of a part the provider would make a second one: nothing but our key, and looking, keeps it from that."""
    refund = asked(held_receipt(api, unpaid, double), finance, amount=2000, taken_from="unapplied")
    double.fault(method="POST", path=REFUNDS, times=1, **rule)

    sent(refund)
    double.control("DELETE", "/faults")
    sweep_refunds(patience=NOW)
    sweep_refunds(patience=NOW)

    assert (fresh(refund).status, at_stripe(double)) == ("succeeded", [(2000, "succeeded")])


def test_a_call_that_is_refused_because_the_first_one_worked_is_no_failure(refund, double, monkeypatch):
    def refuse_the_second(self, order):
        create(self, order)
        raise Rejected("charge_already_refunded")

    create = StripeProvider.create_refund
    monkeypatch.setattr(StripeProvider, "create_refund", refuse_the_second)

    assert sent(refund).status == "succeeded"
    assert doubts() == []


def test_a_call_that_is_refused_is_no_failure_where_nobody_may_look(refund, double, monkeypatch):
    def refuse(self, *args, **names):
        raise Rejected("not_allowed")

    monkeypatch.setattr(StripeProvider, "create_refund", refuse)
    monkeypatch.setattr(StripeProvider, "find_refund", refuse)

    assert sent(refund).status == "unknown"
    assert doubts() == []


def test_an_old_key_is_not_used_before_looking(refund, double, quick_provider):
    """The answer was lost, and the key is two days old: Stripe would take it for a new refund."""
    double.fault(action="delay_after", method="POST", path=REFUNDS, seconds=1.5, times=None)
    sent(refund)
    double.control("DELETE", "/faults")
    Refund.objects.update(sent_at=F("sent_at") - timedelta(days=2))
    double.advance(2 * 86400)

    sweep_refunds(patience=NOW)

    assert (fresh(refund).status, at_stripe(double)) == ("succeeded", [(5000, "succeeded")])
    assert fresh(refund).key_number == 1


def test_where_nothing_was_made_a_new_key_is_taken_after_a_day(refund, double):
    double.fault(action="drop_before", method="POST", path=REFUNDS, times=3)
    sent(refund)
    double.control("DELETE", "/faults")
    Refund.objects.update(sent_at=F("sent_at") - timedelta(days=2))

    sweep_refunds(patience=NOW)

    assert (fresh(refund).status, at_stripe(double)) == ("succeeded", [(5000, "succeeded")])
    assert fresh(refund).key_number == 2


def test_killed_between_the_answer_and_its_commit_nothing_is_sent_twice(refund, double):
    """As if the process had died: the provider has it, we know nothing, and the outbox comes again."""
    Refund.objects.update(sent_at=database_now(), checked_at=database_now() - timedelta(minutes=5))
    provider_named("stripe").create_refund(order_of(fresh(refund)))

    assert sent(refund).status == "succeeded"
    assert at_stripe(double) == [(5000, "succeeded")]


def test_killed_before_the_call_the_sweep_sends_it(refund, double):
    Refund.objects.update(sent_at=database_now(), checked_at=database_now() - timedelta(minutes=5))

    assert sweep_refunds().asked == 1

    assert (states(), at_stripe(double)) == (["succeeded"], [(5000, "succeeded")])


def test_the_outbox_sends_it_once_however_often_it_comes(refund, double):
    outbox.drain()
    sending.send_decided({"refund": refund.pk})
    sending.send_decided({"refund": refund.pk})

    assert at_stripe(double) == [(5000, "succeeded")]


def test_another_worker_s_refund_is_left_alone(refund, double):
    Refund.objects.update(checked_at=database_now())

    assert sent(refund).status == "sending"
    assert at_stripe(double) == []


def test_a_no_for_good_leaves_it_owed_and_before_a_person(refund, receipt, double):
    double.dashboard_refund(charge=receipt.charge_id, amount=100)

    assert sent(refund).status == "failed"

    assert (fresh(receipt).status, doubts()) == ("returning", ["refund_failed"])
    assert balances()["refund_payable"] == -5000
    assert at_stripe(double) == [(100, "succeeded")]


def test_a_provider_that_is_away_leaves_it_as_it_was(refund, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    swept = sweep_refunds(patience=NOW)

    assert list(swept.failed) == [refund.pk]
    assert states() in (["sending"], ["unknown"])


def test_what_takes_too_long_is_put_before_a_person_until_it_ends(refund, double, settings):
    there, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
    Refund.objects.update(decided_at=F("decided_at") - timedelta(hours=2))
    sweep_refunds(patience=NOW)
    assert doubts() == ["refund_stuck"]

    settings.STRIPE_API_BASE = there
    sweep_refunds(patience=NOW)

    assert (states(), doubts()) == (["succeeded"], [])


@pytest.mark.parametrize("wrong", [{"livemode": True}, {"amount_cents": 4999}, {"currency": "eur"}])
def test_an_answer_about_something_else_is_not_believed(refund, double, monkeypatch, wrong):
    made = provider_named("stripe").create_refund(order_of(refund))
    monkeypatch.setattr(StripeProvider, "create_refund", lambda self, order: replace(made, **wrong))

    assert sent(refund).status == "sending"
    assert balances()["refund_payable"] == -5000


class TestThatFailsLater:
    def test_it_is_owed_again_and_sent_again(self, refund, receipt, double, finance):
        sent(refund)
        assert fresh(receipt).status == "returned"
        double.move_refund(fresh(refund).provider_reference, "failed", failure_reason="lost_or_stolen_card")

        learn(receipt)
        learn(receipt)

        again = fresh(refund)
        assert (again.status, again.is_paid, again.failure) == ("failed", False, "lost_or_stolen_card")
        assert (fresh(receipt).status, doubts(), balances()["refund_payable"]) == (
            "returning", ["refund_failed"], -5000,
        )  # fmt: skip

        second = sent(replace_refund(refund_id=refund.pk, by=finance, reason="card was replaced"))

        assert (second.status, fresh(receipt).status, doubts()) == ("succeeded", "returned", [])
        assert balances().get("refund_payable", 0) == 0

    def test_a_repeated_answer_is_not_taken_for_the_truth(self, refund, receipt, double):
        """Heard of only once it had failed: under its key Stripe still answers what it said at first."""
        Refund.objects.update(sent_at=database_now())
        provider_named("stripe").create_refund(order_of(refund))
        (made,) = double.state()["objects"]["refund"]
        double.move_refund(made["id"], "failed", failure_reason="unknown")

        sweep_refunds(patience=NOW)

        assert (states(), balances()["refund_payable"]) == (["failed"], -5000)


class TestThatPends:
    def test_for_want_of_money_it_tells_how_much_is_needed_until_it_goes(self, refund, receipt, double):
        double.next_refunds("pending", pending_reason="insufficient_funds")

        pending = sent(refund)
        assert (pending.status, pending.pending_reason, doubts()) == (
            "pending", "insufficient_funds", ["refund_unfunded"],
        )  # fmt: skip
        assert balances()["refund_payable"] == -5000

        double.move_refund(pending.provider_reference, "succeeded")
        ask_about(refund_id=refund.pk)

        assert (fresh(refund).status, doubts()) == ("succeeded", [])
        assert balances().get("refund_payable", 0) == 0


class TestMadePastUs:
    def test_of_a_place_it_is_booked_and_put_before_a_person(self, receipt, double):
        double.dashboard_refund(charge=receipt.charge_id, amount=1500)
        learn(receipt)
        learn(receipt)

        refund = Refund.objects.get()
        assert (refund.origin, refund.taken_from, refund.status) == ("dashboard", "undecided", "succeeded")
        assert (fresh(receipt).status, doubts()) == ("allocated", ["external_refund"])
        assert balances()["suspense"] == 1500

    def test_of_money_without_a_place_it_explains_itself(self, api, unpaid, double):
        held = held_receipt(api, unpaid, double)
        double.dashboard_refund(charge=held.charge_id)
        learn(held)

        assert (fresh(held).status, doubts()) == ("returned", [])
        assert balances().get("unallocated", 0) == balances().get("suspense", 0) == 0

    def test_of_what_failed_it_pays_what_is_owed(self, refund, receipt, double):
        sent(refund)
        double.move_refund(fresh(refund).provider_reference, "failed", failure_reason="unknown")
        learn(receipt)
        double.dashboard_refund(charge=receipt.charge_id)
        learn(receipt)

        assert (fresh(receipt).status, doubts()) == ("returned", [])
        assert Refund.objects.get(origin="dashboard").replaces == refund
        assert balances().get("refund_payable", 0) == balances().get("suspense", 0) == 0

    def test_faster_than_ours_it_is_the_one(self, refund, receipt, double):
        """Decided here and made there at the same moment: ours is refused, and nothing is owed."""
        double.dashboard_refund(charge=receipt.charge_id)
        learn(receipt)
        assert sent(refund).status == "failed"

        assert (fresh(receipt).status, doubts()) == ("returned", [])
        assert at_stripe(double) == [(5000, "succeeded")]
        assert balances().get("refund_payable", 0) == balances().get("suspense", 0) == 0

    def test_two_of_one_amount_are_two(self, receipt, double):
        for _ in range(2):
            double.dashboard_refund(charge=receipt.charge_id, amount=1000)
        learn(receipt)

        assert Refund.objects.count() == 2
        assert balances()["suspense"] == 2000
