"""Starting a payment, with everything that can go wrong on the way to the provider and back."""

import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from entries.models import Entry, PaymentStatus, RequestStatus
from payments.models import Payment, PaymentChange, PaymentState, Receipt
from payments.providers.faults import Busy
from payments.services import checkout, sessions
from payments.services.checkout import start_payment
from payments.services.inbox import sweep_events
from pools.models import PoolStatus
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.payments import DECLINED, SESSIONS, code_of, deliver, opened, payment_left_behind, start, started
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)


class TestStarting:
    def test_it_opens_a_session_and_answers_as_the_contract_says(self, api, player, unpaid, double):
        answer = start(api(player), unpaid)

        (session,) = opened(double)
        payment = Payment.objects.get()
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"/api/v1/payments/{payment.pk}"
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

    def test_the_session_is_asked_for_with_the_snapshot_and_our_names(self, api, player, unpaid, double, settings):
        unpaid.pool.entry_fee_cents = 9900
        unpaid.pool.save(update_fields=["entry_fee_cents"])

        payment = started(api(player), unpaid)

        (session,) = opened(double)
        assert (session["amount_total"], session["currency"]) == (5000, "usd")
        assert session["client_reference_id"] == str(payment.ref)
        assert session["metadata"] == {
            "ref": str(payment.ref),
            "kind": "entry_fee",
            "payment": str(payment.pk),
            "request": str(unpaid.pk),
            "pool": str(unpaid.pool_id),
            "env": "test",
        }
        assert session["customer_email"] == player.email
        assert session["adaptive_pricing"] == {"enabled": False}
        assert session["allowed_payment_method_types"] == ["card", "link"]
        assert session["success_url"] == f"{settings.PUBLIC_URL}/payments/return?session_id={{CHECKOUT_SESSION_ID}}"
        assert session["cancel_url"] == f"{settings.PUBLIC_URL}/payments/return?ref={payment.ref}"

    def test_the_call_carries_our_key_and_the_pinned_version(self, api, player, unpaid, double):
        payment = started(api(player), unpaid)

        asked = double.control("GET", "/requests")["requests"]
        assert [(one["idempotency_key"], one["stripe_version"]) for one in asked if one["path"] == SESSIONS] == [
            (f"checkout:{payment.ref}:1", "2026-10-28.endive")
        ]

    def test_the_session_ends_with_the_time_to_pay(self, api, player, double):
        in_45_minutes = database_now() + timedelta(minutes=45)
        request = RequestFactory(approved=True, user=player, pay_by=in_45_minutes)

        payment = started(api(player), request)

        assert payment.expires_at == in_45_minutes.replace(microsecond=0)

    def test_the_session_lives_as_long_as_stripe_wants_when_the_time_to_pay_is_nearly_over(self, api, player, double):
        request = RequestFactory(approved=True, user=player, pay_by=database_now() + timedelta(minutes=1))

        payment = started(api(player), request)

        assert timedelta(minutes=31) < payment.expires_at - database_now() <= sessions.SHORTEST

    def test_every_step_is_recorded_with_who_and_why(self, api, player, unpaid, double):
        payment = started(api(player), unpaid)

        steps = PaymentChange.objects.filter(subject_id=payment.pk).values_list("from_status", "to_status", "actor_id")
        assert list(steps) == [("", "intent", player.pk), ("intent", "open", None)]


