"""PaymentIntents made without Checkout."""

import pytest
import stripe

from tests.config.local.stripe.conftest import open_session


def create(client, **changes):
    return client.v1.payment_intents.create(params={"amount": 2500, "currency": "usd", **changes})


def test_new_intent_waits_for_a_card(client):
    intent = create(client, metadata={"ref": "9"}, automatic_payment_methods={"enabled": True})

    assert intent.id.startswith("pi_")
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert (intent.status, intent.amount, intent.latest_charge) == ("requires_payment_method", 2500, None)
    assert client.v1.payment_intents.retrieve(intent.id).metadata.to_dict() == {"ref": "9"}
    assert [event.type for event in client.v1.events.list().data] == ["payment_intent.created"]


def test_confirmed_at_once_it_is_paid(client):
    intent = create(client, confirm=True, payment_method="pm_card_visa")

    assert (intent.status, intent.amount_received) == ("succeeded", 2500)
    assert client.v1.charges.retrieve(intent.latest_charge).paid


def test_card_given_first_is_confirmed_later(client):
    intent = create(client, payment_method="pm_card_visa")

    assert intent.status == "requires_confirmation"
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        client.v1.payment_intents.confirm(create(client).id)
    assert client.v1.payment_intents.confirm(intent.id, params={"payment_method": "pm_card_visa"}).status == "succeeded"


def test_declined_card_raises_and_leaves_the_failed_charge(client):
    with pytest.raises(stripe.CardError) as raised:
        create(client, confirm=True, payment_method="pm_card_visa_chargeDeclined")

    assert (raised.value.code, raised.value.error.decline_code) == ("card_declined", "generic_decline")
    intent = client.v1.payment_intents.list().data[0]
    assert intent.status == "requires_payment_method"
    assert client.v1.charges.retrieve(intent.latest_charge).status == "failed"


def test_paid_or_cancelled_intents_stay_as_they_are(client):
    paid = create(client, confirm=True, payment_method="pm_card_visa")
    cancelled = client.v1.payment_intents.cancel(create(client).id, params={"cancellation_reason": "duplicate"})

    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "duplicate")
    for intent in (paid, cancelled):
        for move in (client.v1.payment_intents.cancel, client.v1.payment_intents.confirm):
            with pytest.raises(stripe.InvalidRequestError) as raised:
                move(intent.id)
            assert raised.value.code == "payment_intent_unexpected_state"


def test_intent_of_a_session_is_moved_by_the_session_alone(client, double):
    session = open_session(client)
    double.pay(session.url, "4000000000000002")
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent

    for move in (client.v1.payment_intents.cancel, client.v1.payment_intents.confirm):
        with pytest.raises(stripe.InvalidRequestError, match="created by Checkout"):
            move(intent)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 49}, "amount_too_small"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"amount": None}, "parameter_missing"),
        ({"currency": "zzz"}, None),
        ({"payment_method": "pm_unknown"}, "resource_missing"),
        ({"transfer_group": "x"}, "parameter_unknown"),
    ],
)
def test_impossible_intents_are_refused(client, double, changes, code):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        create(client, **changes)

    assert raised.value.code == code
    assert double.state()["objects"] == {}


def test_description_and_metadata_can_be_changed(client):
    intent = create(client, metadata={"a": "1"})

    changed = client.v1.payment_intents.update(intent.id, params={"description": "Pool", "metadata": {"b": "2"}})

    assert (changed.description, changed.metadata.to_dict()) == ("Pool", {"a": "1", "b": "2"})


def test_change_of_a_charge_is_announced_with_what_was_before(client):
    charge = create(client, confirm=True, payment_method="pm_card_visa").latest_charge

    client.v1.charges.update(charge, params={"metadata": {"seen": "yes"}})

    event = client.v1.events.list(params={"type": "charge.updated"}).data[0]
    assert event.data.previous_attributes.to_dict() == {"metadata": {}}
