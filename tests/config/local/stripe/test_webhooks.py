"""Webhooks: signed, sent in the background, tried again, and everything that can go wrong with them."""

import json
import threading
import time

import pytest
import stripe

from config.local.stripe.signing import signature_header
from config.local.stripe.webhooks import BACKOFF, GIVE_UP_AFTER
from tests.config.local.stripe.conftest import PAID, client_of, delivery_states, open_session, paid_session, undelivered
from tests.support.stripe_double import SECRET


@pytest.fixture
def client(hooked):
    return client_of(hooked)


def statuses(double, type):
    deliveries = double.control("GET", "/webhooks")["deliveries"]
    return [
        attempt["status"] for delivery in deliveries if delivery["type"] == type for attempt in delivery["attempts"]
    ]


def test_official_client_accepts_every_webhook(hooked, client, receiver):
    paid_session(hooked, client)
    assert hooked.drain()

    assert sorted(receiver.types) == sorted(PAID)
    for path, headers, body in receiver.received:
        event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)
        assert event.object == "event"
        assert path == "/hooks?from=double"
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert json.loads(body)["pending_webhooks"] == 1


def test_altered_body_and_other_secret_do_not_verify(hooked, client, receiver):
    paid_session(hooked, client)
    assert hooked.drain()
    _, headers, body = receiver.received[0]

    for altered, secret in ((body.replace(b"evt_", b"evt-"), SECRET), (body, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(altered, headers["Stripe-Signature"], secret)


def test_signature_is_the_one_of_the_official_client():
    payload = '{"id": "evt_1", "name": "Zoë"}'

    expected = stripe.WebhookSignature.generate_signature_header(payload, SECRET, 1_700_000_000)
    assert signature_header(payload.encode(), SECRET, 1_700_000_000) == expected


def test_signature_carries_real_time_whatever_the_double_believes(hooked, client, receiver):
    hooked.advance(10 * 86_400)
    paid_session(hooked, client)
    assert hooked.drain()

    _, headers, body = receiver.received[0]
    event = stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)
    assert event.created > time.time() + 9 * 86_400


def test_delivered_events_are_no_longer_pending(hooked, client, receiver):
    paid_session(hooked, client)
    assert hooked.drain()

    assert undelivered(client) == []
    assert [event.pending_webhooks for event in client.v1.events.list().data] == [0, 0, 0, 0]
    assert delivery_states(hooked) == ["delivered"] * 4


def test_refused_webhook_is_tried_again_until_it_is_taken(hooked, client, receiver):
    hooked.fault(action="suppress", type="*", times=3)
    receiver.answers = [500, 302, 404]
    paid_session(hooked, client)

    assert receiver.wait_for(1)
    assert hooked.drain()
    assert undelivered(client) == ["checkout.session.completed"]
    for step in BACKOFF[:3]:
        hooked.advance(step)
        assert hooked.drain()

    assert statuses(hooked, "checkout.session.completed") == [500, 302, 404, 200]
    assert undelivered(client) == []
    assert len({event["id"] for event in receiver.events}) == 1


def test_retry_comes_by_itself_soon_after(hooked, client, receiver):
    hooked.fault(action="suppress", type="*", times=3)
    receiver.answers = [503]
    paid_session(hooked, client)

    assert receiver.wait_for(2)
    assert hooked.drain()
    assert statuses(hooked, "checkout.session.completed") == [503, 200]


def test_webhook_is_given_up_after_three_days_and_listed_as_undelivered(hooked, client, receiver):
    hooked.fault(action="suppress", type="*", times=3)
    receiver.answers = [500] * 100
    paid_session(hooked, client)
    assert receiver.wait_for(1)
    assert hooked.drain()

    for _ in range(40):
        hooked.advance(GIVE_UP_AFTER / 20)
        assert hooked.drain()

    tried = len(receiver.received)
    assert len(BACKOFF) <= tried < 40
    assert delivery_states(hooked) == ["failed"]
    assert undelivered(client) == ["checkout.session.completed"]


def test_receiver_that_is_down_is_an_attempt_without_a_status(hooked, client, receiver):
    receiver.close()
    paid_session(hooked, client)
    assert hooked.drain()

    attempt = hooked.control("GET", "/webhooks")["deliveries"][0]["attempts"][0]
    assert attempt["status"] is None
    assert "Refused" in attempt["error"]
    assert len(undelivered(client)) == 4


def test_slow_receiver_is_a_timeout_and_blocks_nobody(hooked, client, receiver):
    receiver.slowness = 3.0
    hooked.control("POST", "/endpoint", timeout=0.3)

    started = time.monotonic()
    paid_session(hooked, client)

    assert time.monotonic() - started < 6
    assert hooked.drain()
    deliveries = hooked.control("GET", "/webhooks")["deliveries"]
    assert {delivery["attempts"][0]["status"] for delivery in deliveries} == {None}
    assert "TimeoutError" in deliveries[0]["attempts"][0]["error"]


def test_old_event_can_be_sent_again_with_a_fresh_signature(hooked, client, receiver):
    paid_session(hooked, client)
    assert hooked.drain()
    event = client.v1.events.list().data[0]

    sent = hooked.control("POST", "/webhooks/resend", event=event.id, copies=2)["released"]

    assert [one["status"] for one in sent] == [200, 200]
    assert [again["id"] for again in receiver.events[4:]] == [event.id, event.id]
    _, headers, body = receiver.received[-1]
    assert stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET).id == event.id


