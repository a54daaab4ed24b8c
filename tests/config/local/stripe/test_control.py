"""The controls themselves: for this machine, exact about what they take, and with a way to begin anew."""

import time

import pytest
import requests

from tests.config.local.stripe.conftest import open_session, paid_session
from tests.support.stripe_double import call


def test_documentation_is_served_at_the_root_and_at_the_controls(double):
    for path in ("/", "/_double"):
        text = requests.get(double.base_url + path, timeout=10).text
        assert "drop_after" in text
        assert "/_double/webhooks/release" in text


def test_health_answers_without_a_key(double):
    assert double.control("GET", "/health") == {"status": "ok"}


def test_state_shows_every_object_and_no_secret(double, client):
    session = paid_session(double, client)

    state = double.state()

    assert [found["id"] for found in state["objects"]["checkout.session"]] == [session.id]
    assert set(state["objects"]) == {"checkout.session", "payment_intent", "charge", "balance_transaction", "event"}
    assert "whsec_" not in str(state)


def test_reset_forgets_everything(double, client):
    paid_session(double, client)
    double.advance(1000)
    double.fault(action="hold")

    double.reset()

    state = double.state()
    assert state["objects"] == {}
    assert (state["deliveries"], state["idempotency_keys"], state["faults"]) == ([], [], [])
    assert state["clock"]["ahead_of_real_time"] == 0
    assert double.control("GET", "/requests") == {"requests": []}
    assert client.v1.checkout.sessions.list().data == []


def test_clock_runs_with_real_time_and_jumps_when_told(double):
    before = double.control("GET", "/clock")
    after = double.advance(3600)

    assert abs(before["now"] - time.time()) < 5
    assert 3600 <= after["now"] - before["now"] < 3605
    assert after["ahead_of_real_time"] == 3600


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/clock", {"advance": -1}, 400),
        ("POST", "/clock", {"advance": "soon"}, 400),
        ("POST", "/clock", {"to": 1}, 400),
        ("POST", "/clock", b"{", 400),
        ("POST", "/clock", b"[1]", 400),
        ("POST", "/webhooks/release", {"order": "sideways"}, 400),
        ("POST", "/webhooks/resend", {"event": "evt_none"}, 400),
        ("POST", "/webhooks/resend", {"event": "evt_none", "copies": 0}, 400),
        ("POST", "/webhooks/drain", {"timeout": 601}, 400),
        ("POST", "/endpoint", {"url": "ftp://127.0.0.1"}, 400),
        ("POST", "/endpoint", {"colour": "green"}, 400),
        ("POST", "/nothing", {}, 404),
        ("DELETE", "/state", None, 404),
    ],
)
def test_impossible_controls_are_refused_with_a_reason(double, method, path, body, status):
    answered, answer = call(method, f"{double.base_url}/_double{path}", body)

    assert answered == status
    assert answer["error"]["message"]


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_pages_of_strangers_cannot_reach_the_controls_through_a_browser(double, client, headers):
    session = open_session(client)

    answer = requests.post(f"{double.base_url}/_double/reset", headers=headers, timeout=10)

    assert answer.status_code == 403
    assert client.v1.checkout.sessions.retrieve(session.id).id == session.id


def test_requests_are_remembered_with_key_and_version(double, client):
    open_session(client, key="k1")

    entry = double.control("GET", "/requests")["requests"][-1]

    assert (entry["method"], entry["path"], entry["status"]) == ("POST", "/v1/checkout/sessions", 200)
    assert (entry["idempotency_key"], entry["stripe_version"], entry["faults"]) == ("k1", "2026-10-28.endive", [])
