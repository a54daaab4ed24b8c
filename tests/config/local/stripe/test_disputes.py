"""Disputes: ten statuses, none, one or two movements of money, and an answer that is due."""

import pytest
import stripe

from config.local.stripe.objects.disputes import ENDED, FILES, MOVES, REASONS, TEXTS
from tests.config.local.stripe.conftest import paid_session
from tests.support.stripe_double import call

DAY = 86_400


@pytest.fixture
def charge(client, double):
    return paid_session(double, client).payment_intent.latest_charge


def announced(client, id):
    """Types of the events about this object, oldest first."""
    events = client.v1.events.list(params={"limit": 100}).data
    return [event.type for event in reversed(events) if event.data.object.id == id]


def legs(dispute):
    return [
        (part["reporting_category"], part["amount"], part["fee"], part["net"])
        for part in dispute["balance_transactions"]
    ]


def refused(double, path, **body):
    status, answer = call("POST", f"{double.base_url}/_double{path}", body)
    assert 400 <= status < 500
    return answer["error"]


def test_dispute_takes_amount_and_fee_at_once_in_one_movement(client, double, charge):
    opened = double.dispute(charge=charge.id)

    dispute = client.v1.disputes.retrieve(opened["id"])
    assert (dispute.status, dispute.amount, dispute.currency, dispute.reason) == (
        "needs_response",
        5000,
        "usd",
        "fraudulent",
    )
    assert (dispute.charge, dispute.payment_intent) == (charge.id, charge.payment_intent)
    assert legs(dispute.to_dict()) == [("dispute", -5000, 1500, -6500)]
    movement = client.v1.balance_transactions.retrieve(dispute.balance_transactions[0].id)
    assert (movement.type, movement.source, movement.status) == ("adjustment", dispute.id, "available")
    assert (movement.fee_details[0].amount, movement.fee_details[0].description) == (1500, "Dispute fee")
    assert dispute.is_charge_refundable is False
    assert client.v1.charges.retrieve(charge.id).disputed is True
    assert announced(client, dispute.id) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    created = client.v1.events.list(params={"type": "charge.dispute.created"}).data[0].data.object
    assert [part.id for part in created.balance_transactions] == [movement.id]


def test_inquiry_takes_nothing_until_it_becomes_a_dispute(client, double, charge):
    opened = double.dispute(charge=charge.id, inquiry=True)
    assert (opened["status"], legs(opened), opened["is_charge_refundable"]) == ("warning_needs_response", [], True)
    assert opened["payment_method_details"]["card"]["case_type"] == "inquiry"
    assert len(client.v1.balance_transactions.list().data) == 1

    moved = double.move_dispute(opened["id"], "needs_response")

    assert (legs(moved), moved["is_charge_refundable"]) == ([("dispute", -5000, 1500, -6500)], False)
    assert moved["payment_method_details"]["card"]["case_type"] == "chargeback"
    assert announced(client, opened["id"]) == [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
    ]


def test_won_dispute_gives_back_the_amount_and_keeps_the_fee(client, double, charge):
    opened = double.dispute(charge=charge.id)

    won = double.move_dispute(opened["id"], "won")

    assert legs(won) == [("dispute", -5000, 1500, -6500), ("dispute_reversal", 5000, 0, 5000)]
    closed = client.v1.events.list(params={"type": "charge.dispute.closed"}).data[0]
    assert (closed.data.object.status, closed.data.previous_attributes.status) == ("won", "needs_response")
    assert announced(client, opened["id"])[2:] == ["charge.dispute.funds_reinstated", "charge.dispute.closed"]


def test_fee_can_be_given_back_too(double, charge):
    opened = double.dispute(2000, charge=charge.id)

    won = double.move_dispute(opened["id"], "won", fee_returned=True)

    assert legs(won) == [("dispute", -2000, 1500, -3500), ("dispute_reversal", 2000, -1500, 3500)]


def test_lost_dispute_moves_no_more_money_unless_an_appeal_is_won(client, double, charge):
    opened = double.dispute(charge=charge.id)
    lost = double.move_dispute(opened["id"], "lost")
    assert len(legs(lost)) == 1

    for status in ("appeal_needs_response", "appeal_under_review", "won"):
        moved = double.move_dispute(opened["id"], status)

    assert [leg[0] for leg in legs(moved)] == ["dispute", "dispute_reversal"]
    assert announced(client, opened["id"]).count("charge.dispute.closed") == 2


