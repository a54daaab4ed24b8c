"""What subscribers are told of money."""

import pytest

from accounts.services.webhooks.sending import deliver_due
from payments.models import PaymentState
from tests.factories.accounts import FinanceFactory
from tests.factories.payments import payment_for
from tests.support.bad_server import BadServer
from tests.support.charging import paid_receipt
from tests.support.refunding import asked, sent
from tests.support.subscribing import subscribed, told

pytestmark = pytest.mark.django_db(transaction=True)
MONEY = ["payment.received", "payment.failed", "payment.refunded"]


def received(server):
    while deliver_due():
        pass
    return told(server)


def test_money_that_came_and_went_back_is_told_to_its_owner_and_to_finance(api, unpaid, double, finance, stranger):
    with BadServer() as own, BadServer() as staff, BadServer() as strangers:
        subscribed(unpaid.user, own, events=MONEY)
        subscribed(finance, staff, events=MONEY, covers="all")
        subscribed(stranger, strangers, events=MONEY)
        receipt = paid_receipt(api, unpaid, double)
        sent(asked(receipt, FinanceFactory()))
        # Which comes first is not promised.
        bodies, copies = (sorted(received(server), key=lambda body: body["type"]) for server in (own, staff))

        assert [body["type"] for body in bodies] == ["payment.received", "payment.refunded"]
        payment, refund = bodies[0]["data"]["payment"], bodies[1]["data"]["refund"]
        assert payment == {
            "id": receipt.payment_id, "request": unpaid.pk, "pool": unpaid.pool_id, "user": unpaid.user_id,
            "status": "succeeded", "amount_cents": receipt.amount_cents, "currency": "usd", "provider": "stripe",
            "created_at": payment["created_at"],
        }  # fmt: skip
        assert payment["created_at"].endswith("Z")
        assert (refund["payment"], refund["amount_cents"]) == (receipt.payment_id, receipt.amount_cents)
        assert [body["id"] for body in copies] == [body["id"] for body in bodies]
        assert strangers.asked == []
        secrets = ("client_secret", "checkout", "cs_", "ch_", "re_")
        assert [word for word in secrets if any(word in asked_.body.decode() for asked_ in own.asked)] == []


def test_a_payment_that_failed_is_told(unpaid):
    with BadServer() as own:
        subscribed(unpaid.user, own, events=MONEY)
        payment = payment_for(unpaid)
        payment.move_to(PaymentState.FAILED)
        payment.save(update_fields=["status"])

        [body] = received(own)
        assert (body["type"], body["data"]["payment"]["status"]) == ("payment.failed", "failed")
