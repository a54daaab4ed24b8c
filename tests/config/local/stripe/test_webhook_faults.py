"""Webhooks that are held, reordered, doubled, lost, swallowed or late on command."""

import pytest

from tests.config.local.stripe.conftest import PAID, client_of, delivery_states, paid_session, undelivered


@pytest.fixture
def client(hooked):
    return client_of(hooked)


def test_held_webhooks_wait_for_their_release(hooked, client, receiver):
    hooked.fault(action="hold", times=None)
    paid_session(hooked, client)
    assert hooked.drain()
    assert receiver.types == []
    assert len(undelivered(client)) == 4

    released = hooked.control("POST", "/webhooks/release")["released"]

    assert receiver.types == PAID == [one["type"] for one in released]
    assert {one["status"] for one in released} == {200}
    assert undelivered(client) == []
    open_session_events = len(receiver.received)
    paid_session(hooked, client)
    assert hooked.drain()
    assert len(receiver.received) == open_session_events + 4


@pytest.mark.parametrize(
    ("order", "expected"),
    [({"order": "created"}, PAID), ({"order": "reversed"}, PAID[::-1])],
)
def test_release_keeps_the_order_asked_for(hooked, client, receiver, order, expected):
    hooked.fault(action="hold", times=None)
    paid_session(hooked, client)

    hooked.control("POST", "/webhooks/release", **order)

    assert receiver.types == expected


def test_shuffled_release_is_repeatable_by_its_seed(hooked, client, receiver):
    orders = []
    for _ in range(2):
        hooked.fault(action="hold", times=None)
        paid_session(hooked, client)
        released = hooked.control("POST", "/webhooks/release", order="shuffled", seed=3)["released"]
        orders.append([one["type"] for one in released])

    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted(PAID)
    assert orders[0] != PAID


def test_release_can_pick_by_type(hooked, client, receiver):
    hooked.fault(action="hold", times=None)
    paid_session(hooked, client)

    hooked.control("POST", "/webhooks/release", type="charge.*")

    assert receiver.types == ["charge.succeeded"]
    assert delivery_states(hooked).count("held") == 3


def test_duplicates_arrive_as_the_same_event(hooked, client, receiver):
    hooked.fault(action="duplicate", type="checkout.session.completed", copies=4)
    paid_session(hooked, client)
    assert hooked.drain()

    twins = [event["id"] for event in receiver.events if event["type"] == "checkout.session.completed"]
    assert len(twins) == 5
    assert len(set(twins)) == 1


def test_lost_webhook_is_known_to_be_undelivered(hooked, client, receiver):
    hooked.fault(action="lose", type="checkout.session.completed")
    paid_session(hooked, client)
    assert hooked.drain()

    assert "checkout.session.completed" not in receiver.types
    assert undelivered(client) == ["checkout.session.completed"]
    hooked.advance(5 * 86_400)
    assert hooked.drain()
    assert "checkout.session.completed" not in receiver.types


def test_swallowed_webhook_is_believed_delivered(hooked, client, receiver):
    hooked.fault(action="swallow", type="checkout.session.completed")
    paid_session(hooked, client)
    assert hooked.drain()

    assert "checkout.session.completed" not in receiver.types
    assert undelivered(client) == []
    assert delivery_states(hooked).count("swallowed") == 1


def test_delayed_webhook_comes_when_the_clock_gets_there(hooked, client, receiver):
    hooked.fault(action="delay", type="checkout.session.completed", seconds=3600)
    paid_session(hooked, client)
    assert hooked.drain()
    assert sorted(receiver.types) == sorted(PAID[:3])

    hooked.advance(3601)
    assert hooked.drain()

    assert receiver.types[3:] == ["checkout.session.completed"]
