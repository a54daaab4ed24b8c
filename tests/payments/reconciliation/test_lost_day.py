"""A day on which no webhook arrived, and no sweep ran: what moved at the provider brings everything back.

The same day is lived twice. In one copy of the world every payment is told of, one by one, as news does it; in the
other nobody is told of anything, and one run of the feed follows. Entries, money and books are the same to the cent.
"""

import time
from collections import Counter

import pytest
from django.db.models import Count, Sum

from entries.models import Entry, Request
from payments.ledger.models import Posting
from payments.models import Discrepancy, Dispute, Movement, Payment, Receipt, Refund, WebhookEvent
from payments.services.charge_state import apply_charge_state
from payments.services.checkout import start_payment
from payments.services.provider_state import Source, apply_provider_state
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.copies import copy_of_the_database
from tests.support.payments import DECLINED
from tests.support.reconciling import deep, feed, is_quiet

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_once")]

POOLS = 3
# Of each forty payments: what became of some of them. The others were paid, and that was all.
FATES = {5: "never paid", 11: "declined", 17: "refunded past us", 23: "partly refunded past us", 29: "disputed"}


def live_through(double, payments):
    """The day: players pay, or do not; some money goes back past us, and some is disputed."""
    pools = PoolFactory.create_batch(POOLS, capacity=None)
    happened = Counter()
    for number in range(payments):
        request = RequestFactory(approved=True, pool=pools[number % POOLS])
        payment = start_payment(request_id=request.pk, user=request.user)
        fate = FATES.get(number % 40, "paid")
        happened[fate] += 1
        if fate == "never paid":
            continue
        status, _ = double.pay(payment.checkout_url, DECLINED if fate == "declined" else "4242424242424242")
        assert (status == 200) is (fate != "declined")
        session = payment.provider_reference
        if fate == "refunded past us":
            double.dashboard_refund(session=session)
        elif fate == "partly refunded past us":
            double.dashboard_refund(1500, session=session)
        elif fate == "disputed":
            double.dispute(session=session)
    return happened


def be_told_of_everything():
    """What the day's news would have done."""
    for payment_id in Payment.objects.values_list("pk", flat=True):
        apply_provider_state(payment_id=payment_id, source=Source.WEBHOOK)
    for receipt_id in Receipt.objects.values_list("pk", flat=True):
        apply_charge_state(receipt_id=receipt_id, source=Source.WEBHOOK)


def world():
    """Entries, money and books, by the names that the provider and the requests give them."""
    books = ("account__kind", "account__pool", "account__player", "currency")
    events = ("journal_entry__source_type", "journal_entry__event", "account__kind")
    return {
        "entries": sorted(Entry.objects.values_list("request_id", "status", "user_id", "pool_id")),
        "requests": sorted(
            Request.objects.filter(payments__receipts__isnull=False).values_list("pk", "status", "payment_status")
        ),
        "receipts": sorted(
            Receipt.objects.values_list(
                "charge_id", "payment_id", "payment__status", "status", "amount_cents", "currency", "entry__request_id",
                "is_fee_known",
            )
        ),
        "refunds": sorted(Refund.objects.values_list("provider_reference", "status", "origin", "amount_cents")),
        "disputes": sorted(Dispute.objects.values_list("provider_reference", "status", "receipt__charge_id")),
        "movements": sorted(Movement.objects.values_list("reference", "kind", "amount_cents", "fee_cents")),
        "books": _summed(books),
        "events": _summed(events),
    }  # fmt: skip


def _summed(names):
    return sorted(Posting.objects.values_list(*names).annotate(Count("id"), Sum("amount")).order_by(), key=str)


def check_a_lost_day(double, payments):
    happened = live_through(double, payments)
    with copy_of_the_database():
        be_told_of_everything()
        expected = world()
    assert Receipt.objects.count() == 0

    began = time.monotonic()
    run = feed()
    seconds = time.monotonic() - began

    found = world()
    assert {what: (found[what], expected[what]) for what in expected if found[what] != expected[what]} == {}
    assert WebhookEvent.objects.count() == 0
    paid = payments - happened["never paid"] - happened["declined"]
    assert (len(found["receipts"]), run.healed["status_mismatch"], run.stopped_healing) == (paid, paid, {})
    usd, truth = run.totals["usd"], double.books()["currencies"]["usd"]
    assert [usd[what]["ours"] for what in usd] == [usd[what]["theirs"] for what in usd]
    assert usd["matched"]["ours"] == [truth["count"], truth["net"]]
    # What is left is what a person has to say anything about.
    kinds = Counter(Discrepancy.objects.exclude(status="resolved").values_list("kind", flat=True))
    back = happened["refunded past us"] + happened["partly refunded past us"]
    assert kinds == +Counter(external_refund=back, dispute_deadline=happened["disputed"])
    assert is_quiet(feed())
    assert is_quiet(deep())
    return seconds


@pytest.mark.slow
def test_a_day_of_forty_payments_is_restored_by_the_feed_alone(double):
    check_a_lost_day(double, 40)


@pytest.mark.slow
@pytest.mark.longest
def test_a_day_of_two_thousand_payments_is_restored_by_the_feed_alone(double):
    seconds = check_a_lost_day(double, 2000)

    print(f"2,000 payments restored in {seconds:.0f} s")