@pytest.mark.parametrize("start", MOVES)
def test_statuses_are_stripes_and_ends_are_ends(start):
    allowed = stripe.Dispute.__annotations__["status"].__args__[0].__args__

    assert set(MOVES) == set(allowed)
    assert set(MOVES[start]) <= set(allowed)
    assert start not in ENDED or MOVES[start] in ((), ("appeal_needs_response",))


def test_reasons_and_evidence_are_those_the_official_client_names():
    described = stripe.Dispute.Evidence.__annotations__

    assert {*TEXTS, *FILES, "appeal", "enhanced_evidence"} == set(described)
    assert len(REASONS) == 15


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        (("won",), "needs_response", "cannot become needs_response, only nothing"),
        (("under_review",), "needs_response", "cannot become"),
        ((), "warning_closed", "cannot become"),
        ((), "charge_refunded", "must be one of"),
        ((), "", "must be given"),
    ],
)
def test_impossible_moves_are_refused(double, charge, path, body, text):
    id = double.dispute(charge=charge.id)["id"]
    for status in path:
        double.move_dispute(id, status)

    assert text in refused(double, "/disputes/move", id=id, status=body)["message"]


def test_charge_is_named_by_any_of_three_and_by_one_alone(client, double):
    session = paid_session(double, client)
    intent = session.payment_intent

    for target in ({"session": session.id}, {"payment_intent": intent.id}, {"charge": intent.latest_charge.id}):
        opened = double.dispute(100, **target)
        assert opened["charge"] == intent.latest_charge.id
        double.move_dispute(opened["id"], "won")

    assert "name one of" in refused(double, "/disputes")["message"]
    assert "name one of" in refused(double, "/disputes", charge="ch_1", session="cs_1")["message"]
    assert refused(double, "/disputes", charge="ch_none")["code"] == "resource_missing"


@pytest.mark.parametrize("amount", [0, -1, 5001, "5000", True])
def test_impossible_amounts_are_refused(double, charge, amount):
    assert "amount" in refused(double, "/disputes", charge=charge.id, amount=amount)["message"]


def test_second_dispute_waits_for_the_end_of_the_first(double, charge):
    first = double.dispute(charge=charge.id)

    assert "disputed already" in refused(double, "/disputes", charge=charge.id)["message"]
    double.move_dispute(first["id"], "won")
    assert double.dispute(charge=charge.id)["id"] != first["id"]


def test_refunded_charge_is_disputed_only_by_a_bank_that_insists(client, double, charge):
    client.v1.refunds.create(params={"charge": charge.id, "amount": 4000})
    client.v1.refunds.create(params={"charge": charge.id, "amount": 1000})

    assert "refunded in full" in refused(double, "/disputes", charge=charge.id)["message"]
    assert double.dispute(5000, charge=charge.id)["amount"] == 5000


def test_dispute_asks_for_what_is_left_by_default(client, double, charge):
    client.v1.refunds.create(params={"charge": charge.id, "amount": 4000})

    assert double.dispute(charge=charge.id)["amount"] == 1000


def test_inquiry_of_a_refunded_charge_cannot_become_a_dispute(client, double, charge):
    inquiry = double.dispute(charge=charge.id, inquiry=True)
    client.v1.refunds.create(params={"charge": charge.id})

    error = refused(double, "/disputes/move", id=inquiry["id"], status="needs_response")
    assert "refunded in full" in error["message"]
    assert double.move_dispute(inquiry["id"], "prevented")["status"] == "prevented"


def test_evidence_is_staged_then_submitted(client, double, charge):
    id = double.dispute(charge=charge.id)["id"]

    staged = client.v1.disputes.update(id, params={"evidence": {"customer_name": "Maya"}, "submit": False})
    assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
    assert staged.evidence_details.submission_count == 0
    sent = client.v1.disputes.update(id, params={"submit": True, "metadata": {"task": "9"}})

    assert (sent.status, sent.evidence.customer_name, sent.metadata.to_dict()) == (
        "under_review",
        "Maya",
        {"task": "9"},
    )
    assert (sent.evidence_details.submission_count, sent.evidence_details.submission_method) == (1, "manual")
    with pytest.raises(stripe.InvalidRequestError, match="no longer taken"):
        client.v1.disputes.update(id, params={"evidence": {"customer_name": "Ben"}})


