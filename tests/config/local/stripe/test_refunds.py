"""Money back: in full, in parts, never more than came."""

import threading

import pytest
import stripe

from tests.config.local.stripe.conftest import client_of, open_session, paid_session


def refund(client, **params):
    return client.v1.refunds.create(params=params)


@pytest.fixture
def charge(client, double):
    return paid_session(double, client).payment_intent.latest_charge


def test_full_refund_returns_the_amount_and_keeps_the_fee(client, charge):
    made = refund(client, payment_intent=charge.payment_intent, reason="requested_by_customer", metadata={"ref": "r1"})

    assert (made.amount, made.status, made.charge, made.reason) == (
        5000,
        "succeeded",
        charge.id,
        "requested_by_customer",
    )
    assert made.metadata.to_dict() == {"ref": "r1"}
    after = client.v1.charges.retrieve(charge.id)
    assert (after.amount_refunded, after.refunded) == (5000, True)
    movement = client.v1.balance_transactions.retrieve(made.balance_transaction)
    assert (movement.type, movement.amount, movement.fee, movement.net) == ("refund", -5000, 0, -5000)
    assert movement.source == made.id


def test_two_equal_parts_are_two_refunds(client, charge):
    first, second = (refund(client, charge=charge.id, amount=1000) for _ in range(2))

    assert first.id != second.id
    after = client.v1.charges.retrieve(charge.id)
    assert (after.amount_refunded, after.refunded) == (2000, False)
    listed = client.v1.refunds.list(params={"payment_intent": charge.payment_intent}).data
    assert [one.id for one in listed] == [second.id, first.id]


def test_refund_without_amount_returns_what_is_left(client, charge):
    refund(client, charge=charge.id, amount=1200)

    assert refund(client, charge=charge.id).amount == 3800


def test_more_than_is_left_is_refused(client, charge):
    refund(client, charge=charge.id, amount=4000)

    with pytest.raises(stripe.InvalidRequestError, match=r"\(\$10.01\) is greater than .*\(\$10.00\)") as raised:
        refund(client, charge=charge.id, amount=1001)
    assert raised.value.param == "amount"
    assert len(client.v1.refunds.list().data) == 1


def test_fully_refunded_charge_is_refused(client, charge):
    refund(client, charge=charge.id)

    with pytest.raises(stripe.InvalidRequestError) as raised:
        refund(client, charge=charge.id)
    assert raised.value.code == "charge_already_refunded"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, None),
        ({"charge": "ch_none"}, "resource_missing"),
        ({"payment_intent": "pi_none"}, "resource_missing"),
        ({"charge": "ch_1", "payment_intent": "pi_1"}, None),
        ({"charge": "ch_1", "amount": 0}, "parameter_invalid_integer"),
        ({"charge": "ch_1", "reason": "boredom"}, None),
        ({"charge": "ch_1", "refund_application_fee": True}, "parameter_unknown"),
    ],
)
def test_impossible_refunds_are_refused(client, double, params, code):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        refund(client, **params)

    assert raised.value.code == code
    assert double.state()["objects"] == {}


def test_failed_charge_and_unpaid_intent_have_nothing_to_return(client, double):
    session = open_session(client)
    double.pay(session.url, "4000000000000002")
    charge = client.v1.charges.list().data[0]

    for params in ({"charge": charge.id}, {"payment_intent": charge.payment_intent}):
        with pytest.raises(stripe.InvalidRequestError):
            refund(client, **params)
    assert client.v1.refunds.list().data == []


def test_three_decimal_refunds_end_in_zero(client, double):
    price = {"currency": "kwd", "unit_amount": 12340, "product_data": {"name": "Entry"}}
    session = paid_session(double, client, line_items=[{"price_data": price, "quantity": 1}])

    with pytest.raises(stripe.InvalidRequestError, match="multiple of 10"):
        refund(client, payment_intent=session.payment_intent.id, amount=1234)
    assert refund(client, payment_intent=session.payment_intent.id, amount=1230).amount == 1230


def test_refund_is_announced_with_the_charge_before_and_after(client, charge):
    made = refund(client, charge=charge.id, amount=1500)

    created, changed = (
        client.v1.events.list(params={"type": type}).data for type in ("refund.created", "charge.refunded")
    )
    assert [event.data.object.id for event in created] == [made.id]
    assert changed[0].data.object.amount_refunded == 1500
    assert changed[0].data.previous_attributes.to_dict() == {"amount_refunded": 0}


def test_parallel_refunds_never_exceed_the_charge(double, client, charge):
    start = threading.Barrier(10)
    outcomes = []

    def ask():
        own = client_of(double)
        start.wait()
        try:
            outcomes.append(refund(own, charge=charge.id, amount=1500).amount)
        except stripe.InvalidRequestError:
            outcomes.append(0)

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [0] * 7 + [1500] * 3
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 4500


def test_metadata_of_a_refund_can_be_changed(client, charge):
    made = refund(client, charge=charge.id)

    assert client.v1.refunds.update(made.id, params={"metadata": {"by": "finance"}}).metadata.to_dict() == {
        "by": "finance"
    }
    assert client.v1.refunds.retrieve(made.id).metadata.to_dict() == {"by": "finance"}
