"""Thin events: the note beside the snapshot, with its own secret and its own way to go wrong."""

import json
from datetime import datetime

import pytest
import stripe

from tests.config.local.stripe.conftest import PAID, client_of, open_session, paid_session, undelivered
from tests.support.stripe_double import SECRET, call

THIN_SECRET = "whsec_of_the_thin_ones"


@pytest.fixture
def client(hooked):
    return client_of(hooked)


@pytest.fixture
def thin(hooked, receiver):
    """The double sends thin events alone, to another address."""
    hooked.thin(THIN_SECRET, url=receiver.url.replace("/hooks", "/thin"), style="thin")
    return hooked


@pytest.fixture
def both(hooked):
    hooked.thin(THIN_SECRET)
    return hooked


def in_forms(receiver):
    """(snapshots, thin ones) as received."""
    snapshots = [event for event in receiver.events if event["object"] == "event"]
    return snapshots, [event for event in receiver.events if event["object"] == "v2.core.event"]


def test_official_client_accepts_every_thin_event(thin, client, receiver):
    session = paid_session(thin, client)
    thin.dashboard_refund(100, session=session.id)
    thin.move_refund(thin.dashboard_refund(100, session=session.id)["id"], "failed")
    thin.move_dispute(thin.dispute(1000, session=session.id)["id"], "won")
    thin.advance(3 * 86_400)
    [payout] = thin.run_payouts()
    thin.reconcile_payout(payout["id"])
    assert thin.drain()

    assert len(receiver.received) >= 15
    for path, headers, body in receiver.received:
        notification = client.parse_event_notification(body, headers["Stripe-Signature"], THIN_SECRET)
        assert notification.type == notification.LOOKUP_TYPE
        assert path == "/thin?from=double"
        assert notification.fetch_related_object().id == notification.related_object.id
        with pytest.raises(stripe.SignatureVerificationError):
            client.parse_event_notification(body, headers["Stripe-Signature"], SECRET)


def test_thin_event_holds_no_more_than_a_reference(thin, client, receiver):
    session = paid_session(thin, client)
    assert thin.drain()

    [completed] = [event for event in receiver.events if event["type"] == "v1.checkout.session.completed"]
    snapshot = client.v1.events.retrieve(completed["snapshot_event"])
    assert snapshot.type == "checkout.session.completed"
    assert completed == {
        "id": completed["id"],
        "object": "v2.core.event",
        "type": "v1.checkout.session.completed",
        "created": completed["created"],
        "livemode": False,
        "context": None,
        "reason": None,
        "related_object": {
            "id": session.id,
            "type": "checkout.session",
            "url": f"/v1/checkout/sessions/{session.id}",
        },
        "snapshot_event": snapshot.id,
    }
    assert completed["id"] != snapshot.id
    assert datetime.fromisoformat(completed["created"]).timestamp() == snapshot.created


def test_thin_event_names_the_request_behind_it_and_can_be_fetched(thin, client, receiver):
    session = open_session(client)
    client.v1.checkout.sessions.expire(session.id, options={"idempotency_key": "expire:1"})
    assert thin.drain()

    [(_, headers, body)] = receiver.received
    notification = client.parse_event_notification(body, headers["Stripe-Signature"], THIN_SECRET)
    assert notification.reason.request.idempotency_key == "expire:1"
    assert notification.fetch_event().type == "v1.checkout.session.expired"
    thin.advance(31 * 86_400)
    with pytest.raises(stripe.InvalidRequestError):
        notification.fetch_event()


def test_both_forms_of_one_fact_come_each_with_its_secret(both, client, receiver):
    paid_session(both, client)
    assert both.drain()

    snapshots, notes = in_forms(receiver)
    assert sorted(event["type"] for event in snapshots) == sorted(PAID)
    assert sorted(event["type"] for event in notes) == sorted(f"v1.{type}" for type in PAID)
    assert {event["snapshot_event"] for event in notes} == {event["id"] for event in snapshots}
    for _, headers, body in receiver.received:
        secret = SECRET if json.loads(body)["object"] == "event" else THIN_SECRET
        assert stripe.WebhookSignature.verify_header(body, headers["Stripe-Signature"], secret, 300)
    assert undelivered(client) == []


