"""Automatic payouts: what they take along, when that is known, and how they come back."""

import pytest
import stripe

from tests.config.local.stripe.conftest import paid_session
from tests.support.stripe_double import call

DAY = 86_400


def announced(client, since=0):
    events = client.v1.events.list(params={"type": "payout.*"}).data
    return [event.type for event in reversed(events)][since:]


def items(client, payout, **params):
    return client.v1.balance_transactions.list(params={"payout": payout["id"], **params}).data


def refused(double, path, **body):
    status, answer = call("POST", f"{double.base_url}/_double{path}", body)
    assert 400 <= status < 500
    return answer["error"]["message"]


@pytest.fixture
def intent(client, double):
    """One payment whose money is available."""
    intent = paid_session(double, client).payment_intent
    double.advance(3 * DAY)
    return intent


@pytest.fixture
def payout(double, intent):
    [payout] = double.run_payouts()
    return payout


def test_payout_takes_everything_that_is_available(client, double, intent):
    double.dashboard_refund(1000, payment_intent=intent.id)
    paid_session(double, client)

    [payout] = double.run_payouts()

    assert (payout["amount"], payout["currency"], payout["automatic"], payout["status"]) == (
        3825,
        "usd",
        True,
        "pending",
    )
    assert payout["reconciliation_status"] == "in_progress"
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 4825)
    assert double.run_payouts() == []


def test_movements_are_listed_once_they_are_reconciled(client, double, payout):
    assert [item.type for item in items(client, payout)] == ["payout"]

    double.advance(3600)

    assert client.v1.payouts.retrieve(payout["id"]).reconciliation_status == "completed"
    assert announced(client) == ["payout.created", "payout.reconciliation_completed", "payout.updated"]
    found = items(client, payout)
    assert [item.type for item in found] == ["payout", "charge"]
    assert sum(item.net for item in found) == 0
    assert [item.type for item in items(client, payout, type="charge", limit=1)] == ["charge"]


def test_reconciliation_can_be_hurried_once(double, payout):
    assert double.reconcile_payout(payout["id"])["reconciliation_status"] == "completed"
    assert "is completed" in refused(double, "/payouts/reconcile", id=payout["id"])


def test_payout_arrives_by_itself(client, double, payout):
    double.advance(3 * DAY)

    arrived = client.v1.payouts.retrieve(payout["id"])
    assert (arrived.status, arrived.trace_id.status) == ("paid", "supported")
    assert "payout.paid" in announced(client)


def test_paid_payout_can_fail_later_and_its_money_goes_out_again(client, double, payout):
    double.advance(3 * DAY)

    failed = double.move_payout(payout["id"], "failed", failure_code="account_closed")

    assert (failed["status"], failed["failure_code"]) == ("failed", "account_closed")
    back = client.v1.balance_transactions.retrieve(failed["failure_balance_transaction"])
    assert (back.type, back.reporting_category, back.net, back.source) == (
        "payout_failure",
        "payout_reversal",
        4825,
        payout["id"],
    )
    assert client.v1.balance.retrieve().available[0].amount == 4825
    assert announced(client)[-2:] == ["payout.failed", "payout.updated"]
    [again] = double.run_payouts()
    double.reconcile_payout(again["id"])
    assert [item.type for item in items(client, again)] == ["payout", "payout_failure"]
    assert double.books()["currencies"]["usd"]["net"] == 0


def test_payout_goes_its_way_and_not_back(double, payout):
    double.move_payout(payout["id"], "in_transit")

    assert "cannot become canceled" in refused(double, "/payouts/move", id=payout["id"], status="canceled")
    double.move_payout(payout["id"], "failed")
    assert "only nothing" in refused(double, "/payouts/move", id=payout["id"], status="paid")


def test_canceled_payout_returns_its_money(client, double, payout):
    canceled = double.move_payout(payout["id"], "canceled")

    back = client.v1.balance_transactions.retrieve(canceled["failure_balance_transaction"])
    assert (back.type, back.net) == ("payout_cancel", 4825)
    double.advance(3 * DAY)
    assert client.v1.payouts.retrieve(payout["id"]).status == "canceled"


def test_api_cancels_only_pending_payouts_made_by_hand(client, double, intent):
    manual = client.v1.payouts.create(params={"amount": 1000, "currency": "usd"})
    [automatic] = double.run_payouts()

    assert client.v1.payouts.cancel(manual.id).status == "canceled"
    for id in (manual.id, automatic["id"]):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payouts.cancel(id)


def test_movements_of_a_payout_made_by_hand_cannot_be_itemised(client, double, intent):
    manual = client.v1.payouts.create(params={"amount": 1000, "currency": "usd"})

    with pytest.raises(stripe.InvalidRequestError, match="automatic transfers"):
        items(client, {"id": manual.id})
    with pytest.raises(stripe.InvalidRequestError, match="No such payout"):
        items(client, {"id": "po_none"})


def test_each_currency_is_paid_out_on_its_own(client, double, intent):
    double.foreign_charge(5000, "eur")
    double.advance(3 * DAY)

    [euro] = double.run_payouts("eur")
    [dollar] = double.run_payouts()

    assert (euro["currency"], dollar["currency"]) == ("eur", "usd")
    assert "must be one of" in refused(double, "/payouts/run", currency="gbp")


def test_debts_are_not_paid_out_but_netted_later(client, double, intent):
    double.dispute(payment_intent=intent.id)
    assert double.run_payouts() == []
    double.foreign_charge(10_000)
    double.advance(3 * DAY)

    [payout] = double.run_payouts()

    assert payout["amount"] == client_net(double) == 9680 + 4825 - 6500
    double.reconcile_payout(payout["id"])
    assert {item.reporting_category for item in items(client, payout)} == {"payout", "charge", "dispute"}


def client_net(double):
    """What was in the balance before the payout."""
    categories = double.books()["currencies"]["usd"]["categories"]
    return sum(part["net"] for name, part in categories.items() if name != "payout")


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/payouts/move", {"id": "po_none", "status": "paid"}, "No such payout"),
        ("/payouts/move", {"status": "paid"}, "id must be given"),
        ("/payouts/reconcile", {"id": "po_none"}, "No such payout"),
        ("/payouts/run", {"amount": 5}, "unknown: amount"),
    ],
)
def test_impossible_controls_are_refused(double, path, body, text):
    assert text in refused(double, path, **body)


def test_only_failures_have_a_failure_code(double, payout):
    body = {"id": payout["id"], "status": "paid", "failure_code": "declined"}
    assert "no failure_code" in refused(double, "/payouts/move", **body)
