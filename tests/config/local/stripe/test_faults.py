"""Faults on command, met with the official client."""

import time

import pytest
import stripe

from tests.config.local.stripe.conftest import client_of, open_session
from tests.support.stripe_double import call

CREATE = {"method": "POST", "path": "/v1/checkout/sessions"}


def sessions(double):
    return [session["id"] for session in double.state()["objects"].get("checkout.session", [])]


def test_connection_dropped_before_the_work_leaves_nothing(double, client):
    double.fault(action="drop_before", **CREATE)

    with pytest.raises(stripe.APIConnectionError):
        open_session(client, key="k1")
    assert sessions(double) == []
    assert open_session(client, key="k1").id in sessions(double)


def test_connection_dropped_after_the_work_leaves_it_done(double, client):
    double.fault(action="drop_after", **CREATE)

    with pytest.raises(stripe.APIConnectionError):
        open_session(client, key="k1")
    assert len(sessions(double)) == 1
    assert [open_session(client, key="k1").id] == sessions(double)


def test_retries_of_the_client_get_past_two_drops(double):
    double.fault(action="drop_before", times=1, **CREATE)
    double.fault(action="drop_after", times=1, **CREATE)

    session = open_session(client_of(double, retries=2))

    assert sessions(double) == [session.id]
    log = double.control("GET", "/requests")["requests"]
    assert len({entry["idempotency_key"] for entry in log}) == 1
    assert [entry["status"] for entry in log if entry["path"] == CREATE["path"]][-1] == 200


def test_answer_later_than_the_client_waits_is_lost_but_done(double):
    double.fault(action="delay_after", seconds=2.0, **CREATE)

    with pytest.raises(stripe.APIConnectionError):
        open_session(client_of(double, timeout=1.0), key="k1")
    assert len(sessions(double)) == 1
    assert [open_session(client_of(double), key="k1").id] == sessions(double)


def test_fault_after_the_work_is_replayed_under_its_key_and_found_by_listing(double, client):
    double.fault(action="error_after", status=503, **CREATE)

    for _ in range(2):
        with pytest.raises(stripe.APIError) as raised:
            open_session(client, key="k1")
        assert raised.value.http_status == 503
    listed = client.v1.checkout.sessions.list().data
    assert [session.client_reference_id for session in listed] == ["payment-7"]


def test_client_is_told_not_to_retry_a_kept_fault(double):
    double.fault(action="error_after", **CREATE)

    with pytest.raises(stripe.APIError):
        open_session(client_of(double, retries=3))
    assert len(double.control("GET", "/requests")["requests"]) == 1


def test_fault_before_the_work_leaves_nothing(double, client):
    double.fault(action="error_before", **CREATE)

    with pytest.raises(stripe.APIError):
        open_session(client)
    assert sessions(double) == []


@pytest.mark.parametrize(("action", "code"), [("rate_limit", "rate_limit"), ("lock_timeout", "lock_timeout")])
def test_too_many_requests(double, client, action, code):
    double.fault(action=action, times=2)

    for _ in range(2):
        with pytest.raises(stripe.RateLimitError) as raised:
            open_session(client, key="k1")
        assert raised.value.error.code == code
    assert open_session(client, key="k1").status == "open"


def test_answers_can_claim_to_be_live(double, client):
    session = open_session(client)
    double.fault(action="answer_livemode")

    lied, true = (client.v1.checkout.sessions.retrieve(session.id) for _ in range(2))

    assert (lied.livemode, true.livemode) == (True, False)


@pytest.mark.parametrize(("action", "charges"), [("drop_before", 0), ("drop_after", 1)])
def test_hosted_page_can_be_cut_too(double, client, action, charges):
    session = open_session(client)
    double.fault(action=action, path="/pay/*")

    with pytest.raises(OSError):
        double.pay(session.url)
    assert len(client.v1.charges.list().data) == charges
    assert double.pay(session.url)[0] == 200
    assert len(client.v1.charges.list().data) == 1


@pytest.mark.parametrize(("action", "charges"), [("error_before", 0), ("error_after", 1)])
def test_hosted_page_can_fail_too(double, client, action, charges):
    session = open_session(client)
    double.fault(action=action, path="/pay/*", status=502)

    assert double.pay(session.url)[0] == 502
    assert len(client.v1.charges.list().data) == charges


def test_rule_strikes_only_what_it_names_and_as_often_as_it_says(double, client):
    double.fault(action="error_before", method="POST", path="/v1/refunds", times=None)
    open_session(client)
    for _ in range(3):
        with pytest.raises(stripe.APIError):
            client.v1.refunds.create(params={"charge": "ch_1"})

    assert double.control("DELETE", "/faults", action="error_before") == {"lifted": 1}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create(params={"charge": "ch_1"})


def test_rules_are_listed_and_lifted_one_by_one(double):
    first, second = double.fault(action="hold", times=None), double.fault(action="drop_before", times=3)

    assert [rule["id"] for rule in double.control("GET", "/faults")["faults"]] == [first["id"], second["id"]]
    assert double.control("DELETE", "/faults", id=first["id"]) == {"lifted": 1}
    assert double.control("DELETE", "/faults") == {"lifted": 1}
    assert double.control("GET", "/faults") == {"faults": []}


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"action": "explode"},
        {"action": "hold", "colour": "green"},
        {"action": "hold", "times": 0},
        {"action": "hold", "times": True},
        {"action": "hold", "times": "often"},
        {"action": "delay_before", "seconds": -1},
        {"action": "delay_before", "seconds": 301},
        {"action": "delay_before", "seconds": "1"},
        {"action": "error_after", "status": 404},
        {"action": "duplicate", "copies": 0},
        {"action": "hold", "type": 3},
        {"action": "hold", "id": 3},
    ],
)
def test_impossible_rules_are_refused(double, rule):
    status, answer = call("POST", f"{double.base_url}/_double/faults", rule)

    assert status == 400
    assert answer["error"]["message"]
    assert double.control("GET", "/faults") == {"faults": []}


def test_delay_before_holds_the_answer_back(double, client):
    double.fault(action="delay_before", seconds=0.4)

    started = time.monotonic()
    open_session(client)

    assert time.monotonic() - started >= 0.4