class TestRefusals:
    def test_without_a_key_it_is_refused(self, api, player, unpaid, double):
        answer = api(player).post(f"/api/v1/requests/{unpaid.pk}/payment")

        assert code_of(answer) == (400, "IDEMPOTENCY_KEY_REQUIRED")
        assert not Payment.objects.exists()

    def test_a_stranger_and_staff_get_404(self, api, stranger, moderator, finance, admin_user, unpaid, double):
        for user in (stranger, moderator, finance, admin_user):
            assert code_of(start(api(user), unpaid)) == (404, "NOT_FOUND")

    def test_nobody_signed_in_gets_401(self, api, unpaid, double):
        assert code_of(start(api(), unpaid)) == (401, "NOT_AUTHENTICATED")

    @pytest.mark.parametrize("status", [RequestStatus.PENDING, RequestStatus.REJECTED, RequestStatus.WITHDRAWN])
    def test_a_request_that_is_not_approved_owes_nothing(self, api, player, double, status):
        request = RequestFactory(user=player, status=status)

        assert code_of(start(api(player), request)) == (422, "PAYMENT_NOT_DUE")

    def test_an_expired_request_owes_nothing(self, api, player, double):
        request = RequestFactory(approved=True, user=player, status=RequestStatus.EXPIRED, payment_status="not_due")

        assert code_of(start(api(player), request)) == (422, "PAYMENT_NOT_DUE")

    def test_after_the_time_to_pay_it_is_too_late(self, api, player, double):
        request = RequestFactory(approved=True, user=player, pay_by=database_now() - timedelta(seconds=1))

        assert code_of(start(api(player), request)) == (422, "PAYMENT_NOT_DUE")

    def test_a_free_place_costs_nothing(self, api, player, double):
        request = RequestFactory(approved=True, user=player, pool=PoolFactory(entry_fee_cents=0))

        assert code_of(start(api(player), request)) == (422, "PAYMENT_NOT_DUE")

    def test_money_given_back_is_not_asked_for_again(self, api, player, double):
        request = RequestFactory(approved=True, user=player, payment_status=PaymentStatus.REFUNDED)

        assert code_of(start(api(player), request)) == (422, "PAYMENT_NOT_DUE")

    @pytest.mark.parametrize("status", [PoolStatus.FINISHED, PoolStatus.CANCELLED])
    def test_a_pool_that_is_over_takes_no_payments(self, api, player, double, status):
        request = RequestFactory(approved=True, user=player, pool=PoolFactory(status=status))

        assert code_of(start(api(player), request)) == (422, "PAYMENT_NOT_DUE")

    def test_a_paid_request_is_not_paid_twice(self, api, player, double):
        request = RequestFactory(paid=True, user=player)

        assert code_of(start(api(player), request)) == (409, "ALREADY_PAID")

    def test_while_money_waits_for_a_person_nobody_pays_again(self, api, player, unpaid, double):
        payment = started(api(player), unpaid)
        double.pay_otherwise(payment.provider_reference, amount=4999)
        deliver(double)
        sweep_events()

        assert Receipt.objects.get().status == "unapplied"
        assert code_of(start(api(player), unpaid, key="key-2")) == (409, "ALREADY_PAID")


