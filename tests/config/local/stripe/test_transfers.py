"""Transfers to connected accounts: what leaves the balance, what comes back to it, and what is refused."""

import pytest
import stripe


@pytest.fixture
def funded(client, double):
    """A hundred dollars, less the fee of the charge that brought them."""
    double.fund(10_000)
    return client.v1.transfers


def transfer(transfers, **params):
    return transfers.create(params={"amount": 4000, "currency": "usd", "destination": "acct_1", **params})


def movements(client, **params):
    return client.v1.balance_transactions.list(params=params).data


def test_it_leaves_the_balance_at_once_and_can_be_found_by_its_group(client, funded):
    sent = transfer(funded, transfer_group="mine", metadata={"ref": "r"})

    (movement,) = movements(client, type="transfer")
    assert (movement.amount, movement.fee, movement.reporting_category, movement.source) == (
        -4000,
        0,
        "transfer",
        sent.id,
    )
    assert client.v1.balance.retrieve().available[0].amount == 9680 - 4000
    assert [one.id for one in funded.list(params={"transfer_group": "mine"}).data] == [sent.id]
    assert funded.list(params={"destination": "acct_2"}).data == []
    assert (sent.reversed, sent.amount_reversed, sent.reversals.data) == (False, 0, [])


def test_it_comes_back_in_parts(client, double, funded):
    sent = transfer(funded)
    funded.reversals.create(sent.id, params={"amount": 1500})
    assert double.reverse_transfer(sent.id)["reversed"] is True

    found = funded.retrieve(sent.id, params={"expand": ["balance_transaction", "reversals.data.balance_transaction"]})
    assert (found.reversed, found.amount_reversed, found.balance_transaction.net) == (True, 4000, -4000)
    assert [one.balance_transaction.net for one in found.reversals.data] == [2500, 1500]
    assert {one.reporting_category for one in movements(client, type="transfer_refund")} == {"transfer_reversal"}
    assert client.v1.balance.retrieve().available[0].amount == 9680
    with pytest.raises(stripe.InvalidRequestError, match="greater than unreversed"):
        funded.reversals.create(sent.id)
    told = [event.type for event in client.v1.events.list(params={"type": "transfer.*"}).data]
    assert told == ["transfer.reversed", "transfer.reversed", "transfer.created"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"amount": 10_000}, "balance_insufficient"),
        ({"destination": "acct_missing1"}, "resource_missing"),
        ({"destination": "elsewhere"}, "resource_missing"),
        ({"destination": "acct_restricted1"}, "insufficient_capabilities_for_transfer"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_moves_nothing(client, funded, params, code):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        transfer(funded, **params)
    assert caught.value.code == code
    assert movements(client, type="transfer") == []


def test_the_same_key_sends_once(client, funded):
    order = {"amount": 4000, "currency": "usd", "destination": "acct_1"}
    first, again = (funded.create(order, {"idempotency_key": "k"}) for _ in range(2))
    assert first.id == again.id
    assert len(movements(client, type="transfer")) == 1
