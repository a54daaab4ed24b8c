"""B, continued. While a session is open, the price changes, somebody meddles with the currency, the request ends."""

from datetime import timedelta

import pytest
from django.db import Error, connection, transaction

from config import outbox
from config.clock import database_now
from entries.models import Entry, Request
from payments.models import Payment, PaymentState, Receipt
from payments.services.inbox import sweep_events
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.support.calls import call
from tests.support.payments import code_of, deliver, opened, start, started
from tests.support.stories import (
    IN_THE_POT,
    KEPT,
    about_money,
    agreed_books,
    catch_up,
    payments_of,
    receipts_of,
    standing,
    sweep,
    went_back,
)
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def expired_by_us(double):
    """The sessions that we ended ourselves, by `/expire`."""
    asked = double.control("GET", "/requests")["requests"]
    ended = [one["path"].split("/")[-2] for one in asked if one["path"].endswith("/expire")]
    return [session["id"] for session in opened(double) if session["id"] in ended and session["status"] == "expired"]


class TestThePriceChanges:
    def test_28_until_the_time_to_pay_is_over_the_price_is_the_one_that_was_approved(
        self, api, player, pool, double, travel, mailoutbox
    ):
        request = RequestFactory(approved=True, user=player, pool=pool, pay_by=database_now() + timedelta(hours=48))
        dearer(pool)
        travel(hours=47)

        payment = started(api(player), request)
        assert double.pay(payment.checkout_url)[0] == 200
        catch_up(double)

        assert [session["amount_total"] for session in opened(double)] == [5000]
        assert standing(request) == ("approved", "completed")
        assert receipts_of(request) == [("allocated", "")]
        assert about_money(mailoutbox, player) == ["Receipt"]
        assert agreed_books(double) == IN_THE_POT

    def test_28_then_the_session_is_ended_and_whoever_asks_again_pays_the_new_price(
        self, api, player, moderator, pool, double, travel
    ):
        request = RequestFactory(approved=True, user=player, pool=pool, pay_by=database_now() + timedelta(hours=48))
        dearer(pool)
        travel(hours=47, minutes=29)
        payment = started(api(player), request)
        travel(minutes=31, seconds=10)

        sweep(double)

        assert expired_by_us(double) == [payment.provider_reference]
        assert double.pay(payment.checkout_url)[0] == 410
        assert payments_of(request) == [PaymentState.CANCELLED]
        assert standing(request) == ("expired", "not_due")
        assert code_of(start(api(player), request, key="late")) == (422, "PAYMENT_NOT_DUE")
        # Nothing is quoted anew for an old request: a new one is.
        status, asked = call(api(player), "POST", f"/pools/{pool.pk}/requests")
        assert status == 201
        call(api(moderator), "POST", f"/requests/{asked['id']}/approve")
        again = Request.objects.get(pk=asked["id"])
        payment = started(api(player), again, key="anew")
        assert opened(double)[-1]["amount_total"] == 6000
        double.pay(payment.checkout_url)
        catch_up(double)
        assert receipts_of(again) == [("allocated", "")]
        found = agreed_books(double)
        assert (found["prize_pot"], found["fee_revenue"]) == (-5400, -600)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE pools_pool SET currency = 'eur'",
        "UPDATE pools_pool SET currency = 'eur', status = 'draft'",
        "UPDATE pools_pool SET status = 'draft'; UPDATE pools_pool SET currency = 'eur'",
        "UPDATE entries_request SET currency = 'eur'",
        "UPDATE payments_payment SET currency = 'eur'",
        "UPDATE payments_payment SET amount_cents = 1",
    ],
)
def test_29_the_currency_never_changes_once_somebody_has_begun_to_pay(api, player, owing, double, attack):
    payment = started(api(player), owing)

    with pytest.raises(Error) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(attack)

    assert refused.value.__cause__.diag.constraint_name
    double.pay(payment.checkout_url)
    catch_up(double)
    assert Receipt.objects.values_list("currency", "amount_cents", "status").get() == ("usd", 5000, "allocated")
    assert agreed_books(double) == IN_THE_POT


