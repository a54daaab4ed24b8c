"""Lists: pages in both directions, time windows, filters, expansion."""

import pytest
import stripe

from tests.config.local.stripe.conftest import open_session, paid_session


@pytest.fixture
def intents(client):
    """Seven, oldest first."""
    return [client.v1.payment_intents.create(params={"amount": 100 + n, "currency": "usd"}) for n in range(7)]


def ids(client, **params):
    return [intent.id for intent in client.v1.payment_intents.list(params=params).data]


def test_newest_come_first_ten_at_a_time(client, intents):
    page = client.v1.payment_intents.list()

    assert [intent.id for intent in page.data] == [intent.id for intent in reversed(intents)]
    assert (page.has_more, page.url, page.object) == (False, "/v1/payment_intents", "list")


def test_pages_follow_each_other_without_gap_or_overlap(client, intents):
    newest_first = [intent.id for intent in reversed(intents)]

    first = client.v1.payment_intents.list(params={"limit": 3})
    assert ([intent.id for intent in first.data], first.has_more) == (newest_first[:3], True)
    assert ids(client, limit=3, starting_after=newest_first[2]) == newest_first[3:6]
    last = client.v1.payment_intents.list(params={"limit": 3, "starting_after": newest_first[5]})
    assert ([intent.id for intent in last.data], last.has_more) == (newest_first[6:], False)
    assert ids(client, limit=3, ending_before=newest_first[6]) == newest_first[3:6]
    assert client.v1.payment_intents.list(params={"limit": 3, "ending_before": newest_first[6]}).has_more is True
    assert client.v1.payment_intents.list(params={"limit": 3, "ending_before": newest_first[3]}).has_more is False


def test_official_paging_walks_through_everything(client, intents):
    walked = client.v1.payment_intents.list(params={"limit": 2}).auto_paging_iter()

    assert [intent.id for intent in walked] == [intent.id for intent in reversed(intents)]


def test_time_windows_are_half_open_as_asked(client, double):
    first = client.v1.payment_intents.create(params={"amount": 100, "currency": "usd"})
    double.advance(100)
    second = client.v1.payment_intents.create(params={"amount": 100, "currency": "usd"})

    assert ids(client, created={"gte": first.created, "lt": second.created}) == [first.id]
    assert ids(client, created={"gt": first.created}) == [second.id]
    assert ids(client, created={"lte": first.created}) == [first.id]
    assert ids(client, created=second.created) == [second.id]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "many"},
        {"starting_after": "pi_none"},
        {"starting_after": "pi_1", "ending_before": "pi_2"},
        {"created": {"after": 3}},
        {"created": "yesterday"},
        {"status": "succeeded"},
        {"expand": ["latest_charge"]},
        {"expand": ["data"]},
        {"expand": ["data.colour"]},
        {"expand": ["data.latest_charge.balance_transaction.source.payment_intent"]},
    ],
)
def test_impossible_lists_are_refused(client, intents, params):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.list(params=params)


def test_sessions_are_found_by_status_and_intent(client, double):
    paid, waiting = paid_session(double, client), open_session(client)

    def found(**params):
        return [session.id for session in client.v1.checkout.sessions.list(params=params).data]

    assert found(status="open") == [waiting.id]
    assert found(status="complete") == found(payment_intent=paid.payment_intent.id) == [paid.id]


def test_charges_are_found_by_intent(client, double):
    first, second = paid_session(double, client).payment_intent, paid_session(double, client).payment_intent

    assert [charge.id for charge in client.v1.charges.list(params={"payment_intent": first.id}).data] == [
        first.latest_charge.id
    ]
    assert len(client.v1.charges.list().data) == 2
    assert second.id != first.id


def test_expansion_reaches_along_a_path_and_stops_at_nothing(client, double):
    session = paid_session(double, client)
    refund = client.v1.refunds.create(params={"payment_intent": session.payment_intent.id, "amount": 700})

    deep = client.v1.checkout.sessions.retrieve(
        session.id, params={"expand": ["payment_intent.latest_charge.balance_transaction", "customer", "line_items"]}
    )
    assert deep.payment_intent.latest_charge.balance_transaction.net == 4825
    assert deep.customer is None
    assert deep.line_items.data[0].description == "Sunday, entry 1"

    charge = client.v1.charges.retrieve(refund.charge, params={"expand": ["refunds", "payment_intent"]})
    assert [one.id for one in charge.refunds.data] == [refund.id]
    assert charge.payment_intent.latest_charge == charge.id

    movements = client.v1.balance_transactions.list(params={"expand": ["data.source", "data.source.charge"]}).data
    assert [movement.source.object for movement in movements] == ["refund", "charge"]


def test_expansion_goes_along_each_of_several_paths(client, double):
    refund = client.v1.refunds.create(params={"payment_intent": paid_session(double, client).payment_intent.id})

    deep = client.v1.refunds.retrieve(
        refund.id, params={"expand": ["charge.balance_transaction", "charge.payment_intent", "balance_transaction"]}
    )

    assert deep.charge.balance_transaction.type == "charge"
    assert deep.charge.payment_intent.object == "payment_intent"
    assert deep.balance_transaction.type == "refund"
