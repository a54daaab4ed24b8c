"""Idempotency keys: the same answer for the same question, for a day."""

import threading

import pytest
import requests
import stripe

from tests.config.local.stripe.conftest import KEY, client_of, open_session
from tests.support.stripe_double import DoubleProcess

DAY = 24 * 3600


def post(double, path, data, key=None, **headers):
    headers = {"Authorization": f"Bearer {KEY}", **headers}
    if key is not None:
        headers["Idempotency-Key"] = key
    return requests.post(double.base_url + path, data=data, headers=headers, timeout=20)


def intent(double, key, amount="5000"):
    return post(double, "/v1/payment_intents", {"amount": amount, "currency": "usd"}, key)


def count(double, kind="payment_intent"):
    return len(double.state()["objects"].get(kind, []))


def test_same_key_and_parameters_give_the_same_bytes(double):
    first, second = intent(double, "k1"), intent(double, "k1")

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert second.headers["Request-Id"] != first.headers["Request-Id"]
    assert first.headers["Idempotency-Key"] == "k1"
    assert count(double) == 1


def test_order_of_parameters_does_not_matter(double):
    first = post(double, "/v1/payment_intents", "amount=5000&currency=usd&metadata[a]=1&metadata[b]=2", "k1",
                 **{"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    second = post(double, "/v1/payment_intents", "metadata[b]=2&currency=usd&metadata[a]=1&amount=5000", "k1",
                  **{"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip

    assert first.json()["id"] == second.json()["id"]


def test_other_parameters_under_a_known_key_are_refused(double, client):
    open_session(client, key="k1")

    with pytest.raises(stripe.IdempotencyError, match="same parameters they were first used with") as raised:
        open_session(client, key="k1", client_reference_id="another")
    assert raised.value.http_status == 400
    assert count(double, "checkout.session") == 1


def test_other_endpoint_under_a_known_key_is_refused(double, client):
    session = open_session(client, key="k1")

    with pytest.raises(stripe.IdempotencyError, match="same endpoint they were first used for"):
        client.v1.checkout.sessions.expire(session.id, options={"idempotency_key": "k1"})
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_key_is_new_again_after_24_hours(double):
    first = intent(double, "k1").json()["id"]
    double.advance(DAY - 60)
    assert intent(double, "k1").json()["id"] == first
    double.advance(61)

    assert intent(double, "k1").json()["id"] != first
    assert count(double) == 2


def test_refused_parameters_are_not_kept(double):
    assert intent(double, "k1", amount="nothing").status_code == 400

    answer = intent(double, "k1", amount="5000")

    assert answer.status_code == 200
    assert "Idempotent-Replayed" not in answer.headers


def test_refusal_by_the_endpoint_itself_is_kept(double, client):
    session = open_session(client)
    client.v1.checkout.sessions.expire(session.id)
    path = f"/v1/checkout/sessions/{session.id}/expire"

    first, second = post(double, path, {}, "k1"), post(double, path, {}, "k1")

    assert (first.status_code, second.status_code) == (400, 400)
    assert second.headers["Idempotent-Replayed"] == "true"


def test_declined_card_is_kept_and_charged_once(double):
    data = {"amount": "500", "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa_chargeDeclined"}

    first, second = (post(double, "/v1/payment_intents", data, "k1") for _ in range(2))

    assert (first.status_code, first.content) == (402, second.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert count(double, "charge") == 1


def test_fault_of_the_server_is_kept_too(double):
    double.fault(action="error_after", path="/v1/payment_intents")

    first, second = intent(double, "k1"), intent(double, "k1")

    assert (first.status_code, second.status_code) == (500, 500)
    assert first.content == second.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert count(double) == 1


def test_unauthorised_and_rate_limited_requests_are_not_kept(double):
    assert (
        requests.post(
            f"{double.base_url}/v1/payment_intents",
            data={"amount": 1, "currency": "usd"},
            headers={"Idempotency-Key": "k1", "Authorization": "Bearer nonsense"},
            timeout=20,
        ).status_code
        == 401
    )
    double.fault(action="rate_limit")
    assert intent(double, "k1").status_code == 429

    assert intent(double, "k1").status_code == 200


def test_second_request_while_the_first_runs_is_a_conflict(double):
    double.fault(action="delay_before", seconds=1.5, path="/v1/payment_intents")
    answers = []
    slow = threading.Thread(target=lambda: answers.append(intent(double, "k1")))
    slow.start()
    threading.Event().wait(0.4)

    conflict = intent(double, "k1")
    other_key = intent(double, "k2")
    slow.join()

    assert conflict.status_code == 409
    assert conflict.json()["error"]["code"] == "idempotency_key_in_use"
    assert (answers[0].status_code, other_key.status_code) == (200, 200)
    assert intent(double, "k1").json()["id"] == answers[0].json()["id"]
    assert count(double) == 2


def test_twenty_at_once_with_one_key_make_one_session(double):
    start = threading.Barrier(20)
    found, conflicts = [], []

    def ask():
        client = client_of(double)
        start.wait()
        try:
            found.append(open_session(client, key="k1").id)
        except stripe.APIError as error:
            conflicts.append(error.http_status)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 1
    assert set(conflicts) <= {409}
    assert len(found) + len(conflicts) == 20
    assert count(double, "checkout.session") == 1


def test_official_client_gets_through_a_conflict_by_itself(double):
    double.fault(action="delay_before", seconds=0.3, path="/v1/checkout/*")
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(open_session(client_of(double, retries=4), key="k1").id))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 2
    assert found[0] == found[1]


def test_keys_survive_a_restart(tmp_path):
    with DoubleProcess(tmp_path) as double:
        first = intent(double, "k1").json()["id"]
        double.restart()

        assert intent(double, "k1").json()["id"] == first


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_impossible_keys_are_refused(double, key):
    assert intent(double, key).status_code == 400
    assert count(double) == 0


def test_longest_key_is_taken_and_reading_needs_none(double):
    assert intent(double, "k" * 255).status_code == 200
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k1"}
    answers = [requests.get(f"{double.base_url}/v1/balance", headers=headers, timeout=20) for _ in range(2)]
    assert ["Idempotent-Replayed" in answer.headers for answer in answers] == [False, False]
