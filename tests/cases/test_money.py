"""Case 18: news of money, however it comes: no second entry, and no money lost. The double stands in for Stripe."""

import pytest

from entries.models import Entry
from payments.models import Payment, PaymentState, Receipt, WebhookEvent
from payments.services.inbox import process_event, sweep_events
from pools.models import Pool, PoolStatus
from tests.support.payments import (
    SESSIONS,
    code_of,
    deliver,
    events,
    opened,
    paid_behind_our_back,
    post_event,
    start,
    started,
)
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)
PAID = "checkout.session.completed"


@pytest.fixture
def paid(api, player, unpaid, double) -> Payment:
    """Paid on the hosted page; nobody has told us yet."""
    payment = started(api(player), unpaid)
    assert double.pay(payment.checkout_url)[0] == 200
    return payment


def news_arrives(double, **how) -> None:
    """Everything that the provider has to say, and it is looked into."""
    deliver(double, **how)
    sweep_events()


def places_and_money(double) -> tuple[int, list[str]]:
    """How many entries there are, and what became of the money; every cent the provider has is booked once."""
    charges = {charge["id"]: charge for charge in double.state()["objects"].get("charge", [])}
    booked = {receipt.charge_id: receipt for receipt in Receipt.objects.all()}
    assert len(booked) == Receipt.objects.count()
    assert {key: (one["amount"], one["currency"]) for key, one in charges.items()} == {
        key: (one.amount_cents, one.currency) for key, one in booked.items()
    }
    return Entry.objects.count(), sorted(one.unapplied_because or one.status for one in booked.values())


def test_case_18_the_same_webhook_twice(paid, unpaid, double):
    """The same webhook twice: defined, tested, no second entry, no lost money."""
    news_arrives(double)
    assert places_and_money(double) == (1, ["allocated"])

    news_arrives(double)

    assert places_and_money(double) == (1, ["allocated"])
    assert Entry.objects.get().request == unpaid
    assert set(WebhookEvent.objects.values_list("deliveries", flat=True)) == {2}


@pytest.mark.parametrize("repetition", range(3))
def test_case_18_the_same_webhook_twice_at_once(paid, double, repetition):
    """or twice at once: no second entry, no lost money."""
    (event,) = events(double, PAID)

    def arrive() -> int:
        answer = post_event(event)
        process_event(event_id=WebhookEvent.objects.values_list("pk", flat=True).get())
        return answer.status_code

    arrivals = run_together([arrive] * 8)

    assert [outcome.value for outcome in arrivals] == [200] * 8
    sweep_events()
    assert places_and_money(double) == (1, ["allocated"])


def test_case_18_the_webhook_before_the_apis_own_answer(api, player, unpaid, double):
    """or before the API's own answer: no second entry, no lost money."""
    double.fault(action="drop_after", method="POST", path=SESSIONS, times=None)
    double.fault(action="drop_before", method="GET", path=f"{SESSIONS}*", times=None)
    assert code_of(start(api(player), unpaid)) == (502, "PROVIDER_ERROR")
    assert Payment.objects.get().provider_reference == ""
    double.control("DELETE", "/faults")

    (session,) = opened(double)
    assert double.pay(session["url"])[0] == 200
    news_arrives(double)

    assert places_and_money(double) == (1, ["allocated"])
    assert (Payment.objects.get().provider_reference, Payment.objects.get().status) == (
        session["id"], PaymentState.SUCCEEDED,
    )  # fmt: skip
    assert code_of(start(api(player), unpaid, key="key-2")) == (409, "ALREADY_PAID")
    assert len(opened(double)) == 1


@pytest.mark.parametrize("status", [PoolStatus.CANCELLED, PoolStatus.FINISHED])
def test_case_18_for_a_pool_that_closed_meanwhile(paid, unpaid, double, status):
    """or for a pool that closed meanwhile: no entry, no lost money."""
    Pool.objects.filter(pk=unpaid.pool_id).update(status=status)

    news_arrives(double)
    news_arrives(double)

    assert places_and_money(double) == (0, ["pool_closed"])


@pytest.mark.parametrize(
    ("asked", "because"),
    [
        ({"asked_cents": 4999}, "wrong_amount"),
        ({"asked_cents": 5001}, "wrong_amount"),
        ({"asked_currency": "eur"}, "wrong_currency"),
    ],
    ids=["too little", "too much", "euros"],
)
def test_case_18_with_another_amount_or_currency(unpaid, double, asked, because):
    """or with another amount or currency: no entry, no lost money."""
    paid_behind_our_back(unpaid, double, **asked)

    news_arrives(double)
    news_arrives(double)

    assert places_and_money(double) == (0, [because])


def test_case_18_a_second_payment_for_the_same_place_is_kept_and_buys_nothing(paid, unpaid, double):
    """no second entry, no lost money."""
    paid_behind_our_back(unpaid, double)

    news_arrives(double)

    assert places_and_money(double) == (1, ["allocated", "duplicate"])
