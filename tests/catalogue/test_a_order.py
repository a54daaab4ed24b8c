"""A. Case 8: in whatever order the news of one story comes, and however often, it ends the same."""

import os
import random

import pytest

from config.clock import database_now
from entries.models import Entry, Request
from payments.models import Dispute, Payment, PaymentState, Receipt, Refund, WebhookEvent
from payments.services.inbox import process_event
from tests.factories.entries import RequestFactory
from tests.support.charging import balances
from tests.support.payments import DECLINED, events, post_event, started
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

SEED = os.environ.get("OUTLAST_PROPERTY_SEED", "0")
SHUFFLED = 2
HOUR = 60 * 60


def paid(double, session):
    double.pay(session["url"])


def declined_then_paid(double, session):
    double.pay(session["url"], DECLINED)
    double.pay(session["url"])


def expired(double, session):
    double.pay(session["url"], DECLINED)
    double.control("POST", "/clock", advance=25 * HOUR)


def partly_refunded(double, session):
    double.pay(session["url"])
    double.dashboard_refund(2000, session=session["id"])


def refunded_and_returned(double, session):
    double.pay(session["url"])
    refund = double.dashboard_refund(session=session["id"])
    double.move_refund(refund["id"], "failed", failure_reason="expired_or_canceled_card")


def disputed_and_won(double, session):
    double.pay(session["url"])
    dispute = double.dispute(session=session["id"])
    double.move_dispute(dispute["id"], "won")


def disputed_and_lost(double, session):
    double.pay(session["url"])
    dispute = double.dispute(session=session["id"])
    double.move_dispute(dispute["id"], "lost")


PLOTS = [
    paid, declined_then_paid, expired, partly_refunded, refunded_and_returned, disputed_and_won, disputed_and_lost,
]  # fmt: skip


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.__name__)
def test_08_the_order_of_the_news_does_not_matter(api, double, plot):
    rng = random.Random(f"{SEED} {plot.__name__}")

    in_order = end_of(api, double, plot, list)
    backwards = end_of(api, double, plot, lambda told: told[::-1])
    shuffled = [end_of(api, double, plot, lambda told: rng.sample(told, len(told))) for _ in range(SHUFFLED)]
    repeated = end_of(api, double, plot, lambda told: rng.choices(told, k=len(told)) + told[::-1])

    assert [backwards, *shuffled, repeated] == [in_order] * (SHUFFLED + 2)


def test_08_news_of_one_story_all_at_once_ends_the_same(api, double):
    in_order = end_of(api, double, partly_refunded, list)

    request, told = tell(api, double, partly_refunded)
    before = balances()
    rows = [take_in(event) for event in told]
    outcomes = run_together([lambda pk=pk: process_event(event_id=pk) for pk in rows])
    while waiting := list(WebhookEvent.objects.filter(status="received").values_list("pk", flat=True)):
        WebhookEvent.objects.update(due_at=database_now())
        for pk in waiting:
            process_event(event_id=pk)

    assert [one.error for one in outcomes] == [None] * len(rows)
    assert standing(request, before) == in_order


def tell(api, double, plot):
    """A story of its own, and what the provider has to say of it."""
    request = RequestFactory(approved=True)
    payment = started(api(request.user), request)
    known = len(events(double))
    plot(double, {"id": payment.provider_reference, "url": payment.checkout_url})
    return request, events(double)[known:]


def end_of(api, double, plot, order):
    """How the story ends when its news comes in this order."""
    request, told = tell(api, double, plot)
    before = balances()
    assert len(told) > 1 or plot is expired
    for event in order(told):
        process_event(event_id=take_in(event))
    assert not WebhookEvent.objects.filter(status__in=("received", "dead")).exists(), list(
        WebhookEvent.objects.exclude(error="").values_list("event_type", "error")
    )
    return standing(request, before)


def take_in(event):
    assert post_event(event).status_code == 200
    return WebhookEvent.objects.get(event_id=event["id"]).pk


def standing(request, before):
    """Everything that a story leaves, but names and instants."""
    request = Request.objects.get(pk=request.pk)
    assert Payment.objects.get(request=request).status in PaymentState.values
    of_receipt = {"receipt__payment__request": request}
    after = balances()
    moved = {kind: after.get(kind, 0) - before.get(kind, 0) for kind in {*after, *before}}
    return {
        "request": (request.status, request.payment_status),
        "payment": Payment.objects.get(request=request).status,
        "entry": sorted(Entry.objects.filter(request=request).values_list("status", flat=True)),
        "receipts": sorted(
            Receipt.objects.filter(payment__request=request).values_list("status", "amount_cents", "unapplied_because")
        ),
        "refunds": sorted(
            Refund.objects.filter(**of_receipt).values_list("status", "origin", "taken_from", "amount_cents", "is_paid")
        ),
        "disputes": sorted(Dispute.objects.filter(**of_receipt).values_list("status", "amount_cents", "borne_by")),
        "books": {kind: cents for kind, cents in moved.items() if cents},
    }
