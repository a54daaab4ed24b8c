"""A. How news comes: twice, at once, early, never, in disorder, and after a night without a database."""

from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import F

from config.clock import database_now
from config.models import OutboxMessage
from entries.models import Entry
from payments import tasks
from payments.models import Discrepancy, NoticeCursor, Payment, PaymentState, Receipt, WebhookEvent
from payments.providers.stripe.provider import StripeProvider
from payments.services.inbox import process_event, sweep_events
from payments.services.provider_state import RECEIPTS
from tests.catalogue.conftest import THIN_SECRET
from tests.support.payments import opened, post_event, start, started
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

PAID = "checkout.session.completed"
DAY = 24 * 60 * 60


def pay(double, payment):
    """The player pays; the double's news has come, or was tried."""
    assert double.pay(payment.checkout_url)[0] == 200
    assert double.drain()


def event_of(double, type=PAID):
    (found,) = [one for one in double.state()["objects"]["event"] if one["type"] == type]
    return found


def booked():
    """How often the money was booked, became an entry, and was mailed about."""
    mails = OutboxMessage.objects.filter(kind="mail.payment_received")
    return Receipt.objects.count(), Entry.objects.count(), mails.count()


def statuses():
    return set(WebhookEvent.objects.values_list("status", flat=True))


def test_01_same_event_twice_in_a_row_is_one_row_one_receipt_one_entry_one_mail(wired, payment):
    pay(wired, payment)
    sweep_events()

    again = wired.control("POST", "/webhooks/resend", event=event_of(wired)["id"])["released"]
    sweep_events()

    assert [one["status"] for one in again] == [200]
    assert WebhookEvent.objects.get(event_type=PAID).deliveries == 2
    assert booked() == (1, 1, 1)


def test_02_same_event_twice_at_once_is_taken_once_and_refused_to_nobody(double, api, player, unpaid, live_server):
    paid = started(api(player), unpaid)
    double.pay(paid.checkout_url)
    event = event_of(double)

    def arrive():
        answer = post_event(event)
        process_event(event_id=WebhookEvent.objects.get().pk)
        return answer.status_code

    outcomes = run_together([arrive] * 10)

    assert [(one.value, one.error) for one in outcomes] == [(200, None)] * 10
    assert WebhookEvent.objects.get().deliveries == 10
    sweep_events()
    assert booked() == (1, 1, 1)


def test_03_different_events_of_one_fact_are_one_receipt(wired, payment):
    pay(wired, payment)
    assert {PAID, "payment_intent.succeeded", "charge.succeeded"} <= set(
        WebhookEvent.objects.values_list("event_type", flat=True)
    )

    rows = list(WebhookEvent.objects.values_list("pk", flat=True))
    run_together([lambda pk=pk: process_event(event_id=pk) for pk in rows])
    sweep_events()

    assert booked() == (1, 1, 1)


def test_03_a_thin_event_and_its_snapshot_are_one_piece_of_news(wired, payment):
    wired.thin(THIN_SECRET, style="both")
    pay(wired, payment)
    assert WebhookEvent.objects.filter(event_type=f"v1.{PAID}").exists()

    sweep_events()

    assert booked() == (1, 1, 1)
    thin = WebhookEvent.objects.get(event_type=f"v1.{PAID}")
    snapshot = WebhookEvent.objects.get(event_id=thin.snapshot_event_id)
    assert sorted([(thin.status, thin.ignored_because), (snapshot.status, snapshot.ignored_because)]) == [
        ("ignored", "twin"),
        ("processed", ""),
    ]


def test_03_thin_events_alone_are_enough(wired, payment):
    wired.thin(THIN_SECRET, style="thin")
    pay(wired, payment)

    sweep_events()

    assert booked() == (1, 1, 1)


def test_04_news_before_our_answer_was_stored_finds_the_committed_intent(wired, api, player, unpaid):
    # As often as our client tries.
    wired.fault(action="drop_after", method="POST", path="/v1/checkout/sessions", times=3)
    assert start(api(player), unpaid).status_code == 502
    payment = Payment.objects.get()
    assert (payment.status, payment.provider_reference) == (PaymentState.UNKNOWN, "")
    (session,) = opened(wired)

    assert wired.pay(session["url"])[0] == 200
    assert wired.drain()
    sweep_events()

    payment.refresh_from_db()
    assert (payment.status, payment.provider_reference) == (PaymentState.SUCCEEDED, session["id"])
    assert booked() == (1, 1, 1)


