"""C, continued. The way back from the hosted page, which proves nothing, and which nobody has to take."""

from urllib.parse import urlsplit

import pytest

from entries.models import Entry
from payments import tasks
from payments.models import Payment, PaymentState, Receipt
from tests.factories.entries import RequestFactory
from tests.support.payments import DECLINED, opened, started
from tests.support.stories import (
    IN_THE_POT,
    about_money,
    agreed_books,
    catch_up,
    payments_of,
    receipts_of,
    standing,
)

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/payments/return"


@pytest.fixture
def payment(api, player, owing, double):
    return started(api(player), owing)


def heading(page):
    return page.content.decode().partition("<h1>")[2].partition("</h1>")[0]


def is_paid(double, request, mailoutbox):
    assert standing(request) == ("approved", "completed")
    assert payments_of(request) == [PaymentState.SUCCEEDED]
    assert receipts_of(request) == [("allocated", "")]
    assert Entry.objects.get().request == request
    catch_up(double)
    assert about_money(mailoutbox, request.user) == ["Receipt"]
    assert agreed_books(double) == IN_THE_POT


class TestBeforeTheWebhook:
    def test_45_the_page_asks_for_itself_and_books_the_money(self, payment, owing, player, double, client, mailoutbox):
        double.pay(payment.checkout_url)
        way_back = urlsplit(
            opened(double)[0]["success_url"].replace("{CHECKOUT_SESSION_ID}", payment.provider_reference)
        )

        page = client.get(f"{way_back.path}?{way_back.query}")

        assert (page.status_code, heading(page)) == (200, "You are in")
        assert Receipt.objects.get().source == "return_page"
        is_paid(double, owing, mailoutbox)

    def test_45_while_stripe_cannot_be_asked_it_says_confirming_and_looks_again(
        self, payment, owing, double, client, mailoutbox, settings
    ):
        double.pay(payment.checkout_url)
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        page = client.get(ADDRESS, {"session_id": payment.provider_reference})

        assert (page.status_code, heading(page)) == (200, "Confirming your payment")
        assert 'http-equiv="refresh"' in page.content.decode()
        assert "did not go through" not in page.content.decode()
        assert not Receipt.objects.exists()
        settings.STRIPE_API_BASE = double.base_url
        assert heading(client.get(ADDRESS, {"session_id": payment.provider_reference})) == "You are in"
        is_paid(double, owing, mailoutbox)

    def test_45_it_names_nobody_and_whoever_has_not_the_sessions_long_name_sees_nothing(
        self, payment, player, double, client
    ):
        double.pay(payment.checkout_url)

        shown = client.get(ADDRESS, {"session_id": payment.provider_reference}).content.decode()
        assert player.email not in shown
        assert player.display_name not in shown
        for guess in ({"session_id": payment.provider_reference[:-1]}, {"ref": "1"}, {"session_id": str(payment.pk)}):
            page = client.get(ADDRESS, guess)
            assert (page.status_code, heading(page)) == (404, "We do not know this payment")

    def test_45_it_is_rate_limited_before_stripe_is_asked(self, payment, double, client):
        query = {"session_id": payment.provider_reference}

        # Sixty in a minute; a new minute may begin while we ask.
        answers = [client.get(ADDRESS, query).status_code for _ in range(121)]

        assert set(answers) == {200, 429}
        asked = [one for one in double.control("GET", "/requests")["requests"] if one["method"] == "GET"]
        assert len(asked) == answers.count(200) <= 120


class TestNobodyComesBack:
    def test_46_the_webhook_is_enough(self, payment, owing, double, mailoutbox):
        double.pay(payment.checkout_url)

        catch_up(double)

        assert Receipt.objects.get().source == "webhook"
        is_paid(double, owing, mailoutbox)

    def test_46_and_where_it_is_lost_the_sweep_is_enough(self, payment, owing, double, travel, mailoutbox):
        double.pay(payment.checkout_url)
        travel(minutes=3)

        tasks.sweep_payments()

        assert Receipt.objects.get().source == "sweep"
        is_paid(double, owing, mailoutbox)


class TestAForgedWayBack:
    @pytest.mark.parametrize(
        "claim", [{}, {"status": "paid"}, {"redirect_status": "succeeded", "payment_status": "paid"}]
    )
    def test_47_an_unpaid_session_is_not_paid_whatever_the_address_claims(self, payment, owing, double, client, claim):
        page = client.get(ADDRESS, {"session_id": payment.provider_reference, **claim})

        assert (page.status_code, heading(page)) == (200, "Not paid yet")
        self.nothing_came(double, owing)

    def test_47_a_refused_card_is_not_paid_either(self, payment, owing, double, client):
        double.pay(payment.checkout_url, DECLINED)

        page = client.get(ADDRESS, {"session_id": payment.provider_reference})

        assert heading(page) == "The payment did not go through"
        assert payments_of(owing) == [PaymentState.OPEN]
        self.nothing_came(double, owing, "failed")

    def test_47_the_session_of_somebody_elses_payment_pays_nothing_of_mine(
        self, api, payment, owing, stranger, pool, double, client, mailoutbox
    ):
        other = RequestFactory(approved=True, user=stranger, pool=pool)
        paid = started(api(stranger), other)
        double.pay(paid.checkout_url)

        page = client.get(ADDRESS, {"session_id": paid.provider_reference, "ref": str(payment.ref)})

        # What is true of that payment; of mine nothing has changed.
        assert heading(page) == "You are in"
        assert standing(owing) == ("approved", "pending")
        assert payments_of(owing) == [PaymentState.OPEN]
        is_paid(double, other, mailoutbox)

    @pytest.mark.parametrize("session", ["cs_test_of_nobody", "cs_live_1", "../../x", "", "{CHECKOUT_SESSION_ID}"])
    def test_47_a_session_that_is_not_ours_is_unknown_and_stripe_is_not_asked(
        self, payment, owing, double, client, session
    ):
        before = len(double.control("GET", "/requests")["requests"])

        page = client.get(ADDRESS, {"session_id": session})

        assert (page.status_code, heading(page)) == (404, "We do not know this payment")
        assert len(double.control("GET", "/requests")["requests"]) == before
        self.nothing_came(double, owing)

    def nothing_came(self, double, request, payment_status="pending"):
        catch_up(double)
        assert standing(request) == ("approved", payment_status)
        assert not Receipt.objects.exists()
        assert not Entry.objects.exists()
        assert Payment.objects.get().status == PaymentState.OPEN
        assert agreed_books(double) == {}