def test_event_is_undelivered_until_both_forms_arrived(both, client, receiver):
    both.fault(action="suppress", type="*", times=3)
    both.fault(action="lose", type="v1.checkout.session.completed")
    paid_session(both, client)
    assert both.drain()

    snapshots, notes = in_forms(receiver)
    assert (len(snapshots), notes) == (1, [])
    assert undelivered(client) == ["checkout.session.completed"]


def test_what_strikes_an_event_strikes_both_its_forms(both, client, receiver):
    both.fault(action="hold", type="checkout.session.completed")
    both.fault(action="suppress", type="charge.succeeded")
    both.fault(action="suppress", type="v1.payment_intent.succeeded")
    both.fault(action="duplicate", type="payment_intent.created")
    paid_session(both, client)
    assert both.drain()

    snapshots, notes = in_forms(receiver)
    assert sorted(event["type"] for event in snapshots) == ["payment_intent.created"] * 2 + ["payment_intent.succeeded"]
    assert [event["type"] for event in notes] == ["v1.payment_intent.created"] * 2
    released = both.control("POST", "/webhooks/release")["released"]
    assert [one["type"] for one in released] == ["checkout.session.completed", "v1.checkout.session.completed"]


def test_thin_event_can_be_sent_again(thin, client, receiver):
    paid_session(thin, client)
    assert thin.drain()
    id = receiver.events[0]["id"]

    [sent] = thin.control("POST", "/webhooks/resend", event=id)["released"]

    assert (sent["status"], receiver.events[-1]["id"]) == (200, id)


def test_event_that_claims_to_be_live_does_so_in_both_forms(both, client, receiver):
    both.fault(action="event_livemode", type="charge.succeeded")
    paid_session(both, client)
    assert both.drain()

    live = sorted(event["type"] for event in receiver.events if event["livemode"])
    assert live == ["charge.succeeded", "v1.charge.succeeded"]


def test_alert_tells_of_an_event_that_never_came_into_being(both, client, receiver):
    both.fault(action="suppress", type="checkout.session.completed")
    session = paid_session(both, client)

    made = both.admit_missed("checkout.session.completed", session.id)
    assert both.drain()

    [alert] = [event for event in receiver.events if event["type"] == made["type"]]
    assert alert["type"] == "v2.core.health.event_generation_failure.resolved"
    assert "data" not in alert
    assert "related_object" not in alert
    fetched = client.raw_request("get", f"/v2/core/events/{alert['id']}")
    impact = fetched.data["data"]["impact"]
    assert (impact["event_type"], impact["related_object_id"]) == ("checkout.session.completed", session.id)
    assert made["type"] not in [event.type for event in client.v1.events.list().data]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/endpoint", {"style": "thin"}, "give thin_secret"),
        ("/endpoint", {"style": "fat"}, "style must be one of"),
        ("/endpoint", {"thin_url": "ftp://127.0.0.1"}, "thin_url must be"),
        ("/events/missed", {"event_type": "charge.succeeded", "object": "ch_1"}, "takes snapshots only"),
    ],
)
def test_impossible_controls_are_refused_and_change_nothing(hooked, path, body, text):
    before = hooked.control("GET", "/endpoint")

    status, answer = call("POST", f"{hooked.base_url}/_double{path}", body)

    assert status == 400
    assert text in answer["error"]["message"]
    assert hooked.control("GET", "/endpoint") == before


def test_alert_about_nothing_is_refused(both):
    body = {"event_type": "charge.succeeded", "object": "ch_none"}
    status, answer = call("POST", f"{both.base_url}/_double/events/missed", body)

    assert (status, "No such object" in answer["error"]["message"]) == (400, True)


def test_secrets_are_never_shown(both):
    assert "whsec" not in json.dumps(both.control("GET", "/endpoint"))
    assert "whsec" not in json.dumps(both.state())
