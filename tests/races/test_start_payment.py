"""One request, many clicks, one session."""

import pytest

from payments.models import Payment
from tests.support.payments import start
from tests.support.threads import run_together

CLICKS = 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("repetition", range(20))
def test_many_clicks_at_once_open_one_session(api, player, unpaid, double, repetition):
    calls = [lambda n=n: start(api(player), unpaid, key=f"key-{n}") for n in range(CLICKS)]

    outcomes = run_together(calls)

    assert [outcome.error for outcome in outcomes] == [None] * CLICKS
    answers = [outcome.value for outcome in outcomes]
    assert [answer.status_code for answer in answers] == [201] * CLICKS
    assert len({answer.json()["data"]["checkout_url"] for answer in answers}) == 1
    assert Payment.objects.count() == 1
    assert len(double.state()["objects"]["checkout.session"]) == 1
