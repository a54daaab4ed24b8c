"""Opening a Checkout Session: what it says of itself, and what Stripe refuses."""

import pytest
import stripe

from tests.config.local.stripe.conftest import open_session, session_params


def line(**price):
    data = {"currency": "usd", "unit_amount": 5000, "product_data": {"name": "Entry"}, **price}
    return {"price_data": data, "quantity": 1}


def refusal(client, **changes):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        open_session(client, **changes)
    return raised.value


def now(double):
    return int(double.control("GET", "/clock")["now"])


def test_new_session_is_open_and_unpaid_at_a_page_of_the_double(client, double):
    session = open_session(client)

    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "payment")
    assert (session.amount_total, session.amount_subtotal, session.currency) == (5000, 5000, "usd")
    assert session.url == f"{double.base_url}/pay/{session.id}"
    assert session.livemode is False
    assert session.payment_intent is None
    assert session.client_reference_id == "payment-7"
    assert session.metadata.to_dict() == {"ref": "7", "env": "test"}
    assert session.expires_at == session.created + 24 * 3600


def test_all_parameters_the_product_sends_are_understood(client, double):
    session = open_session(
        client,
        adaptive_pricing={"enabled": False},
        allowed_payment_method_types=["card", "link"],
        customer_email="maya@example.com",
        expires_at=now(double) + 3600,
        submit_type="pay",
        locale="en",
        ui_mode="hosted_page",
    )

    assert session.customer_email == "maya@example.com"
    assert session.customer_details.email == "maya@example.com"
    assert session.submit_type == "pay"
    assert session.allowed_payment_method_types == ["card", "link"]
    assert session.adaptive_pricing.enabled is False


def test_total_is_the_sum_of_quantities_times_prices(client):
    session = open_session(client, line_items=[{**line(unit_amount=1250), "quantity": 3}, line(unit_amount=99)])

    assert session.amount_total == 3 * 1250 + 99
    items = client.v1.checkout.sessions.line_items.list(session.id).data
    assert [(item.quantity, item.amount_total) for item in items] == [(3, 3750), (1, 99)]


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("jpy", 500), ("kwd", 12340), ("eur", 5000), ("USD", 50)],
)
def test_currencies_of_every_exponent_are_taken(client, currency, amount):
    session = open_session(client, line_items=[line(currency=currency, unit_amount=amount)])

    assert (session.currency, session.amount_total) == (currency.lower(), amount)


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"mode": None}, "parameter_missing", "mode"),
        ({"line_items": None}, "parameter_missing", "line_items"),
        ({"success_url": None}, "parameter_missing", "success_url"),
        ({"success_url": "not an address"}, "url_invalid", "success_url"),
        ({"cancel_url": "javascript:alert(1)"}, "url_invalid", "cancel_url"),
        ({"customer_email": "nobody"}, "email_invalid", "customer_email"),
        ({"client_reference_id": "x" * 201}, "parameter_invalid_string", "client_reference_id"),
        ({"client_reference_id": ""}, "parameter_invalid_empty", "client_reference_id"),
        ({"mode": "subscription"}, None, "mode"),
        ({"mode": "barter"}, None, "mode"),
        ({"adaptive_pricing": {"enabled": True}}, None, "adaptive_pricing[enabled]"),
        ({"allowed_payment_method_types": ["klarna"]}, None, "allowed_payment_method_types"),
        ({"discounts": [{"coupon": "half"}]}, "parameter_unknown", "discounts"),
        ({"colour": "green"}, "parameter_unknown", "colour"),
        ({"payment_intent_data": {"colour": "green"}}, "parameter_unknown", "payment_intent_data[colour]"),
        ({"payment_intent_data": "green"}, None, "payment_intent_data"),
        (
            {"line_items": [{"price": "price_1", "quantity": 1}]},
            "parameter_missing",
            "line_items[0][price_data][currency]",
        ),
        ({"line_items": [line(currency="xyz")]}, None, "line_items[0][price_data][currency]"),
        (
            {"line_items": [line(unit_amount="12.50")]},
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        ({"line_items": [line(unit_amount=-1)]}, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
        ({"line_items": [line(currency="kwd", unit_amount=12345)]}, None, "line_items[0][price_data][unit_amount]"),
        ({"line_items": [line()] * 101}, None, "line_items"),
        ({"line_items": [{**line(), "quantity": 0}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        ({"line_items": [line(), line(currency="eur")]}, None, "line_items"),
        ({"line_items": [line(unit_amount=49)]}, "amount_too_small", None),
        ({"line_items": [{**line(unit_amount=99_999_999), "quantity": 2}]}, "amount_too_large", None),
        ({"metadata": {"k" * 41: "v"}}, None, f"metadata[{'k' * 41}]"),
        ({"metadata": {"k": "v" * 501}}, None, "metadata[k]"),
        ({"metadata": {f"k{number}": "v" for number in range(51)}}, None, "metadata"),
    ],
)
def test_impossible_parameters_are_refused_by_name(client, double, changes, code, param):
    error = refusal(client, **changes)

    assert (error.http_status, error.code, error.param) == (400, code, param)
    assert error.user_message
    assert "checkout.session" not in double.state()["objects"]


@pytest.mark.parametrize("seconds", [30 * 60 - 2, 24 * 3600 + 2])
def test_expiry_outside_30_minutes_to_24_hours_is_refused(client, double, seconds):
    assert refusal(client, expires_at=now(double) + seconds).param == "expires_at"


@pytest.mark.parametrize("seconds", [30 * 60 + 2, 24 * 3600 - 2])
def test_expiry_within_30_minutes_to_24_hours_is_taken(client, double, seconds):
    wished = now(double) + seconds

    assert open_session(client, expires_at=wished).expires_at == wished


def test_metadata_can_be_changed_later_key_by_key(client):
    session = open_session(client)

    changed = client.v1.checkout.sessions.update(session.id, params={"metadata": {"env": "", "note": "hello"}})

    assert changed.metadata.to_dict() == {"ref": "7", "note": "hello"}
    assert client.v1.checkout.sessions.retrieve(session.id).metadata.to_dict() == {"ref": "7", "note": "hello"}


def test_empty_metadata_removes_all(client):
    session = open_session(client)

    assert client.v1.checkout.sessions.update(session.id, params={"metadata": ""}).metadata.to_dict() == {}


def test_session_params_of_these_tests_are_those_of_the_official_client():
    assert set(session_params()) <= set(stripe.params.checkout.SessionCreateParams.__annotations__)
