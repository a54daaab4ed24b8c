"""Refunds that wait, fail, are called off, or were made by somebody else."""

import pytest
import stripe

from config.local.stripe.objects.refund_moves import FAILURES
from tests.config.local.stripe.conftest import client_of, paid_session
from tests.support.stripe_double import call


@pytest.fixture
def charge(client, double):
    return paid_session(double, client).payment_intent.latest_charge


def refund(client, charge, **params):
    return client.v1.refunds.create(params={"charge": charge.id, **params})


def announced(client, since=0):
    events = client.v1.events.list(params={"limit": 100}).data
    return [event.type for event in reversed(events)][since:]


def refused(double, path, **body):
    status, answer = call("POST", f"{double.base_url}/_double{path}", body)
    assert 400 <= status < 500
    return answer["error"]["message"]


def test_ordered_refund_is_pending_and_has_drawn_nothing(client, double, charge):
    double.next_refunds("pending")

    first, second = refund(client, charge, amount=1000), refund(client, charge, amount=1000)

    assert (first.status, first.pending_reason, first.balance_transaction) == ("pending", "insufficient_funds", None)
    assert (second.status, second.pending_reason) == ("succeeded", None)
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 2000
    assert len(client.v1.balance_transactions.list(params={"type": "refund"}).data) == 1


def test_pending_refund_draws_when_it_succeeds(client, double, charge):
    double.next_refunds("pending", pending_reason="processing")
    made = refund(client, charge, amount=1000)
    before = len(announced(client))

    double.move_refund(made.id, "succeeded")

    done = client.v1.refunds.retrieve(made.id, params={"expand": ["balance_transaction"]})
    assert (done.status, done.pending_reason, done.balance_transaction.net) == ("succeeded", None, -1000)
    assert announced(client, before) == ["refund.updated", "charge.refund.updated"]
    updated = client.v1.events.list(params={"type": "refund.updated"}).data[0]
    assert updated.data.previous_attributes.to_dict() == {
        "status": "pending",
        "pending_reason": "processing",
        "balance_transaction": None,
    }


def test_refund_that_fails_after_it_had_drawn_comes_back(client, double, charge):
    made = refund(client, charge)
    before = len(announced(client))

    double.move_refund(made.id, "failed", failure_reason="expired_or_canceled_card")

    failed = client.v1.refunds.retrieve(made.id, params={"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    back = failed.failure_balance_transaction
    assert (back.amount, back.fee, back.net, back.reporting_category, back.type, back.source) == (
        5000,
        0,
        5000,
        "refund_failure",
        "refund_failure",
        made.id,
    )
    assert made.balance_transaction == failed.balance_transaction
    after = client.v1.charges.retrieve(charge.id)
    assert (after.amount_refunded, after.refunded) == (0, False)
    assert announced(client, before) == ["refund.updated", "refund.failed", "charge.refund.updated"]
    assert refund(client, charge).amount == 5000


def test_pending_refund_that_fails_moves_no_money(client, double, charge):
    double.next_refunds()
    made = refund(client, charge)

    failed = double.move_refund(made.id, "failed")

    assert (failed["failure_reason"], failed["failure_balance_transaction"]) == ("unknown", None)
    assert len(client.v1.balance_transactions.list().data) == 1


def test_succeeded_refund_can_be_called_off_at_the_dashboard(client, double, charge):
    made = refund(client, charge, amount=700)

    canceled = double.move_refund(made.id, "canceled")

    assert (canceled["status"], canceled["failure_reason"]) == ("canceled", "merchant_request")
    assert client.v1.balance_transactions.retrieve(canceled["failure_balance_transaction"]).amount == 700


def test_api_cancels_only_what_waits_for_the_customer(client, double, charge):
    double.next_refunds("requires_action")
    waiting, done = refund(client, charge, amount=1000), refund(client, charge, amount=1000)
    assert (waiting.status, waiting.next_action.type) == ("requires_action", "display_details")

    assert client.v1.refunds.cancel(waiting.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="requires_action"):
        client.v1.refunds.cancel(done.id)
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 1000


def test_dashboard_refund_has_no_key_and_no_metadata(client, double, charge):
    made = double.dashboard_refund(1200, charge=charge.id)

    assert (made["amount"], made["metadata"], made["status"]) == (1200, {}, "succeeded")
    created = client.v1.events.list(params={"type": "refund.created"}).data[0]
    assert created.request.to_dict() == {"id": None, "idempotency_key": None}
    assert double.dashboard_refund(payment_intent=charge.payment_intent)["amount"] == 3800
    assert "already been refunded" in refused(double, "/refunds", charge=charge.id)


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/refunds/next", {"status": "succeeded"}, "must be one of"),
        ("/refunds/next", {"pending_reason": "laziness"}, "must be one of"),
        ("/refunds/next", {"times": 0}, "times must be"),
        ("/refunds/next", {"status": "requires_action", "pending_reason": "processing"}, "no pending_reason"),
        ("/refunds/move", {"id": "re_none", "status": "failed"}, "No such refund"),
        ("/refunds/move", {"status": "failed"}, "id must be given"),
        ("/refunds", {"charge": "ch_none"}, "No such charge"),
        ("/refunds", {}, "name one of"),
    ],
)
def test_impossible_controls_are_refused(double, path, body, text):
    assert text in refused(double, path, **body)


