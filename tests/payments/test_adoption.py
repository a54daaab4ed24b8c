"""Bringing back what the provider knows and we do not; fetching what it could not bring; ending what is for nothing."""

from datetime import timedelta

import pytest
from django.db import connection

from config import outbox
from config.clock import database_now
from entries.models import Entry
from entries.services.requests import withdraw_request
from payments.ledger.models import JournalEntry
from payments.models import Discrepancy, NoticeCursor, Payment, PaymentState, Receipt, WebhookEvent
from payments.providers import provider_named
from payments.providers.base import Origin
from payments.providers.faults import Unreachable
from payments.services import backfill
from payments.services.adoption import adopt_by_origin, adopt_session, adopt_window
from payments.services.closed_requests import end_payments
from payments.services.inbox import sweep_events
from payments.services.provider_state import Source
from tests.factories.entries import RequestFactory
from tests.support.payments import DECLINED, deliver, events, opened, started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payment(api, player, unpaid, double):
    return started(api(player), unpaid)


def forget(payment):
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM payments_payment WHERE id = %s", [payment.pk])
        cursor.execute("SET session_replication_role = origin")


def facts_of(payment):
    return provider_named("stripe").fetch(payment.provider_reference)


def lately(**how):
    now = database_now()
    window = {"since": now - timedelta(hours=1), "until": now + timedelta(minutes=5)}
    return list(adopt_window(provider="stripe", **window, source=Source.RECONCILE, **how))


class TestAdoptingASession:
    def test_an_open_one_is_the_request_s_payment_again(self, payment):
        forget(payment)

        adopted = adopt_session(provider="stripe", facts=facts_of(payment), source=Source.RECONCILE)

        again = Payment.objects.get()
        assert (again.pk, again.ref, again.status) == (payment.pk, payment.ref, PaymentState.OPEN)
        assert (again.amount_cents, again.currency, again.request_id) == (5000, "usd", payment.request_id)
        assert again.checkout_url == payment.checkout_url
        assert adopted.is_whole

    def test_twice_gives_the_same(self, payment):
        forget(payment)
        facts = facts_of(payment)

        for _ in range(2):
            adopt_session(provider="stripe", facts=facts, source=Source.RECONCILE)

        assert Payment.objects.count() == 1

    def test_a_number_that_was_given_anew_is_left_to_its_owner(self, payment, double):
        double.pay(payment.checkout_url)
        forget(payment)
        other = Payment.objects.create(
            pk=payment.pk, request=RequestFactory(approved=True), provider="stripe", amount_cents=1, currency="usd"
        )

        adopt_session(provider="stripe", facts=facts_of(payment), source=Source.RECONCILE)

        again = Payment.objects.get(ref=payment.ref)
        assert again.pk != other.pk
        assert again.status == PaymentState.SUCCEEDED

    def test_the_price_is_the_request_s_own_whatever_the_session_asked_for(self, payment, unpaid, double):
        double.pay(payment.checkout_url)
        forget(payment)
        unpaid.fee_cents = 7000
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE entries_request SET fee_cents = 7000 WHERE id = %s", [unpaid.pk])
            cursor.execute("SET session_replication_role = origin")

        adopt_session(provider="stripe", facts=facts_of(payment), source=Source.RECONCILE)

        assert Receipt.objects.get().unapplied_because == "wrong_amount"
        assert not Entry.objects.exists()

    def test_one_that_ended_without_money_leaves_nothing_to_bring_back(self, payment):
        provider_named("stripe").expire(payment.provider_reference)
        forget(payment)

        assert adopt_session(provider="stripe", facts=facts_of(payment), source=Source.RECONCILE) is None
        assert not Payment.objects.exists()
        assert not Discrepancy.objects.exists()

    def test_an_open_one_whose_request_is_gone_is_ended(self, payment, double):
        forget(payment)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM entries_request")
            cursor.execute("SET session_replication_role = origin")

        assert adopt_session(provider="stripe", facts=facts_of(payment), source=Source.RECONCILE) is None
        assert opened(double)[0]["status"] == "expired"

    def test_one_of_the_other_mode_is_told_and_left_alone(self, payment, double):
        forget(payment)
        double.fault(action="answer_livemode", method="GET", path="/v1/checkout/sessions/*")

        assert adopt_session(provider="stripe", facts=facts_of(payment), source=Source.RECONCILE) is None
        assert Discrepancy.objects.get().kind == "livemode_leak"
        assert not Payment.objects.exists()

    def test_one_of_another_environment_is_not_ours(self, payment, settings):
        forget(payment)
        settings.OUTLAST_ENV = "local"

        assert adopt_session(provider="stripe", facts=facts_of(payment), source=Source.RECONCILE) is None