class TestTwice:
    def test_the_same_key_replays_the_answer(self, api, player, unpaid, double):
        first = start(api(player), unpaid)
        second = start(api(player), unpaid)

        assert second.content == first.content
        assert second.headers["Idempotent-Replayed"] == "true"
        assert len(opened(double)) == 1

    def test_another_key_finds_the_same_session(self, api, player, unpaid, double):
        first = start(api(player), unpaid, key="key-1")
        second = start(api(player), unpaid, key="key-2")

        assert second.status_code == 201
        assert second.json()["data"] == first.json()["data"]
        assert len(opened(double)) == 1

    def test_a_session_that_expired_makes_room_for_a_new_one(self, api, player, unpaid, double):
        first = started(api(player), unpaid, key="key-1")
        double.advance(2 * 3600)
        deliver(double, "checkout.session.expired")
        sweep_events()

        second = started(api(player), unpaid, key="key-2")

        first.refresh_from_db()
        assert (first.status, first.checkout_url) == (PaymentState.CANCELLED, "")
        assert second.pk != first.pk
        assert second.checkout_url != ""

    def test_an_old_session_is_looked_at_before_a_player_is_sent_there_again(self, api, player, unpaid, double):
        first = started(api(player), unpaid, key="key-1")
        double.advance(2 * 3600)
        Payment.objects.update(checked_at=database_now() - timedelta(minutes=5))

        second = started(api(player), unpaid, key="key-2")

        first.refresh_from_db()
        assert first.status == PaymentState.CANCELLED
        assert second.pk != first.pk

    def test_when_the_look_finds_the_money_the_request_is_paid(self, api, player, unpaid, double):
        first = started(api(player), unpaid, key="key-1")
        double.pay(first.checkout_url)
        Payment.objects.update(checked_at=database_now() - timedelta(minutes=5))

        assert code_of(start(api(player), unpaid, key="key-2")) == (409, "ALREADY_PAID")
        assert Entry.objects.get().request == unpaid

    def test_while_the_provider_is_away_the_known_session_is_still_good(self, api, player, unpaid, double):
        first = start(api(player), unpaid, key="key-1")
        Payment.objects.update(checked_at=database_now() - timedelta(minutes=5))
        double.fault(action="error_before", method="GET", times=None)

        second = start(api(player), unpaid, key="key-2")

        assert second.json()["data"] == first.json()["data"]

    def test_a_session_that_should_be_over_is_not_shown_while_nobody_can_say(self, api, player, unpaid, double):
        start(api(player), unpaid, key="key-1")
        an_hour_ago = database_now() - timedelta(hours=1)
        Payment.objects.update(checked_at=an_hour_ago, expires_at=an_hour_ago)
        double.fault(action="error_before", method="GET", times=None)

        assert code_of(start(api(player), unpaid, key="key-2")) == (502, "PROVIDER_ERROR")

    def test_after_a_declined_card_the_same_session_can_be_paid(self, api, player, unpaid, double):
        first = started(api(player), unpaid, key="key-1")
        double.pay(first.checkout_url, DECLINED)
        deliver(double)
        sweep_events()
        unpaid.refresh_from_db()
        assert unpaid.payment_status == PaymentStatus.FAILED

        second = started(api(player), unpaid, key="key-2")

        assert second.checkout_url == first.checkout_url
        assert double.pay(second.checkout_url)[0] == 200

    def test_a_new_session_after_a_failed_one_makes_the_payment_pending_again(self, api, player, unpaid, double):
        first = started(api(player), unpaid, key="key-1")
        double.pay(first.checkout_url, DECLINED)
        double.advance(2 * 3600)
        deliver(double)
        sweep_events()
        unpaid.refresh_from_db()
        assert unpaid.payment_status == PaymentStatus.FAILED

        started(api(player), unpaid, key="key-2")

        unpaid.refresh_from_db()
        assert unpaid.payment_status == PaymentStatus.PENDING

    def test_a_second_click_waits_for_a_slow_first_one(self, api, player, unpaid, double):
        double.fault(action="delay_before", method="POST", path=SESSIONS, seconds=2.5)

        def click_again():
            wait_until_asked(double)
            return start(api(player), unpaid, key="key-2")

        first, second = run_together([lambda: start(api(player), unpaid, key="key-1"), click_again])

        assert first.value.status_code == second.value.status_code == 201
        assert first.value.json()["data"] == second.value.json()["data"]

    def test_a_second_click_does_not_wait_for_ever(self, api, player, unpaid, double, monkeypatch):
        monkeypatch.setattr(checkout, "PAUSE_SECONDS", 0.01)

        with pytest.raises(Busy):
            checkout._opened_by_another(payment_left_behind(unpaid))


class TestCost:
    def test_it_takes_twelve_queries_at_most(self, api, player, unpaid, double):
        client = api(player)
        with CaptureQueriesContext(connection) as captured:
            assert start(client, unpaid).status_code == 201

        # With BEGIN and COMMIT. Signing in with a token is one more; the test's client is signed in already.
        assert len(captured) + 1 <= 12, [query["sql"] for query in captured]

    def test_no_lock_is_held_and_no_transaction_open_while_the_provider_is_asked(self, api, player, unpaid, double):
        double.fault(action="delay_before", method="POST", path=SESSIONS, seconds=2)

        def look():
            wait_until_asked(double)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'"
                )
                in_transaction = cursor.fetchone()[0]
                cursor.execute(
                    "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                    " WHERE d.datname = current_database() AND l.pid <> pg_backend_pid()"
                )
                locks = cursor.fetchone()[0]
                cursor.execute("BEGIN")
                cursor.execute("SELECT id FROM entries_request FOR UPDATE NOWAIT")
                cursor.execute("SELECT id FROM pools_pool FOR UPDATE NOWAIT")
                cursor.execute("SELECT status FROM payments_payment FOR UPDATE NOWAIT")
                status = cursor.fetchone()[0]
                cursor.execute("ROLLBACK")
            return in_transaction, locks, status

        answer, looked = run_together([lambda: start(api(player), unpaid), look])

        assert answer.value.status_code == 201
        assert looked.value == (0, 0, "intent")

    def test_the_provider_refuses_to_be_called_inside_a_transaction(self, player, unpaid, double):
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
            sessions.provider_named("stripe").fetch("cs_test_any")

    def test_the_service_refuses_to_run_inside_a_transaction(self, player, unpaid, double):
        with transaction.atomic(), pytest.raises(RuntimeError):
            start_payment(request_id=unpaid.pk, user=player)


def wait_until_asked(double):
    """Until the double holds the session's key: it is at work on the call."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if Payment.objects.exists():
            time.sleep(0.5)
            return
        time.sleep(0.05)
    raise AssertionError("the payment never started")
