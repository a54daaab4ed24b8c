"""The double's shapes against the official client's own description of Stripe: no field invented, none missing."""

import typing

import pytest
import stripe
import stripe.v2.core

from config.local.stripe.account import API_VERSION
from config.local.stripe.objects import session_opening
from tests.config.local.stripe.conftest import open_session, paid_session

SHAPES = {
    "checkout.session": stripe.checkout.Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "balance_transaction": stripe.BalanceTransaction,
    "payout": stripe.Payout,
    "transfer": stripe.Transfer,
    "event": stripe.Event,
    "dispute": stripe.Dispute,
}


def fields(shape):
    """Name → whether the client says it may be null."""
    hints = {name: hint for name, hint in shape.__annotations__.items() if name != "OBJECT_NAME"}
    return {name: type(None) in typing.get_args(hint) for name, hint in hints.items()}


@pytest.fixture
def objects(double, client):
    """At least one of every kind, open and ended."""
    open_session(client)
    session = paid_session(double, client)
    double.pay(open_session(client).url, "4000000000000002")
    client.v1.refunds.create(params={"payment_intent": session.payment_intent.id, "amount": 100})
    double.next_refunds("requires_action")
    double.move_refund(double.dashboard_refund(100, session=session.id)["id"], "failed")
    double.move_dispute(double.dispute(200, session=session.id)["id"], "won")
    debit = double.pay_delayed(open_session(client).id)
    for failing in (debit, double.pay_delayed(open_session(client).id)):
        double.settle_delayed(failing["id"], "succeeded" if failing is debit else "failed")
    double.return_debit("payment_failure_refund", session=debit["id"])
    double.pay_otherwise(open_session(client).id, presentment={"amount": 4600, "currency": "eur"})
    double.advance(3 * 86_400)
    client.v1.payouts.create(params={"amount": 1000, "currency": "usd"})
    for amount in (300, 500):
        sent = client.v1.transfers.create(params={"amount": amount, "currency": "usd", "destination": "acct_1"})
    client.v1.transfers.reversals.create(sent.id, params={"amount": 200})
    for payout in double.run_payouts():
        double.move_payout(payout["id"], "failed")
    return double.state()["objects"]


def test_version_is_the_one_the_official_client_pins():
    assert stripe.api_version == API_VERSION


def test_every_kind_is_compared(objects):
    assert set(objects) == set(SHAPES)


def test_no_field_is_unknown_to_the_official_client(objects):
    for kind, found in objects.items():
        for body in found:
            assert set(body) <= set(fields(SHAPES[kind])), kind


def test_every_field_that_is_always_there_is_there_and_not_null(objects):
    for kind, found in objects.items():
        always = {name for name, nullable in fields(SHAPES[kind]).items() if not nullable}
        for body in found:
            assert {name for name in always if body.get(name) is None} == set(), kind


def test_line_items_and_balance_have_their_shapes_too(double, client):
    session = paid_session(double, client)
    item = client.v1.checkout.sessions.line_items.list(session.id).data[0].to_dict()
    balance = client.v1.balance.retrieve().to_dict()

    assert set(item) <= set(fields(stripe.LineItem))
    assert set(balance) <= set(fields(stripe.Balance))


def test_values_are_those_the_official_client_lists(objects):
    for kind, found in objects.items():
        for name, hint in SHAPES[kind].__annotations__.items():
            allowed = _literals(hint)
            for body in found:
                if allowed and isinstance(body.get(name), str):
                    assert body[name] in allowed, f"{kind}.{name}"


def _literals(hint):
    if typing.get_origin(hint) is typing.Literal:
        return set(typing.get_args(hint))
    return set().union(*(_literals(part) for part in typing.get_args(hint)), set())


def test_every_parameter_the_double_reads_exists_at_stripe():
    params = stripe.params.checkout.SessionCreateParams.__annotations__

    assert set(session_opening.LOOKS) <= set(params)
