"""Stripe's words as our facts, and the few promises about time that keep a slow Stripe from holding up everything."""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from payments.providers import online_provider
from payments.providers.base import Order, Origin, SessionState
from payments.providers.faults import AtWork, Busy, NotThere, Rejected, Unclear, Unreachable
from payments.providers.stripe.sessions import facts_of, session_params
from tests.support.threads import run_together

ROOT = Path(__file__).resolve().parents[2]

SESSION = {
    "id": "cs_test_1",
    "client_reference_id": "ref-1",
    "status": "complete",
    "payment_status": "paid",
    "livemode": False,
    "created": 1_789_999_000,
    "expires_at": 1_800_000_000,
    "url": None,
    "client_secret": None,
    "payment_intent": {
        "status": "succeeded",
        "last_payment_error": None,
        "latest_charge": {
            "id": "ch_1",
            "paid": True,
            "captured": True,
            "amount": 5000,
            "amount_captured": 5000,
            "currency": "usd",
            "created": 1_790_000_000,
        },
    },
}


def session(*, intent=None, charge=None, **changes):
    """The paid session with some of it changed."""
    found = {**SESSION, **changes}
    if "payment_intent" not in changes:
        latest = {**SESSION["payment_intent"]["latest_charge"], **(charge or {})}
        found["payment_intent"] = {**SESSION["payment_intent"], "latest_charge": latest, **(intent or {})}
    return found


