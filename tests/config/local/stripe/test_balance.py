"""The balance: every movement in it, fees by the published formula, money available two midnights later."""

import pytest
import stripe

from config.local.stripe.currencies import charge_fee, format_amount
from tests.config.local.stripe.conftest import paid_session

DAY = 86_400


@pytest.mark.parametrize(
    ("amount", "currency", "fee"),
    [(5000, "usd", 175), (50, "usd", 31), (1000, "usd", 59), (1017, "usd", 59), (1018, "usd", 60), (500, "jpy", 45),
     (12340, "kwd", 658)],
)  # fmt: skip
def test_fee_is_two_point_nine_per_cent_rounded_half_up_plus_a_fixed_part(amount, currency, fee):
    assert charge_fee(amount, currency) == fee


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(0, "usd", "$0.00"), (-12345, "eur", "-€123.45"), (1_234_567, "jpy", "¥1,234,567"), (5, "kwd", "KWD 0.005")],
)
def test_amounts_are_written_by_exponent(amount, currency, shown):
    assert format_amount(amount, currency) == shown


def test_new_account_has_nothing(client):
    balance = client.v1.balance.retrieve()

    assert balance.available[0].to_dict() == {"amount": 0, "currency": "usd", "source_types": {"card": 0}}
    assert balance.pending[0].amount == 0


def test_balance_is_the_sum_of_its_transactions(client, double):
    intent = paid_session(double, client).payment_intent
    client.v1.refunds.create(params={"payment_intent": intent.id, "amount": 1000})
    double.advance(3 * DAY)

    balance = client.v1.balance.retrieve()
    movements = client.v1.balance_transactions.list().data
    assert [movement.net for movement in movements] == [-1000, 4825]
    assert balance.available[0].amount == sum(movement.net for movement in movements)


def test_charge_becomes_available_at_the_second_midnight(client, double):
    charge = paid_session(double, client).payment_intent.latest_charge
    movement = client.v1.balance_transactions.retrieve(charge.balance_transaction)

    assert movement.available_on % DAY == 0
    assert 2 * DAY <= movement.available_on - movement.created < 3 * DAY
    assert movement.status == "pending"
    assert client.v1.balance.retrieve().pending[0].amount == 4825
    double.advance(3 * DAY)
    assert client.v1.balance_transactions.retrieve(movement.id).status == "available"
    assert client.v1.balance.retrieve().available[0].amount == 4825


def test_movements_are_found_by_source_type_and_currency(client, double):
    charge = paid_session(double, client).payment_intent.latest_charge
    refund = client.v1.refunds.create(params={"charge": charge.id})

    def ids(**params):
        return [movement.id for movement in client.v1.balance_transactions.list(params=params).data]

    assert ids(source=refund.id) == ids(type="refund") == [refund.balance_transaction]
    assert ids(source=charge.id) == ids(type="charge") == [charge.balance_transaction]
    assert ids(currency="eur") == []


def test_movements_are_found_by_time_with_their_sources(client, double):
    first = paid_session(double, client).payment_intent
    double.advance(100)
    refund = double.dashboard_refund(700, payment_intent=first.id)
    older, newer = reversed(client.v1.balance_transactions.list().data)

    def sources(**created):
        params = {"created": created, "expand": ["data.source"]}
        return [movement.source.id for movement in client.v1.balance_transactions.list(params=params).data]

    assert sources(gte=older.created, lt=newer.created) == [first.latest_charge.id]
    assert sources(gt=older.created) == sources(gte=newer.created, lte=newer.created) == [refund["id"]]
    assert [one.id for one in client.v1.charges.list(params={"created": {"lt": newer.created}}).data] == [
        first.latest_charge.id
    ]
    assert client.v1.charges.list(params={"created": {"gt": older.created}}).data == []


def test_payout_takes_available_money_and_arrives(client, double):
    paid_session(double, client)
    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.v1.payouts.create(params={"amount": 4825, "currency": "usd"})
    assert raised.value.code == "balance_insufficient"
    double.advance(3 * DAY)

    payout = client.v1.payouts.create(params={"amount": 4825, "currency": "usd", "metadata": {"week": "1"}})

    assert (payout.status, payout.automatic, payout.reconciliation_status) == ("pending", False, "not_applicable")
    assert client.v1.balance.retrieve().available[0].amount == 0
    assert client.v1.balance_transactions.retrieve(payout.balance_transaction).net == -4825
    double.advance(3 * DAY)
    arrived = client.v1.payouts.retrieve(payout.id)
    assert (arrived.status, arrived.metadata.to_dict()) == ("paid", {"week": "1"})
    types = [event.type for event in client.v1.events.list(params={"type": "payout.*"}).data]
    assert types == ["payout.updated", "payout.paid", "payout.created"]
    assert [one.id for one in client.v1.payouts.list(params={"status": "paid"}).data] == [payout.id]
    assert client.v1.payouts.list(params={"arrival_date": {"gt": payout.arrival_date}}).data == []
