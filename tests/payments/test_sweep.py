"""Finding the end of payments that nobody brought news of."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F

from config.clock import database_now
from entries.models import Entry
from payments import tasks
from payments.models import Payment, PaymentState, Receipt
from payments.services.asking import FAILURES_IN_A_ROW, claim
from payments.services.sweep import PATIENCE, sweep_payments
from tests.factories.entries import RequestFactory
from tests.support.payments import started
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payment(api, player, unpaid, double):
    return started(api(player), unpaid)


def grow_old(by=PATIENCE):
    """As if this time had gone by since the provider was last asked."""
    Payment.objects.update(checked_at=F("checked_at") - by - timedelta(seconds=1))


def asked(double):
    return [one["path"] for one in double.control("GET", "/requests")["requests"] if one["method"] == "GET"]


class TestFinding:
    def test_money_whose_webhook_was_lost_becomes_an_entry(self, payment, unpaid, double):
        double.pay(payment.checkout_url)
        grow_old()

        assert tasks.sweep_payments() == 1

        assert Entry.objects.get().request == unpaid
        assert Receipt.objects.get().source == "sweep"

    def test_a_payment_asked_about_a_moment_ago_is_left_alone(self, payment, double):
        assert sweep_payments().asked == 0
        assert asked(double) == []

    def test_each_is_asked_about_once_in_a_while(self, payment, double):
        grow_old()

        assert (sweep_payments().asked, sweep_payments().asked) == (1, 0)
        assert len(asked(double)) == 1

    def test_a_payment_that_has_ended_is_never_asked_about(self, payment, double):
        Payment.objects.update(status=PaymentState.CANCELLED)
        grow_old()

        assert sweep_payments().asked == 0

    def test_a_slow_method_is_asked_about_every_hour(self, payment, double):
        Payment.objects.update(status=PaymentState.PROCESSING)
        grow_old(timedelta(minutes=50))
        assert sweep_payments().asked == 0

        grow_old(timedelta(minutes=20))
        assert sweep_payments().asked == 1

    def test_a_payment_whose_time_to_pay_has_just_ended_is_asked_about_at_once(self, payment, unpaid, double):
        unpaid.pay_by = database_now() - timedelta(milliseconds=1)
        unpaid.save(update_fields=["pay_by"])
        Payment.objects.update(checked_at=unpaid.pay_by - timedelta(seconds=5))

        assert sweep_payments().asked == 1

        assert Payment.objects.get().status == PaymentState.CANCELLED
        assert sweep_payments().asked == 0

    def test_an_intent_that_was_left_behind_gets_its_session(self, unpaid, double):
        left = left_behind(unpaid, age=timedelta(minutes=3), ends_in=timedelta(minutes=57))

        sweep_payments()

        left.refresh_from_db()
        assert left.status == PaymentState.OPEN
        assert left.checkout_url != ""

    def test_an_intent_too_old_for_a_session_is_given_up(self, unpaid, double):
        left = left_behind(unpaid, age=timedelta(hours=2), ends_in=timedelta(hours=-1))

        sweep_payments()

        left.refresh_from_db()
        assert (left.status, left.failure) == (PaymentState.CANCELLED, "never_opened")


class TestTrouble:
    def test_one_that_fails_does_not_stop_the_others(self, api, player, payment, unpaid, double):
        bad = Payment.objects.create(
            request=RequestFactory(approved=True),
            provider="stripe",
            status=PaymentState.OPEN,
            amount_cents=5000,
            currency="usd",
            provider_reference="cs_test_unknown",
        )
        double.pay(payment.checkout_url)
        Payment.objects.update(checked_at=database_now() - timedelta(minutes=5))

        swept = sweep_payments()

        assert list(swept.failed) == [bad.pk]
        assert swept.failed[bad.pk].startswith("NotThere")
        assert Entry.objects.get().request == unpaid

    @pytest.mark.slow
    def test_a_provider_that_is_away_is_left_alone(self, double, settings):
        for _ in range(FAILURES_IN_A_ROW + 2):
            left_open(RequestFactory(approved=True))
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        swept = sweep_payments()

        assert (swept.asked, swept.gave_up) == (FAILURES_IN_A_ROW, True)

    def test_a_provider_that_limits_us_is_left_alone(self, double):
        for _ in range(FAILURES_IN_A_ROW + 2):
            left_open(RequestFactory(approved=True))
        double.fault(action="rate_limit", method="GET", times=None)

        swept = sweep_payments()

        assert (swept.asked, swept.gave_up) == (FAILURES_IN_A_ROW, True)

    def test_what_one_sweep_holds_another_passes_over(self, payment, double):
        with transaction.atomic():
            assert claim(Payment.objects.live()) == payment.pk
            (other,) = run_together([lambda: claim(Payment.objects.live())])

        # Not waited for, either.
        assert (other.error, other.value) == (None, None)


def left_behind(request, *, age, ends_in):
    """An intent of a process that died."""
    return Payment.objects.create(
        request=request,
        provider="stripe",
        amount_cents=5000,
        currency="usd",
        created_at=database_now() - age,
        expires_at=database_now() + ends_in,
    )


def left_open(request):
    return Payment.objects.create(
        request=request,
        provider="stripe",
        status=PaymentState.OPEN,
        amount_cents=5000,
        currency="usd",
        provider_reference=f"cs_test_{request.pk}",
        created_at=database_now() - timedelta(minutes=5),
    )