class TestAdoptingAWindow:
    def test_what_is_here_is_left_alone(self, payment, double):
        double.foreign_charge(checkout=True)

        assert lately() == []
        assert not Discrepancy.objects.exists()

    def test_money_of_a_payment_that_was_given_up_is_applied(self, payment, unpaid, double):
        double.pay(payment.checkout_url)
        Payment.objects.update(status=PaymentState.CANCELLED)

        (adopted,) = lately()

        assert "was cancelled here, and paid at stripe" in adopted.sentence
        assert Entry.objects.get().request == unpaid

    def test_one_that_fails_keeps_no_other_from_its_turn(self, api, payment, double):
        other = RequestFactory(approved=True)
        second = started(api(other.user), other)
        for one in (payment, second):
            double.pay(one.checkout_url)
            forget(one)
        double.fault(
            action="error_before", method="GET", path=f"/v1/checkout/sessions/{second.provider_reference}", times=3
        )

        found = lately()

        assert sorted(one.is_whole for one in found) == [False, True]
        assert Entry.objects.count() == 1


class TestAdoptingByAMark:
    def origin(self, payment):
        return Origin(ref=str(payment.ref), env="test", request_id=payment.request_id)

    def test_the_session_is_looked_for_in_the_time_of_the_charge(self, payment, unpaid, double):
        double.pay(payment.checkout_url)
        forget(payment)
        (charge,) = double.state()["objects"]["charge"]

        assert adopt_by_origin(
            provider="stripe", origin=self.origin(payment), session="", charge=charge["id"], at=None,
            source=Source.WEBHOOK,
        )  # fmt: skip
        assert Entry.objects.get().request == unpaid

    def test_a_card_that_was_declined_brought_no_money(self, payment, double):
        double.pay(payment.checkout_url, DECLINED)
        (failed,) = double.state()["objects"]["charge"]
        mark = {"ref": "0e5e9e0c-4b1f-4f0e-8f5d-1f2f3a4b5c6d", "env": "test"}

        adopted = adopt_by_origin(
            provider="stripe", origin=Origin(**mark), session="", charge=failed["id"], at=None, source=Source.WEBHOOK
        )

        assert adopted is None
        assert not JournalEntry.objects.exists()

    @pytest.mark.parametrize("ref", ["ORDER-17", "0e5e9e0c"])
    def test_somebody_else_s_mark_is_not_ours(self, double, ref):
        double.foreign_charge(metadata={"ref": ref, "env": "test"})

        deliver(double)
        sweep_events()

        assert set(WebhookEvent.objects.values_list("ignored_because", flat=True)) <= {"foreign", "not_followed"}
        assert not JournalEntry.objects.exists()
        assert not Discrepancy.objects.exists()

    def test_money_with_our_mark_and_no_session_is_booked_and_told(self, double):
        mark = {"ref": "0e5e9e0c-4b1f-4f0e-8f5d-1f2f3a4b5c6d", "env": "test"}
        charge = double.foreign_charge(metadata=mark)["charge"]

        adopted = adopt_by_origin(
            provider="stripe", origin=Origin(**mark), session="", charge=charge, at=None, source=Source.WEBHOOK
        )

        assert adopted.is_whole is False
        assert Discrepancy.objects.get().details["charge"] == charge


class TestFetchingMissedNews:
    def test_what_could_not_be_brought_is_taken_in_once(self, payment, double, settings):
        double.control("POST", "/endpoint", url="http://127.0.0.1:9/nobody")
        double.pay(payment.checkout_url)
        double.drain()
        told = {event["id"] for event in events(double)}

        assert backfill.fetch_missed_notices() > 0
        assert backfill.fetch_missed_notices() == 0

        assert set(WebhookEvent.objects.values_list("event_id", flat=True)) <= told
        assert set(WebhookEvent.objects.values_list("deliveries", flat=True)) == {1}

    def test_a_reading_that_breaks_off_begins_at_the_same_place(self, double, settings):
        backfill.fetch_missed_notices()
        before = NoticeCursor.objects.get().at
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        with pytest.raises(Unreachable):
            backfill.fetch_missed_notices()

        assert NoticeCursor.objects.get().at == before


class TestClosedRequests:
    def test_the_session_of_a_request_that_ended_is_ended(self, payment, player, unpaid, double):
        withdraw_request(request=unpaid, by=player, now=database_now())
        outbox.drain()

        payment.refresh_from_db()
        assert payment.status == PaymentState.CANCELLED
        assert opened(double)[0]["status"] == "expired"

    def test_one_that_was_paid_a_moment_before_is_booked(self, payment, player, unpaid, double):
        double.pay(payment.checkout_url)
        withdraw_request(request=unpaid, by=player, now=database_now())

        end_payments({"request": unpaid.pk})

        assert Receipt.objects.get().unapplied_because == "withdrawn"
        assert not Entry.objects.exists()

    def test_twice_is_as_good_as_once(self, payment, player, unpaid, double):
        withdraw_request(request=unpaid, by=player, now=database_now())
        end_payments({"request": unpaid.pk})
        asked = len(double.control("GET", "/requests")["requests"])

        end_payments({"request": unpaid.pk})

        assert len(double.control("GET", "/requests")["requests"]) == asked

    def test_a_provider_that_is_away_is_asked_again_later(self, payment, player, unpaid, settings):
        withdraw_request(request=unpaid, by=player, now=database_now())
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        with pytest.raises(Unreachable):
            end_payments({"request": unpaid.pk})