def test_stale_and_future_signatures_can_be_made(hooked, client, receiver):
    hooked.control("POST", "/endpoint", signature_age=301)
    paid_session(hooked, client)
    assert hooked.drain()

    _, headers, body = receiver.received[0]
    with pytest.raises(stripe.SignatureVerificationError, match="Timestamp outside the tolerance zone"):
        stripe.Webhook.construct_event(body, headers["Stripe-Signature"], SECRET)


def test_secret_can_be_rotated_and_the_endpoint_moved(hooked, client, receiver):
    moved = receiver.url.replace("/hooks", "/moved")
    shown = hooked.control("POST", "/endpoint", secret="whsec_new", url=moved)
    assert shown["url"] == moved
    assert "secret" not in shown

    paid_session(hooked, client)
    assert hooked.drain()

    path, headers, body = receiver.received[0]
    assert path == "/moved?from=double"
    assert stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_new")


def test_disabled_endpoint_gets_nothing_more_and_what_it_missed_is_listed(hooked, client, receiver):
    receiver.answers = [500] * 4
    paid_session(hooked, client)
    assert receiver.wait_for(4)
    hooked.control("POST", "/endpoint", enabled=False)
    paid_session(hooked, client)
    hooked.advance(3600)
    assert hooked.drain()

    assert len(receiver.received) == 4
    assert set(delivery_states(hooked)) == {"failed"}
    assert len(undelivered(client)) == 8


def test_kill_in_the_middle_of_sending_sends_again(hooked, client, receiver):
    receiver.slowness = 2.0
    hooked.fault(action="suppress", type="*", times=3)
    paid_session(hooked, client)
    assert receiver.wait_for(1)
    hooked.kill()
    receiver.slowness = 0.0

    hooked.start()

    assert receiver.wait_for(2)
    assert hooked.drain()
    assert len({event["id"] for event in receiver.events}) == 1
    assert undelivered(client) == []


def test_webhooks_overtake_each_other_and_all_arrive(hooked, client, receiver):
    receiver.slowness = 0.05
    urls = [open_session(client).url for _ in range(10)]
    threads = [threading.Thread(target=hooked.pay, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hooked.drain()

    assert len(receiver.received) == 40
    assert len({event["id"] for event in receiver.events}) == 40
    assert undelivered(client) == []


def test_reset_while_a_webhook_is_under_way_leaves_no_trace_of_it(hooked, client, receiver):
    receiver.slowness = 0.5
    paid_session(hooked, client)
    assert receiver.wait_for(4)

    hooked.reset()
    receiver.slowness = 0.0
    paid_session(hooked, client)
    assert hooked.drain()

    assert len(receiver.received) == 8
    assert [len(delivery["attempts"]) for delivery in hooked.control("GET", "/webhooks")["deliveries"]] == [1] * 4