class TestTheRequestEnds:
    """A page that somebody still has open must not take money for nothing."""

    def test_32_a_request_withdrawn_by_its_player_ends_the_session(self, api, player, owing, double, mailoutbox):
        payment = started(api(player), owing)

        assert call(api(player), "POST", f"/requests/{owing.pk}/withdraw", {})[0] == 200
        catch_up(double)

        self.assert_nothing_can_be_paid(double, owing, payment)
        assert about_money(mailoutbox, player) == []

    def test_32_an_approval_taken_back_by_staff_ends_the_session(self, api, player, moderator, owing, double):
        payment = started(api(player), owing)

        # A pending request is rejected; an approved one is withdrawn for its player, with a reason.
        said = {"reason": "Not from our club."}
        assert call(api(moderator), "POST", f"/requests/{owing.pk}/reject", said) == (409, "INVALID_TRANSITION")
        assert call(api(moderator), "POST", f"/requests/{owing.pk}/withdraw", said)[0] == 200
        catch_up(double)

        self.assert_nothing_can_be_paid(double, owing, payment)

    def test_32_a_session_that_was_paid_a_moment_before_its_end_gives_the_money_back(
        self, api, player, owing, double, mailoutbox
    ):
        payment = started(api(player), owing)
        assert call(api(player), "POST", f"/requests/{owing.pk}/withdraw", {})[0] == 200
        assert double.pay(payment.checkout_url)[0] == 200

        catch_up(double)

        assert expired_by_us(double) == []
        assert standing(owing) == ("withdrawn", "not_due")
        went_back(double, owing, "withdrawn", mailoutbox)
        assert agreed_books(double) == KEPT

    @pytest.mark.parametrize("repetition", range(4))
    def test_32_a_withdrawal_at_the_moment_of_the_click_leaves_no_session_open(
        self, api, player, owing, double, travel, repetition
    ):
        outcomes = run_together(
            [
                lambda: start(api(player), owing),
                lambda: call(api(player), "POST", f"/requests/{owing.pk}/withdraw", {}),
                outbox.drain,
            ]
        )
        assert [outcome.error for outcome in outcomes] == [None] * 3
        clicked, withdrawn = outcomes[0].value, outcomes[1].value
        assert clicked.status_code == 201 or code_of(clicked) in ((422, "PAYMENT_NOT_DUE"), (502, "PROVIDER_ERROR"))
        assert withdrawn[0] == 200

        catch_up(double)

        assert {session["status"] for session in opened(double)} <= {"expired"}
        assert not Payment.objects.live().exists()
        assert agreed_books(double) == {}

    def test_32_while_stripe_is_away_the_end_of_the_session_waits_and_is_not_forgotten(
        self, api, player, owing, double, settings
    ):
        payment = started(api(player), owing)
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        assert call(api(player), "POST", f"/requests/{owing.pk}/withdraw", {})[0] == 200
        outbox.drain()
        assert payments_of(owing) == [PaymentState.OPEN]

        settings.STRIPE_API_BASE = double.base_url
        catch_up(double)

        self.assert_nothing_can_be_paid(double, owing, payment)

    def assert_nothing_can_be_paid(self, double, request, payment):
        assert expired_by_us(double) == [payment.provider_reference]
        assert double.pay(payment.checkout_url)[0] == 410
        assert payments_of(request) == [PaymentState.CANCELLED]
        assert standing(request) == ("withdrawn", "not_due")
        assert not Entry.objects.exists()
        assert agreed_books(double) == {}
        assert double.books()["charges"] == []


@pytest.mark.parametrize("repetition", range(8))
def test_33_an_approval_revoked_twice_while_its_money_arrives_has_one_winner(
    api, pool, moderator, double, mailoutbox, repetition
):
    request = RequestFactory(approved=True, user=UserFactory(), pool=pool)
    payment = started(api(request.user), request)
    assert double.pay(payment.checkout_url)[0] == 200
    deliver(double)
    withdrawal = f"/requests/{request.pk}/withdraw"

    outcomes = run_together(
        [
            lambda: call(api(request.user), "POST", withdrawal, {}),
            lambda: call(api(moderator), "POST", withdrawal, {"reason": "By mistake."}),
            lambda: call(api(moderator), "POST", withdrawal, {"reason": "By mistake."}),
            sweep_events,
        ]
    )

    assert [outcome.error for outcome in outcomes] == [None] * 4
    answers = [outcome.value for outcome in outcomes[:3]]
    catch_up(double)
    if standing(request) == ("approved", "completed"):
        assert answers == [(409, "ALREADY_PAID")] * 3
        assert receipts_of(request) == [("allocated", "")]
        assert Entry.objects.get().request == request
        assert agreed_books(double) == IN_THE_POT
    else:
        assert [status for status, _ in answers].count(200) == 1
        assert [code for status, code in answers if status != 200] == ["INVALID_TRANSITION"] * 2
        assert standing(request) == ("withdrawn", "not_due")
        went_back(double, request, "withdrawn", mailoutbox)
        assert agreed_books(double) == KEPT


def dearer(pool):
    pool.entry_fee_cents = 6000
    pool.save(update_fields=["entry_fee_cents"])
