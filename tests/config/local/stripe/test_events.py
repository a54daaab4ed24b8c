"""Events as the API lists them."""

import pytest
import stripe

from tests.config.local.stripe.conftest import client_of, open_session, paid_session
from tests.support.stripe_double import call

DAY = 86_400


def listed(client, **params):
    return [event.type for event in client.v1.events.list(params=params).data]


def test_event_is_a_snapshot_of_the_moment(client, double):
    session = open_session(client)
    double.pay(session.url, "4000000000000002")
    double.pay(session.url)

    failed = client.v1.events.list(params={"type": "payment_intent.payment_failed"}).data[0]
    paid = client.v1.events.list(params={"type": "payment_intent.succeeded"}).data[0]
    assert (failed.data.object.status, paid.data.object.status) == ("requires_payment_method", "succeeded")
    assert failed.data.object.id == paid.data.object.id
    assert (paid.object, paid.livemode, paid.api_version) == ("event", False, stripe.api_version)
    assert client.v1.events.retrieve(paid.id).to_dict() == paid.to_dict()


def test_event_names_the_request_behind_it_or_none_for_the_customer(client, double):
    session = open_session(client)
    double.pay(session.url)
    client.v1.refunds.create(
        params={"payment_intent": client.v1.checkout.sessions.retrieve(session.id).payment_intent},
        options={"idempotency_key": "refund:1"},
    )

    by_api = client.v1.events.list(params={"type": "charge.refunded"}).data[0].request
    by_customer = client.v1.events.list(params={"type": "charge.succeeded"}).data[0].request
    assert by_api.idempotency_key == "refund:1"
    assert by_api.id.startswith("req_")
    assert by_customer.to_dict() == {"id": None, "idempotency_key": None}


def test_events_are_found_by_type_types_pattern_and_time(client, double):
    paid_session(double, client)
    now = double.control("GET", "/clock")["now"]

    assert listed(client, type="charge.succeeded") == ["charge.succeeded"]
    assert listed(client, type="payment_intent.*") == ["payment_intent.succeeded", "payment_intent.created"]
    assert listed(client, types=["charge.succeeded", "checkout.session.completed"]) == [
        "checkout.session.completed",
        "charge.succeeded",
    ]
    assert listed(client, created={"gt": int(now) + 10}) == []
    assert len(listed(client, created={"gte": int(now) - 10})) == 4


def test_newer_events_than_a_cursor_are_listed(client, double):
    paid_session(double, client)
    events = client.v1.events.list().data

    newer = client.v1.events.list(
        params={"ending_before": events[2].id, "types": [event.type for event in events]}
    ).data

    assert [event.id for event in newer] == [event.id for event in events[:2]]


def test_events_are_forgotten_after_30_days(client, double):
    paid_session(double, client)
    event = client.v1.events.list().data[0]
    double.advance(30 * DAY - 60)
    assert len(listed(client)) == 4
    double.advance(61 + 60)

    assert listed(client) == []
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.events.retrieve(event.id)
    assert raised.value.code == "resource_missing"


def test_without_an_endpoint_nothing_is_undelivered(client, double):
    paid_session(double, client)

    assert listed(client, delivery_success=False) == []
    assert len(listed(client, delivery_success=True)) == 4
    assert double.state()["deliveries"] == []


def test_event_that_never_came_into_being_is_nowhere(client, double):
    double.fault(action="suppress", type="checkout.session.completed")

    session = paid_session(double, client)

    assert session.status == "complete"
    assert "checkout.session.completed" not in listed(client)
    assert len(client.v1.balance_transactions.list().data) == 1


def test_event_can_claim_to_be_live(client, double):
    double.fault(action="event_livemode", type="charge.succeeded")
    paid_session(double, client)

    event = client.v1.events.list(params={"type": "charge.succeeded"}).data[0]
    assert (event.livemode, event.data.object.livemode) == (True, True)
    assert client.v1.charges.list().data[0].livemode is False


def test_backfill_asks_for_undelivered_types_newer_than_a_cursor(hooked, receiver):
    receiver.answers = [500] * 4
    client = client_of(hooked)
    hooked.control("POST", "/endpoint", enabled=False)
    first, second = (paid_session(hooked, client) for _ in range(2))
    completed = client.v1.events.list(params={"type": "checkout.session.completed"}).data
    cursor = completed[1]
    assert (completed[0].data.object.id, cursor.data.object.id) == (second.id, first.id)

    query = f"delivery_success=false&ending_before={cursor.id}&types[]=checkout.session.*&types[]=charge.succeeded"
    response = client.raw_request("get", f"/v1/events?{query}")

    found = [event["type"] for event in response.data["data"]]
    assert found == ["checkout.session.completed", "charge.succeeded"]
    assert listed(client, delivery_success=True) == []


def test_event_of_an_unknown_type_can_be_announced(client, double):
    session = paid_session(double, client)

    double.announce("checkout.session.reconsidered", session.id)

    event = client.v1.events.list().data[0]
    assert (event.type, event.data.object.id) == ("checkout.session.reconsidered", session.id)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "v1.charge.succeeded", "object": "ch_1"},
        {"type": "Charge", "object": "ch_1"},
        {"type": "charge.succeeded", "object": "ch_none"},
        {},
    ],
)
def test_impossible_announcements_are_refused(double, body):
    status, _ = call("POST", f"{double.base_url}/_double/events", body)

    assert status == 400
    assert double.state()["objects"] == {}