def order(**changes):
    made = Order(
        ref="0e5e9e0c-4b1f-4f0e-8f5d-1f2f3a4b5c6d",
        idempotency_key=f"checkout:{uuid4()}:1",
        payment_id=3,
        request_id=1,
        pool_id=2,
        title="A pool: entry 1",
        amount_cents=5000,
        currency="usd",
        email="player@example.test",
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    return replace(made, **changes)


class TestFacts:
    def test_a_paid_session_carries_its_charge(self):
        facts = facts_of(SESSION)

        assert facts.state is SessionState.PAID
        assert (facts.charge.id, facts.charge.amount_cents, facts.charge.currency) == ("ch_1", 5000, "usd")
        assert facts.charge.paid_at == datetime.fromtimestamp(1_790_000_000, UTC)

    @pytest.mark.parametrize(
        ("changes", "state"),
        [
            ({"status": "open", "payment_intent": None}, SessionState.OPEN),
            ({"status": "expired", "payment_intent": None}, SessionState.EXPIRED),
            ({"intent": {"status": "processing"}}, SessionState.PROCESSING),
            ({"intent": {"status": "requires_payment_method"}}, SessionState.FAILED),
            ({"intent": {"status": "canceled"}}, SessionState.FAILED),
            ({"intent": {"status": "requires_capture"}}, SessionState.PROCESSING),
            ({"intent": {"status": "a_status_of_tomorrow"}}, SessionState.PROCESSING),
            ({"charge": {"paid": False}}, SessionState.PROCESSING),
            ({"charge": {"captured": False}}, SessionState.PROCESSING),
            ({"payment_intent": "pi_not_expanded"}, SessionState.PROCESSING),
            ({"intent": {"latest_charge": None}}, SessionState.PROCESSING),
        ],
    )
    def test_only_a_succeeded_intent_with_a_captured_charge_is_money(self, changes, state):
        facts = facts_of(session(**changes))

        assert facts.state is state
        assert facts.charge is None

    def test_the_last_failure_is_told_by_its_code(self):
        facts = facts_of(
            session(status="open", intent={"status": "requires_payment_method", "last_payment_error": {"code": "x"}})
        )

        assert (facts.state, facts.failure) == (SessionState.OPEN, "x")

    def test_what_was_captured_counts_not_what_was_asked_for(self):
        assert facts_of(session(charge={"amount_captured": 1})).charge.amount_cents == 1

    @pytest.mark.parametrize("currency", ["ugx", "isk"])
    def test_shillings_and_kronur_are_counted_in_hundredths_by_stripe_alone(self, currency):
        params = session_params(order(amount_cents=5000, currency=currency))
        facts = facts_of(session(charge={"amount_captured": 500_000, "currency": currency}))

        assert params["line_items"][0]["price_data"]["unit_amount"] == 500_000
        assert facts.charge.amount_cents == 5000

    def test_whose_it_is_stands_in_the_metadata(self):
        metadata = session_params(order())["metadata"]
        facts = facts_of(session(metadata=metadata, amount_total=5000, currency="usd"))

        assert facts.origin == Origin(ref=order().ref, env="test", request_id=1, pool_id=2, payment_id=3)
        assert (facts.amount_cents, facts.currency) == (5000, "usd")

    @pytest.mark.parametrize("metadata", [None, "text", {}, {"ref": 7, "request": "x", "pool": "9" * 30}])
    def test_what_others_wrote_is_nobody_s(self, metadata):
        assert facts_of(session(metadata=metadata)).origin == Origin()


class TestCalls:
    def test_the_first_try_s_parameters_are_those_of_the_second(self, settings):
        assert session_params(order(expires_at=None)) == session_params(order(expires_at=None))

    def test_our_mark_stands_on_the_session_and_on_the_intent(self):
        params = session_params(order())

        assert params["metadata"] == params["payment_intent_data"]["metadata"]
        assert params["metadata"]["ref"] == params["client_reference_id"]

    def test_a_session_that_is_not_there(self, double):
        with pytest.raises(NotThere):
            online_provider().fetch("cs_test_unknown")

    def test_an_ended_session_is_answered_as_it_is(self, double):
        opened = online_provider().create_session(order())
        assert online_provider().expire(opened.reference).state is SessionState.EXPIRED

        assert online_provider().expire(opened.reference).state is SessionState.EXPIRED

    def test_a_session_is_found_by_our_name_for_it(self, double):
        now = a_moment_ago()
        for number in range(3):
            online_provider().create_session(order(ref=f"ref-{number}", idempotency_key=f"key-{number}"))

        found = online_provider().find_session(ref="ref-1", since=now, until=now + timedelta(minutes=5))
        none = online_provider().find_session(ref="ref-9", since=now, until=now + timedelta(minutes=5))

        assert (found.ref, none) == ("ref-1", None)

    def test_it_is_found_behind_more_than_a_page_of_others(self, double):
        now = a_moment_ago()
        for number in range(105):
            online_provider().create_session(order(ref=f"ref-{number}", idempotency_key=f"key-{number}"))

        found = online_provider().find_session(ref="ref-0", since=now, until=now + timedelta(minutes=5))

        assert found.ref == "ref-0"

    def test_a_refused_order_says_so(self, double):
        with pytest.raises(Rejected):
            online_provider().create_session(order(amount_cents=1))

    def test_a_provider_that_is_away(self, double, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        with pytest.raises(Unreachable):
            online_provider().fetch("cs_test_1")
        with pytest.raises(Unclear):
            online_provider().create_session(order())

    def test_the_mode_is_that_of_the_key(self, double, settings):
        assert online_provider().livemode is False
        settings.STRIPE_SECRET_KEY = "rk_live_0000"
        assert online_provider().livemode is True


@pytest.mark.slow
class TestPatience:
    @pytest.fixture
    def web(self, double, settings):
        settings.OUTLAST_PROCESS = "web"
        return online_provider()

    @pytest.mark.parametrize("action", ["delay_before", "delay_after"])
    def test_no_web_thread_is_held_for_more_than_six_seconds(self, web, double, action):
        double.fault(action=action, times=None, seconds=8)
        started = time.monotonic()

        with pytest.raises((Unclear, AtWork)):
            web.create_session(order())

        assert time.monotonic() - started < 12
        wait_until_answered(double, 2)

    @pytest.mark.django_db(transaction=True)
    def test_a_slow_provider_takes_two_threads_of_a_web_process_at_most(self, web, double):
        opened = web.create_session(order())
        double.fault(action="delay_before", method="GET", path="/v1/*", times=None, seconds=1.6)

        outcomes = run_together([lambda: web.fetch(opened.reference)] * 4)

        refused = [outcome.error for outcome in outcomes if not outcome.worked]
        assert [type(error) for error in refused] == [Busy, Busy]

    def test_the_place_is_free_again_after_a_failure(self, web, double):
        opened = web.create_session(order())
        for _ in range(5):
            with pytest.raises(NotThere):
                web.fetch("cs_test_unknown")

        assert web.fetch(opened.reference).state is SessionState.OPEN

    def test_a_dropped_answer_is_asked_for_again_under_the_same_key(self, web, double):
        double.fault(action="drop_after", method="POST")

        opened = web.create_session(order(idempotency_key="checkout:the-same:1"))

        asked = [one for one in double.control("GET", "/requests")["requests"] if one["method"] == "POST"]
        assert [one["idempotency_key"] for one in asked] == ["checkout:the-same:1"] * 2
        assert [one["id"] for one in double.state()["objects"]["checkout.session"]] == [opened.reference]


def test_the_official_client_is_imported_beside_its_calls_and_its_transport_alone():
    importing = re.compile(r"^\s*(import stripe|from stripe)\b", re.MULTILINE)
    apps = [ROOT / name for name in ("accounts", "config", "entries", "payments", "pools")]
    files = [file for app in apps for file in app.rglob("*.py")]

    found = [str(file.relative_to(ROOT)) for file in files if importing.search(file.read_text(encoding="utf-8"))]

    assert sorted(found) == ["payments/providers/stripe/client.py", "payments/providers/stripe/transport.py"]


def wait_until_answered(double, requests):
    """What still sleeps in the double would wake up in another test."""
    deadline = time.monotonic() + 10
    while len(double.control("GET", "/requests")["requests"]) < requests:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def a_moment_ago():
    """The double runs on this machine's clock; a second back, because its own has no fractions."""
    return datetime.now(UTC) - timedelta(seconds=1)