@pytest.mark.parametrize(
    ("text", "inquiry", "status"),
    [
        ("winning_evidence", False, "won"),
        ("losing_evidence", False, "lost"),
        ("winning_evidence", True, "warning_closed"),
        ("losing_evidence", True, "needs_response"),
        ("a letter", True, "warning_under_review"),
    ],
)
def test_test_mode_evidence_decides_at_once(client, double, charge, text, inquiry, status):
    id = double.dispute(charge=charge.id, inquiry=inquiry)["id"]

    assert client.v1.disputes.update(id, params={"evidence": {"uncategorized_text": text}}).status == status


@pytest.mark.parametrize(
    "params",
    [
        {"evidence": {"receipt": "file_1"}},
        {"evidence": {"colour": "green"}},
        {"evidence": {"customer_name": "x" * 20_001}},
        {"submit": True},
        {"intended_submission_method": "fax"},
    ],
)
def test_impossible_answers_are_refused_and_leave_no_trace(client, double, charge, params):
    id = double.dispute(charge=charge.id)["id"]

    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.update(id, params=params)
    assert client.v1.disputes.retrieve(id).evidence_details.has_evidence is False


def test_metadata_alone_submits_nothing(client, double, charge):
    id = double.dispute(charge=charge.id)["id"]

    assert client.v1.disputes.update(id, params={"metadata": {"task": "9"}}).status == "needs_response"


def test_closing_accepts_the_loss_and_cannot_be_repeated(client, double, charge):
    id = double.dispute(charge=charge.id)["id"]

    assert client.v1.disputes.close(id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be closed"):
        client.v1.disputes.close(id)


def test_dispute_nobody_answers_is_lost_after_its_last_second(client, double, charge):
    opened = double.dispute(charge=charge.id)
    due_by = opened["evidence_details"]["due_by"]
    assert (due_by + 1) % DAY == 0
    now = double.control("GET", "/clock")["now"]
    double.advance(due_by - now - 5)
    assert client.v1.disputes.retrieve(opened["id"]).status == "needs_response"

    double.advance(10)

    lost = client.v1.disputes.retrieve(opened["id"])
    assert (lost.status, len(lost.balance_transactions)) == ("lost", 1)


def test_inquiry_nobody_pursues_is_closed(client, double, charge):
    opened = double.dispute(charge=charge.id, inquiry=True)
    double.advance(121 * DAY)

    assert client.v1.disputes.retrieve(opened["id"]).status == "warning_closed"


def test_disputes_are_listed_filtered_and_expanded(client, double):
    first, second = (paid_session(double, client).payment_intent for _ in range(2))
    older, newer = double.dispute(payment_intent=first.id), double.dispute(payment_intent=second.id)

    def ids(**params):
        return [dispute.id for dispute in client.v1.disputes.list(params=params).data]

    assert ids() == [newer["id"], older["id"]]
    assert ids(charge=first.latest_charge.id) == ids(payment_intent=first.id) == [older["id"]]
    assert ids(limit=1, starting_after=newer["id"]) == [older["id"]]
    assert ids(created={"gt": newer["created"]}) == []
    found = client.v1.disputes.list(params={"expand": ["data.charge.balance_transaction", "data.payment_intent"]}).data
    assert found[0].charge.balance_transaction.net == 4825
    assert found[0].payment_intent.id == second.id
    movements = client.v1.balance_transactions.list(params={"type": "adjustment", "expand": ["data.source"]}).data
    assert [movement.source.object for movement in movements] == ["dispute", "dispute"]


@pytest.mark.parametrize(
    ("currency", "price", "amount", "fee"), [("jpy", 1500, 700, 1500), ("kwd", 12340, 1230, 15_000)]
)
def test_other_currencies_have_their_own_digits_and_fee(client, double, currency, price, amount, fee):
    item = {"currency": currency, "unit_amount": price, "product_data": {"name": "Entry"}}
    session = paid_session(double, client, line_items=[{"price_data": item, "quantity": 1}])

    assert legs(double.dispute(amount, session=session.id)) == [("dispute", -amount, fee, -amount - fee)]


def test_three_decimal_disputes_end_in_zero(client, double):
    item = {"currency": "kwd", "unit_amount": 12340, "product_data": {"name": "Entry"}}
    session = paid_session(double, client, line_items=[{"price_data": item, "quantity": 1}])

    assert "multiple of 10" in refused(double, "/disputes", session=session.id, amount=1234)["message"]
