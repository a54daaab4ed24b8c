"""The life of a session: paid once, or expired by call or by clock."""

import threading

import pytest
import stripe

from tests.config.local.stripe.conftest import client_of, open_session, paid_session
from tests.support.stripe_double import call

DECLINED = "4000000000000002"


def types(client):
    return [event.type for event in client.v1.events.list(params={"limit": 100}).data][::-1]


def test_payment_completes_the_session_with_intent_charge_and_movement(client, double):
    session = paid_session(double, client)
    intent = session.payment_intent
    charge = intent.latest_charge

    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 5000, 5000)
    assert intent.metadata.to_dict() == {"ref": "7", "kind": "entry"}
    assert (charge.paid, charge.captured, charge.amount_captured, charge.refunded) == (True, True, 5000, False)
    assert charge.payment_intent == intent.id
    assert charge.metadata.to_dict() == {"ref": "7", "kind": "entry"}
    movement = client.v1.balance_transactions.retrieve(charge.balance_transaction)
    assert (movement.amount, movement.fee, movement.net, movement.source) == (5000, 175, 4825, charge.id)


def test_payment_is_announced_as_stripe_announces_it(client, double):
    paid_session(double, client)

    assert types(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_declined_card_leaves_the_session_open_and_the_failure_on_record(client, double):
    session = open_session(client)

    status, body = double.pay(session.url, DECLINED)

    assert (status, body["error"]["code"], body["error"]["type"]) == (402, "card_declined", "card_error")
    session = client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent.latest_charge"]})
    intent = session.payment_intent
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (intent.status, intent.amount_received) == ("requires_payment_method", 0)
    assert intent.last_payment_error.code == "card_declined"
    charge = intent.latest_charge
    assert (charge.status, charge.paid, charge.captured, charge.failure_code) == (
        "failed",
        False,
        False,
        "card_declined",
    )
    assert charge.balance_transaction is None
    assert types(client) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


def test_second_card_pays_the_same_intent_after_a_decline(client, double):
    session = open_session(client)
    double.pay(session.url, DECLINED)

    status, body = double.pay(session.url)

    assert status == 200
    intents = client.v1.payment_intents.list().data
    assert [intent.id for intent in intents] == [body["payment_intent"]]
    assert (intents[0].status, intents[0].last_payment_error) == ("succeeded", None)
    assert [charge.status for charge in client.v1.charges.list().data] == ["succeeded", "failed"]


def test_twenty_payments_at_once_charge_once(client, double):
    session = open_session(client)
    start = threading.Barrier(20)
    answers = []

    def pay():
        start.wait()
        answers.append(double.pay(session.url))

    threads = [threading.Thread(target=pay) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {status for status, _ in answers} == {200}
    assert sorted(body["charged"] for _, body in answers) == [False] * 19 + [True]
    assert len(client.v1.charges.list().data) == 1
    assert types(client).count("checkout.session.completed") == 1


def test_payment_and_expiry_at_once_leave_one_winner(double):
    for _ in range(10):
        client = client_of(double)
        session = open_session(client)
        start = threading.Barrier(2)
        outcomes = {}

        def pay(url=session.url, start=start, outcomes=outcomes):
            start.wait()
            outcomes["paid"] = double.pay(url)[0] == 200

        def expire(id=session.id, start=start, outcomes=outcomes, client=client):
            start.wait()
            try:
                client.v1.checkout.sessions.expire(id)
                outcomes["expired"] = True
            except stripe.InvalidRequestError:
                outcomes["expired"] = False

        threads = [threading.Thread(target=pay), threading.Thread(target=expire)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        final = client.v1.checkout.sessions.retrieve(session.id)
        assert outcomes["paid"] is not outcomes["expired"]
        assert final.status == ("complete" if outcomes["paid"] else "expired")


def test_expired_session_has_no_page_and_takes_no_money(client, double):
    session = open_session(client)

    expired = client.v1.checkout.sessions.expire(session.id)

    assert (expired.status, expired.payment_status, expired.url) == ("expired", "unpaid", None)
    status, body = double.pay(session.url)
    assert (status, body["error"]["code"]) == (410, "session_expired")
    assert client.v1.charges.list().data == []
    assert types(client) == ["checkout.session.expired"]


@pytest.mark.parametrize("end", ["complete", "expired"])
def test_only_open_sessions_can_be_expired(client, double, end):
    session = open_session(client)
    if end == "complete":
        double.pay(session.url)
    else:
        client.v1.checkout.sessions.expire(session.id)

    with pytest.raises(stripe.InvalidRequestError, match=f'in \\["open"\\] can be expired.*`{end}`'):
        client.v1.checkout.sessions.expire(session.id)


def test_expiry_cancels_the_intent_of_a_declined_attempt(client, double):
    session = open_session(client)
    double.pay(session.url, DECLINED)

    client.v1.checkout.sessions.expire(session.id)

    intent = client.v1.payment_intents.list().data[0]
    assert (intent.status, intent.cancellation_reason) == ("canceled", "expired")
    assert types(client)[-2:] == ["payment_intent.canceled", "checkout.session.expired"]


def test_clock_expires_the_session_at_its_own_moment(client, double):
    session = open_session(client)

    double.advance(24 * 3600 - 60)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    double.advance(3 * 86_400)

    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    event = client.v1.events.list().data[0]
    assert (event.type, event.created) == ("checkout.session.expired", session.expires_at)
    assert double.pay(session.url)[0] == 410


def test_session_expires_without_anybody_asking(hooked, receiver):
    session = open_session(client_of(hooked))

    hooked.advance(session.expires_at - hooked.control("GET", "/clock")["now"] - 1.5)
    assert receiver.types == []

    assert receiver.wait_for(1)
    assert receiver.types == ["checkout.session.expired"]


def test_unknown_session_is_not_found(client, double):
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.checkout.sessions.retrieve("cs_test_none")
    assert (raised.value.http_status, raised.value.code) == (404, "resource_missing")
    assert double.pay(f"{double.base_url}/pay/cs_test_none")[0] == 404


def test_charge_is_not_a_session(client, double):
    charge = paid_session(double, client).payment_intent.latest_charge

    assert call("POST", f"{double.base_url}/pay/{charge.id}/pay", {"card": "4242424242424242"})[0] == 404
