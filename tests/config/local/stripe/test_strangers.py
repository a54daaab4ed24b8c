"""Money that came otherwise than it was asked for, from elsewhere, or in another currency."""

import pytest

from tests.config.local.stripe.conftest import open_session, paid_session
from tests.support.stripe_double import call


def retrieve(client, id):
    return client.v1.checkout.sessions.retrieve(id, params={"expand": ["payment_intent.latest_charge"]})


def refused(double, path, **body):
    status, answer = call("POST", f"{double.base_url}/_double{path}", body)
    assert status == 400
    return answer["error"]["message"]


def test_session_can_be_paid_with_another_amount(client, double):
    session = open_session(client)

    paid = double.pay_otherwise(session.id, amount=4000)

    after = retrieve(client, session.id)
    charge = after.payment_intent.latest_charge
    assert (after.status, after.payment_status, after.amount_total, after.amount_subtotal) == (
        "complete",
        "paid",
        4000,
        5000,
    )
    assert after.total_details.amount_discount == 1000
    assert (after.payment_intent.amount_received, charge.amount_captured, charge.currency) == (4000, 4000, "usd")
    assert paid == {"session": session.id, "payment_intent": after.payment_intent.id, "charge": charge.id}
    assert after.payment_intent.metadata.to_dict() == {"ref": "7", "kind": "entry"}


def test_session_can_be_paid_in_another_currency(client, double):
    session = open_session(client)

    double.pay_otherwise(session.id, amount=5000, currency="jpy")

    after = retrieve(client, session.id)
    currencies = {after.currency, after.payment_intent.currency, after.payment_intent.latest_charge.currency}
    assert currencies == {"jpy"}
    assert list(double.books()["currencies"]) == ["jpy"]


def test_adaptive_price_keeps_the_currency_and_tells_what_was_shown(client, double):
    session = open_session(client)

    double.pay_otherwise(session.id, presentment={"amount": 4600, "currency": "eur"})

    after = retrieve(client, session.id)
    assert (after.amount_total, after.currency) == (5000, "usd")
    for part in (after, after.payment_intent, after.payment_intent.latest_charge):
        assert part.presentment_details.to_dict() == {"presentment_amount": 4600, "presentment_currency": "eur"}


def test_metadata_of_another_environment_replaces_all_there_was(client, double):
    session = open_session(client)

    double.pay_otherwise(session.id, metadata={"ref": "7", "env": "staging"})

    after = retrieve(client, session.id)
    for part in (after, after.payment_intent, after.payment_intent.latest_charge):
        assert part.metadata.to_dict() == {"ref": "7", "env": "staging"}


def test_declined_attempt_before_does_not_fix_the_terms(client, double):
    session = open_session(client)
    double.pay(session.url, "4000000000000002")

    double.pay_otherwise(session.id, amount=6000)

    assert retrieve(client, session.id).payment_intent.latest_charge.amount == 6000


def test_foreign_charge_is_of_no_session(client, double):
    made = double.foreign_charge(1234, "eur", metadata={"shop": "mugs"})

    charge = client.v1.charges.retrieve(made["charge"])
    assert (charge.amount, charge.currency, charge.metadata.to_dict()) == (1234, "eur", {"shop": "mugs"})
    assert made["session"] is None
    assert client.v1.checkout.sessions.list().data == []
    types = [event.type for event in client.v1.events.list().data]
    assert types == ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]


def test_foreign_session_has_no_reference_of_ours(client, double):
    made = double.foreign_charge(checkout=True)

    session = retrieve(client, made["session"])
    assert (session.status, session.client_reference_id, session.metadata.to_dict()) == ("complete", None, {})
    assert session.payment_intent.latest_charge.id == made["charge"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "needs amount and currency"),
        ({"amount": 100}, "needs amount and currency"),
        ({"amount": 0, "currency": "usd"}, "amount must be"),
        ({"amount": 100, "currency": "xyz"}, "currency must be one of"),
        ({"amount": 12345, "currency": "kwd"}, "no amount in kwd"),
        ({"amount": 100, "currency": "usd", "metadata": {"ref": 7}}, "metadata must hold texts"),
        ({"amount": 100, "currency": "usd", "presentment": {"amount": 1, "currency": "eur"}}, "needs a session"),
    ],
)
def test_impossible_charges_are_refused(double, body, text):
    assert text in refused(double, "/charges", **body)


def test_paid_session_cannot_be_paid_otherwise(client, double):
    session = paid_session(double, client)

    assert "not open" in refused(double, "/charges", session=session.id, amount=100)


def test_charge_can_settle_in_another_currency_with_all_that_follows(client, double):
    double.settle_next_in("eur", 0.92)
    session = paid_session(double, client)
    charge = session.payment_intent.latest_charge

    movement = client.v1.balance_transactions.retrieve(charge.balance_transaction)
    assert (movement.currency, movement.exchange_rate, movement.amount) == ("eur", 0.92, 4600)
    assert (movement.fee, movement.net, charge.currency) == (163, 4437, "usd")
    refund = double.dashboard_refund(1001, session=session.id)
    back = client.v1.balance_transactions.retrieve(refund["balance_transaction"])
    assert (back.currency, back.exchange_rate, back.amount) == ("eur", 0.92, -921)
    [leg] = double.dispute(1000, session=session.id)["balance_transactions"]
    assert (leg["currency"], leg["amount"], leg["fee"]) == ("eur", -920, 1500)
    assert [part.currency for part in client.v1.balance.retrieve().pending] == ["eur"]
    assert client.v1.balance_transactions.list(params={"currency": "usd"}).data == []


def test_only_the_ordered_number_of_charges_settles_otherwise(client, double):
    double.settle_next_in("eur", 0.92)
    currencies = []
    for _ in range(2):
        charge = paid_session(double, client).payment_intent.latest_charge
        currencies.append(client.v1.balance_transactions.retrieve(charge.balance_transaction).currency)

    assert currencies == ["eur", "usd"]


@pytest.mark.parametrize("body", [{"currency": "eur"}, {"currency": "eur", "rate": -1}, {"currency": "x", "rate": 1}])
def test_impossible_settlements_are_refused(double, body):
    assert refused(double, "/settlement", **body)
