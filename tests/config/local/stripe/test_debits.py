"""Bank debits: complete but unpaid, settled days later, returned weeks after that."""

import pytest
import stripe

from config.local.stripe.currencies import debit_fee
from tests.config.local.stripe.conftest import open_session
from tests.config.local.stripe.test_checkout import fetch
from tests.support.stripe_double import call

ACCOUNT = "000123456789"
OFFERED = {"allowed_payment_method_types": ["card", "us_bank_account"]}


def announced(client, since=0):
    events = client.v1.events.list(params={"limit": 100}).data
    return [event.type for event in reversed(events)][since:]


def retrieve(client, id):
    return client.v1.checkout.sessions.retrieve(id, params={"expand": ["payment_intent.latest_charge"]})


def refused(double, path, **body):
    status, answer = call("POST", f"{double.base_url}/_double{path}", body)
    assert 400 <= status < 500
    return answer["error"]["message"]


@pytest.fixture
def waiting(client, double):
    """A session whose debit is under way."""
    session = open_session(client, **OFFERED)
    assert double.pay(session.url, ACCOUNT)[0] == 200
    return retrieve(client, session.id)


@pytest.fixture
def settled(client, double, waiting):
    double.settle_delayed(waiting.id)
    return retrieve(client, waiting.id)


def test_session_paid_by_bank_is_complete_and_unpaid(client, waiting):
    intent = waiting.payment_intent
    charge = intent.latest_charge

    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    assert waiting.payment_method_types == intent.payment_method_types == ["card", "us_bank_account"]
    assert (intent.status, intent.amount_received, intent.processing) == ("processing", 0, None)
    assert (charge.status, charge.paid, charge.balance_transaction) == ("pending", False, None)
    assert charge.id.startswith("py_")
    assert charge.payment_method_details.us_bank_account.last4 == "6789"
    assert announced(client) == [
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "checkout.session.completed",
    ]
    completed = client.v1.events.list(params={"type": "checkout.session.completed"}).data[0]
    assert completed.data.object.payment_status == "unpaid"


def test_page_of_a_session_under_way_promises_nothing(client, double, waiting):
    html = fetch(f"{double.base_url}/pay/{waiting.id}")[2]
    assert "Your bank was asked for $50.00" in html
    assert "received" not in html


def test_account_number_counts_only_where_it_is_offered(client, double):
    status, answer = double.pay(open_session(client).url, ACCOUNT)

    assert (status, answer["error"]["code"]) == (402, "incorrect_number")


def test_debit_can_be_forced_where_it_is_not_offered(client, double):
    session = open_session(client)

    forced = double.pay_delayed(session.id)

    assert (forced["status"], forced["payment_status"]) == ("complete", "unpaid")
    assert "us_bank_account" in forced["payment_method_types"]
    assert "not open" in refused(double, "/delayed", session=session.id)


def test_debit_succeeds_days_later(client, double, waiting):
    before = len(announced(client))
    double.advance(4 * 86_400)

    answered = double.settle_delayed(waiting.id)

    assert (answered["status"], answered["payment_status"]) == ("complete", "paid")
    after = retrieve(client, waiting.id).payment_intent
    charge = after.latest_charge
    assert (after.status, after.amount_received) == ("succeeded", 5000)
    assert (charge.status, charge.paid, charge.captured) == ("succeeded", True, True)
    movement = client.v1.balance_transactions.retrieve(charge.balance_transaction)
    assert (movement.type, movement.reporting_category, movement.fee, movement.net) == ("payment", "charge", 40, 4960)
    assert announced(client, before) == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ]


def test_debit_fails_days_later_and_the_session_stays_unpaid(client, double, waiting):
    before = len(announced(client))

    double.settle_delayed(waiting.id, "failed", failure_code="account_closed")

    after = retrieve(client, waiting.id)
    assert (after.status, after.payment_status) == ("complete", "unpaid")
    assert after.payment_intent.status == "requires_payment_method"
    assert after.payment_intent.last_payment_error.code == "account_closed"
    assert (after.payment_intent.latest_charge.status, after.payment_intent.latest_charge.paid) == ("failed", False)
    assert client.v1.balance_transactions.list().data == []
    assert announced(client, before) == [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]
    assert "no debit is under way" in refused(double, "/delayed/settle", session=after.id, outcome="succeeded")


def test_session_paid_by_card_has_nothing_to_settle(client, double):
    session = open_session(client)
    assert "Nobody has tried to pay" in refused(double, "/delayed/settle", session=session.id, outcome="failed")
    double.pay(session.url)

    assert "no debit is under way" in refused(double, "/delayed/settle", session=session.id, outcome="failed")
    assert "paid by card" in refused(double, "/returns", session=session.id)
    assert "must be one of" in refused(double, "/delayed/settle", session=session.id, outcome="maybe")


def test_debit_under_way_cannot_be_refunded_nor_expired(client, waiting):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create(params={"payment_intent": waiting.payment_intent.id})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.expire(waiting.id)


def test_refund_of_a_debit_goes_back_to_the_bank(client, settled):
    made = client.v1.refunds.create(
        params={"payment_intent": settled.payment_intent.id, "expand": ["balance_transaction"]}
    )

    assert made.id.startswith("pyr_")
    assert made.destination_details.type == "us_bank_transfer"
    assert (made.balance_transaction.type, made.balance_transaction.reporting_category) == ("payment_refund", "refund")


def test_returned_debit_is_a_dispute_lost_from_the_start(client, double, settled):
    before = len(announced(client))

    dispute = double.return_debit(session=settled.id)

    assert (dispute["status"], dispute["reason"], dispute["evidence_details"]["due_by"]) == (
        "lost",
        "insufficient_funds",
        0,
    )
    [leg] = dispute["balance_transactions"]
    assert (leg["reporting_category"], leg["amount"], leg["fee"]) == ("dispute", -5000, 1500)
    assert dispute["payment_method_details"] is None
    assert announced(client, before) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]
    assert "disputed already" in refused(double, "/returns", session=settled.id)


def test_returned_debit_can_be_a_charge_that_fails_late(client, double, settled):
    charge = double.return_debit("payment_failure_refund", session=settled.id)

    assert (charge["status"], charge["paid"], charge["failure_code"]) == ("failed", False, "insufficient_funds")
    movement = client.v1.balance_transactions.retrieve(charge["failure_balance_transaction"])
    assert (movement.type, movement.reporting_category, movement.amount, movement.fee) == (
        "payment_failure_refund",
        "charge_failure",
        -5000,
        0,
    )
    [told] = double.books()["charges"]
    assert (told["returned"], told["disputed"], told["settled"]["net"]) == (5000, 0, -40)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create(params={"charge": charge["id"]})


@pytest.mark.parametrize(("amount", "fee"), [(5000, 40), (62_500, 500), (1_000_000, 500), (62, 0), (63, 1)])
def test_fee_of_a_debit_is_capped(amount, fee):
    assert debit_fee(amount) == fee


def test_debits_are_in_dollars_only(client, double):
    price = {"currency": "eur", "unit_amount": 5000, "product_data": {"name": "Entry"}}
    lines = [{"price_data": price, "quantity": 1}]

    with pytest.raises(stripe.InvalidRequestError, match="usd only"):
        open_session(client, line_items=lines, **OFFERED)
    assert "usd only" in refused(double, "/delayed", session=open_session(client, line_items=lines).id)