def test_moves_against_the_stream_are_refused(client, double, charge):
    made = refund(client, charge)

    assert "no failure_reason" in refused(
        double, "/refunds/move", id=made.id, status="succeeded", failure_reason="declined"
    )
    assert "cannot become pending" in refused(double, "/refunds/move", id=made.id, status="pending")
    double.move_refund(made.id, "failed")
    assert "only nothing" in refused(double, "/refunds/move", id=made.id, status="succeeded")


def test_failure_reasons_are_those_the_official_client_names():
    assert len(FAILURES) == len(set(FAILURES)) == 7


@pytest.mark.parametrize(
    ("steps", "refundable"),
    [((), False), (("lost",), False), (("under_review",), False), (("won",), True)],
)
def test_disputed_charge_is_not_refunded_while_the_bank_has_the_money(client, double, charge, steps, refundable):
    id = double.dispute(charge=charge.id)["id"]
    for status in steps:
        double.move_dispute(id, status)

    if refundable:
        assert refund(client, charge).status == "succeeded"
        return
    with pytest.raises(stripe.InvalidRequestError, match="charged back; cannot issue a refund") as raised:
        refund(client, charge)
    assert raised.value.code == "charge_disputed"
    assert "charged back" in refused(double, "/refunds", charge=charge.id)


def test_inquiry_can_be_settled_by_a_refund(client, double, charge):
    double.dispute(charge=charge.id, inquiry=True)

    assert refund(client, charge).status == "succeeded"


def test_pending_refund_cannot_succeed_once_the_bank_took_the_money(client, double, charge):
    double.next_refunds()
    made = refund(client, charge, amount=1000)
    double.dispute(charge=charge.id)

    assert "charged back" in refused(double, "/refunds/move", id=made.id, status="succeeded")
    failed = double.move_refund(made.id, "failed", failure_reason="charge_for_pending_refund_disputed")
    assert failed["failure_balance_transaction"] is None


def test_refunds_are_found_by_charge_intent_and_time(client, double):
    first, second = (paid_session(double, client).payment_intent for _ in range(2))
    older = double.dashboard_refund(100, payment_intent=first.id)
    double.advance(100)
    newer = double.dashboard_refund(100, payment_intent=second.id)

    def ids(**params):
        return [one.id for one in client.v1.refunds.list(params=params).data]

    assert ids(charge=first.latest_charge.id) == ids(payment_intent=first.id) == [older["id"]]
    assert ids(created={"gt": older["created"]}) == [newer["id"]]
    assert ids(created={"lte": older["created"]}) == [older["id"]]


def test_refund_whose_answer_was_lost_exists_and_is_replayed_by_its_key(double, charge):
    double.fault(action="drop_after", method="POST", path="/v1/refunds")
    client = client_of(double, retries=2)

    made = client.v1.refunds.create(params={"charge": charge.id, "amount": 900}, options={"idempotency_key": "r:1"})

    assert [one.id for one in client.v1.refunds.list().data] == [made.id]
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 900
    again = client.v1.refunds.create(params={"charge": charge.id, "amount": 900}, options={"idempotency_key": "r:1"})
    assert again.id == made.id
    asked = [entry for entry in double.control("GET", "/requests")["requests"] if entry["path"] == "/v1/refunds"]
    assert [entry["status"] for entry in asked if entry["method"] == "POST"] == [0, 200, 200]


@pytest.mark.parametrize(("action", "made"), [("drop_before", 0), ("error_before", 0), ("error_after", 1)])
def test_refund_is_made_or_not_as_the_fault_says(client, double, charge, action, made):
    double.fault(action=action, method="POST", path="/v1/refunds")

    with pytest.raises((stripe.APIConnectionError, stripe.APIError)):
        refund(client, charge, amount=900)

    assert len(client.v1.refunds.list().data) == made


def test_refused_refund_leaves_the_order_for_the_next_one(client, double, charge):
    double.next_refunds()
    with pytest.raises(stripe.InvalidRequestError):
        refund(client, charge, amount=5001)

    assert double.state()["orders"]["refund"][0]["times"] == 1
    assert refund(client, charge).status == "pending"
    assert double.state()["orders"]["refund"] == []
