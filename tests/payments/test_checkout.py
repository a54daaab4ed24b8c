import pytest

from payments.models import Payment
from tests.support.payments import start

pytestmark = pytest.mark.django_db(transaction=True)


def test_starting_a_payment_opens_a_session(api, player, unpaid, double):
    answer = start(api(player), unpaid)

    session = double.state()["objects"]["checkout.session"][0]
    payment = Payment.objects.get()
    assert answer.status_code == 201
    assert answer.json()["data"] == {
        "id": payment.pk,
        "status": "pending",
        "amount_cents": 5000,
        "currency": "usd",
        "provider": "stripe",
        "provider_reference": session["id"],
        "client_secret": None,
        "checkout_url": session["url"],
    }
