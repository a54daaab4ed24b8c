"""Looking into the provider's news: which payment it is about, whose it is, and what a bad event does to the others."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from config.clock import database_now
from entries.models import Entry
from payments import tasks
from payments.models import Payment, PaymentState, Receipt, WebhookEvent
from payments.services.inbox import process_event, retry_event, sweep_events, working
from tests.factories.entries import RequestFactory
from tests.factories.payments import payment_for
from tests.support.payments import deliver, events, post_event, started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payment(api, player, unpaid, double):
    return started(api(player), unpaid)


@pytest.fixture
def paid(payment, double):
    assert double.pay(payment.checkout_url)[0] == 200
    return payment


def outcome_of(event):
    """Take the event in and look into it: status and reason."""
    assert post_event(event).status_code == 200
    sweep_events()
    row = WebhookEvent.objects.get(event_id=event["id"])
    return row.status, row.ignored_because


def due_now():
    WebhookEvent.objects.update(due_at=database_now() - timedelta(seconds=1))


class TestFollowing:
    def test_a_paid_session_becomes_an_entry(self, paid, unpaid, double):
        assert outcome_of(events(double, "checkout.session.completed")[0]) == ("processed", "")

        assert Entry.objects.get().request == unpaid
        assert Receipt.objects.get().source == "webhook"

    @pytest.mark.parametrize("type", ["checkout.session.completed", "payment_intent.succeeded", "charge.succeeded"])
    def test_each_kind_of_news_alone_is_enough(self, paid, unpaid, double, type):
        assert outcome_of(events(double, type)[0]) == ("processed", "")

        assert Entry.objects.get().request == unpaid

    def test_all_of_them_together_are_one_entry(self, paid, double):
        deliver(double)
        deliver(double)
        sweep_events()

        assert Entry.objects.count() == Receipt.objects.count() == 1
        assert set(WebhookEvent.objects.values_list("deliveries", flat=True)) == {2}

    @pytest.mark.parametrize("type", ["checkout.session.completed", "payment_intent.succeeded", "charge.succeeded"])
    def test_news_may_come_before_our_own_answer_was_stored(self, paid, unpaid, double, type):
        Payment.objects.update(provider_reference="", checkout_url="")
        connection_forgets_status(paid)

        assert outcome_of(events(double, type)[0]) == ("processed", "")

        assert Entry.objects.get().request == unpaid
        assert Payment.objects.get().provider_reference == paid.provider_reference

    def test_what_the_event_claims_is_not_believed(self, payment, double):
        forged = events_like_paid(payment)

        assert outcome_of(forged) == ("processed", "")
        assert Payment.objects.get().status == PaymentState.OPEN
        assert not Receipt.objects.exists()

    def test_the_session_s_name_finds_it_where_our_own_is_missing(self, paid, unpaid, double):
        (event,) = events(double, "checkout.session.completed")
        event["data"]["object"]["metadata"] = {}
        event["data"]["object"]["client_reference_id"] = None

        assert outcome_of(event) == ("processed", "")
        assert Entry.objects.get().request == unpaid

    def test_the_task_looks_into_one(self, paid, double):
        deliver(double)
        (event_id,) = WebhookEvent.objects.filter(event_type="charge.succeeded").values_list("pk", flat=True)

        assert tasks.process_webhook(event_id) is True
        assert tasks.process_webhook(event_id) is False
        assert Entry.objects.count() == 1

    def test_the_sweep_looks_into_what_no_hint_came_for(self, paid, double):
        deliver(double)

        assert tasks.sweep_webhooks() == len(events(double))
        assert tasks.sweep_webhooks() == 0
        assert Entry.objects.count() == 1


class TestIgnoring:
    def test_news_of_the_other_mode(self, paid, double):
        (event,) = events(double, "checkout.session.completed")

        assert outcome_of({**event, "livemode": True}) == ("ignored", "livemode")
        assert not Receipt.objects.exists()

    def test_news_of_another_environment(self, paid, double):
        (event,) = events(double, "checkout.session.completed")
        event["data"]["object"]["metadata"]["env"] = "staging"

        assert outcome_of(event) == ("ignored", "other_environment")
        assert not Receipt.objects.exists()

    def test_news_of_another_product_on_the_account(self, double):
        assert outcome_of(event_about({"id": "cs_test_of_others"})) == ("ignored", "foreign")

    def test_news_with_our_mark_about_a_payment_that_is_not_here(self, double):
        ours = {"id": "cs_test_1", "metadata": {"ref": "0e5e9e0c-4b1f-4f0e-8f5d-1f2f3a4b5c6d", "env": "test"}}

        assert outcome_of(event_about(ours)) == ("ignored", "missing_here")

    @pytest.mark.parametrize("type", ["balance.available", "customer.created", "something.new", "v1.something.new"])
    def test_news_of_a_kind_that_changes_nothing_here(self, double, type):
        assert outcome_of(event_about({"id": "x_1"}, type=type)) == ("ignored", "not_followed")

    @pytest.mark.parametrize("subject", [None, [], "text", {"metadata": []}, {"metadata": {"ref": 7}}, {"id": 7}])
    def test_news_of_an_odd_shape(self, double, subject):
        assert outcome_of(event_about(subject))[0] == "ignored"


class TestBadEvents:
    def test_a_failure_is_tried_again_later_and_keeps_its_error(self, paid, double, settings):
        deliver(double, "charge.succeeded")
        address, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"

        sweep_events()

        event = WebhookEvent.objects.get()
        assert (event.status, event.attempts) == ("received", 1)
        assert event.error.startswith("Unreachable")
        assert event.due_at > database_now()
        settings.STRIPE_API_BASE = address
        due_now()
        sweep_events()
        event.refresh_from_db()
        assert (event.status, event.attempts, event.error) == ("processed", 2, "")
        assert Entry.objects.count() == 1

    @pytest.mark.slow
    def test_the_pause_grows(self, payment, double, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        post_event(event_about({"metadata": {"ref": str(payment.ref), "env": "test"}}))
        pauses = []
        for _ in range(3):
            due_now()
            before = database_now()
            sweep_events()
            pauses.append((WebhookEvent.objects.get().due_at - before).total_seconds())

        assert [round(pause / 5) for pause in pauses] == [1, 4, 16]

    @pytest.mark.slow
    def test_after_ten_tries_it_is_given_up_and_can_be_given_another_chance(self, paid, double, settings):
        deliver(double, "charge.succeeded")
        address, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
        for _ in range(12):
            due_now()
            sweep_events()
        event = WebhookEvent.objects.get()
        assert (event.status, event.attempts) == ("dead", 10)

        settings.STRIPE_API_BASE = address
        assert retry_event(event_id=event.pk) is True
        assert process_event(event_id=event.pk) is True
        assert retry_event(event_id=event.pk) is False
        assert Entry.objects.count() == 1

    def test_a_poisoned_event_does_not_stop_the_others(self, paid, unpaid, double):
        unknown_there = payment_for(RequestFactory(approved=True), provider_reference="cs_test_unknown")
        post_event(event_about({"metadata": {"ref": str(unknown_there.ref), "env": "test"}}))
        deliver(double)

        sweep_events()

        poison = WebhookEvent.objects.get(event_id="evt_made_up")
        assert (poison.status, poison.error) == (
            "received",
            "NotThere: InvalidRequestError 404 resource_missing",
        )
        assert Entry.objects.get().request == unpaid

    def test_an_event_whose_workers_all_died_is_given_up(self, paid, double):
        deliver(double, "charge.succeeded")
        WebhookEvent.objects.update(attempts=10)

        sweep_events()

        assert WebhookEvent.objects.get().status == "dead"

    def test_an_event_that_somebody_holds_is_left_to_him_for_a_while(self, paid, double):
        deliver(double, "charge.succeeded")
        (event,) = working._claim()

        assert sweep_events() == 0
        held = timedelta(seconds=working.LEASE_SECONDS)
        WebhookEvent.objects.filter(pk=event.pk).update(leased_until=F("leased_until") - held)
        assert sweep_events() == 1


def event_about(subject, *, type="checkout.session.completed"):
    return {"id": "evt_made_up", "object": "event", "type": type, "livemode": False, "data": {"object": subject}}


def events_like_paid(payment):
    """An event that claims a payment nobody made."""
    session = {
        "id": payment.provider_reference,
        "object": "checkout.session",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": payment.amount_cents,
        "client_reference_id": str(payment.ref),
        "metadata": {"ref": str(payment.ref), "env": "test"},
    }
    return event_about(session)


def connection_forgets_status(payment):
    """Back to the intent, as it was committed before the provider was asked; the status map knows no such way."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE payments_payment SET status = 'intent' WHERE id = %s", [payment.pk])
        cursor.execute("SET session_replication_role = origin")