def test_05_news_while_the_session_is_being_opened_finds_the_committed_intent(wired, api, player, unpaid, monkeypatch):
    """The player, the webhook and the worker are all done before the answer to our own call is read."""
    create = StripeProvider.create_session

    def paid_before_the_answer(self, order):
        facts = create(self, order)
        wired.pay(facts.url)
        assert wired.drain()
        (worked,) = run_together([sweep_events])
        assert worked.value
        assert booked() == (1, 1, 1)
        return facts

    monkeypatch.setattr(StripeProvider, "create_session", paid_before_the_answer)
    answer = start(api(player), unpaid)

    assert answer.status_code < 500, answer.content
    assert Payment.objects.get().status == PaymentState.SUCCEEDED
    assert booked() == (1, 1, 1)


def test_06_news_lost_for_ever_is_found_by_the_sweep_and_counted(wired, payment):
    wired.fault(action="lose", times=None)
    counted = RECEIPTS.labels("allocated", "sweep")
    before = counted._value.get()
    pay(wired, payment)
    assert not WebhookEvent.objects.exists()

    Payment.objects.update(checked_at=F("checked_at") - timedelta(minutes=3))
    tasks.sweep_payments()

    assert booked() == (1, 1, 1)
    assert Receipt.objects.get().source == "sweep"
    assert counted._value.get() == before + 1


def test_07_news_that_was_never_made_is_admitted_told_and_made_up_for_at_once(wired, payment):
    wired.thin(THIN_SECRET, style="thin")
    wired.fault(action="suppress", times=None)
    pay(wired, payment)
    assert not WebhookEvent.objects.exists()
    wired.control("DELETE", "/faults")

    wired.admit_missed(PAID, payment.provider_reference)
    assert wired.drain()
    sweep_events()

    assert booked() == (1, 1, 1)
    assert Discrepancy.objects.get(kind="events_lost").status == "open"


def test_10_a_signature_that_is_not_of_now_is_refused(wired, payment):
    for age in (310, -310):
        wired.control("POST", "/endpoint", signature_age=age)
        wired.announce("charge.updated", payment.provider_reference)
        assert wired.drain()
    wired.control("POST", "/endpoint", signature_age=0)

    assert not WebhookEvent.objects.exists()
    assert [one["attempts"][0]["status"] for one in wired.control("GET", "/webhooks")["deliveries"]] == [400, 400]


def test_11_an_old_event_signed_anew_is_taken_and_changes_nothing(wired, payment):
    pay(wired, payment)
    sweep_events()
    wired.advance(20 * DAY)

    for event in list(WebhookEvent.objects.values_list("event_id", flat=True)):
        (sent,) = wired.control("POST", "/webhooks/resend", event=event)["released"]
        assert sent["status"] == 200
    sweep_events()

    assert booked() == (1, 1, 1)
    assert statuses() <= {"processed", "ignored"}


def test_18_after_three_days_without_an_endpoint_nobody_has_to_do_anything(wired, payment, another):
    tasks.fetch_missed_webhooks()
    wired.control("POST", "/endpoint", enabled=False)
    others = [another() for _ in range(2)]
    for one in (payment, *others):
        pay(wired, one)
    wired.advance(3 * DAY)
    assert not WebhookEvent.objects.exists()
    wired.control("POST", "/endpoint", enabled=True)
    Payment.objects.update(checked_at=database_now())

    found = tasks.fetch_missed_webhooks()
    tasks.sweep_webhooks()

    assert found == WebhookEvent.objects.count() > 3
    assert booked() == (3, 3, 3)
    assert set(Receipt.objects.values_list("source", flat=True)) == {"webhook"}
    assert not Discrepancy.objects.exists()
    # Read again from where it ended: nothing is counted twice.
    assert NoticeCursor.objects.get().provider == "stripe"
    assert tasks.fetch_missed_webhooks() == 0
    assert set(WebhookEvent.objects.values_list("deliveries", flat=True)) == {1}


def test_20_without_a_database_the_provider_is_told_to_come_again_and_does(wired, payment, monkeypatch):
    known = dict(connections.settings["default"])
    # Every connection made from now on; the one of this test goes on.
    monkeypatch.setitem(connections.settings["default"], "HOST", "127.0.0.1")
    monkeypatch.setitem(connections.settings["default"], "PORT", "9")
    assert wired.pay(payment.checkout_url)[0] == 200
    assert wired.drain()
    answered = [one["attempts"][0]["status"] for one in wired.control("GET", "/webhooks")["deliveries"]]
    monkeypatch.setitem(connections.settings["default"], "HOST", known["HOST"])
    monkeypatch.setitem(connections.settings["default"], "PORT", known["PORT"])

    assert set(answered) == {500}
    assert not WebhookEvent.objects.exists()
    wired.advance(5)
    assert wired.drain()
    sweep_events()
    assert booked() == (1, 1, 1)
