"""The way back from the provider's page: it shows what is true, whatever the address says."""

import pytest

from entries.models import Entry
from payments.models import Payment, PaymentState, Receipt
from pools.models import PoolStatus
from tests.support.payments import DECLINED, started

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/payments/return"


@pytest.fixture
def payment(api, player, unpaid, double):
    return started(api(player), unpaid)


def by_session(client, payment):
    return client.get(ADDRESS, {"session_id": payment.provider_reference})


def by_ref(client, payment):
    return client.get(ADDRESS, {"ref": str(payment.ref)})


def shows(page, heading):
    return f"<h1>{heading}</h1>" in page.content.decode()


class TestWhatItShows:
    def test_money_that_came_is_booked_by_the_page_itself(self, client, payment, unpaid, double):
        double.pay(payment.checkout_url)

        page = by_session(client, payment)

        assert page.status_code == 200
        assert shows(page, "You are in")
        assert Entry.objects.get().request == unpaid
        assert Receipt.objects.get().source == "return_page"

    def test_loading_it_again_changes_nothing(self, client, payment, double):
        double.pay(payment.checkout_url)
        by_session(client, payment)

        assert shows(by_session(client, payment), "You are in")
        assert Receipt.objects.count() == 1

    def test_coming_back_without_paying_is_not_believed(self, client, payment):
        page = by_session(client, payment)

        assert shows(page, "Not paid yet")
        assert not Entry.objects.exists()

    def test_whoever_left_the_page_finds_the_way_back(self, client, payment):
        page = by_ref(client, payment)

        assert shows(page, "Not paid yet")
        assert f'href="{payment.checkout_url}"' in page.content.decode()
        assert "Pay 50.00 USD" in page.content.decode()

    def test_a_declined_card_is_told(self, client, payment, double):
        double.pay(payment.checkout_url, DECLINED)

        assert shows(by_ref(client, payment), "The payment did not go through")

    def test_a_session_that_is_over_is_told(self, client, payment, double):
        double.advance(2 * 3600)

        page = by_session(client, payment)

        assert shows(page, "This payment is over")
        assert "Pay 50.00 USD" not in page.content.decode()

    def test_money_that_bought_nothing_is_told(self, client, payment, unpaid, double):
        double.pay(payment.checkout_url)
        unpaid.pool.status = PoolStatus.CANCELLED
        unpaid.pool.save(update_fields=["status"])

        assert shows(by_session(client, payment), "Your money goes back")

    def test_money_that_waits_for_a_person_is_told(self, client, payment, double):
        double.pay_otherwise(payment.provider_reference, amount=4999)

        assert shows(by_session(client, payment), "Your money is safe")

    def test_while_nobody_knows_it_never_says_failed(self, client, payment, double, settings):
        double.pay(payment.checkout_url)
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        page = by_session(client, payment)

        assert shows(page, "Confirming your payment")
        assert 'http-equiv="refresh"' in page.content.decode()
        assert not Receipt.objects.exists()

    def test_a_slow_method_is_being_confirmed(self, client, payment, settings):
        Payment.objects.update(status=PaymentState.PROCESSING)
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        assert shows(by_session(client, payment), "Confirming your payment")


class TestTheDoor:
    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"session_id": ""},
            {"session_id": "cs_test_unknown"},
            {"session_id": "cs_test_\x00"},
            {"session_id": "x" * 3000},
            {"ref": "no-uuid"},
            {"ref": "0e5e9e0c-4b1f-4f0e-8f5d-1f2f3a4b5c6d"},
        ],
    )
    def test_what_nobody_knows_is_a_page_too(self, client, payment, query):
        page = client.get(ADDRESS, query)

        assert page.status_code == 404
        assert shows(page, "We do not know this payment")

    def test_it_names_no_person(self, client, payment, player):
        text = by_session(client, payment).content.decode()

        assert player.email not in text
        assert player.display_name not in text

    def test_what_staff_called_the_pool_is_text_not_markup(self, client, payment, unpaid):
        unpaid.pool.name = "<script>alert(1)</script>"
        unpaid.pool.save(update_fields=["name"])

        assert "<script>" not in by_session(client, payment).content.decode()

    def test_nothing_is_fetched_from_elsewhere_and_the_address_does_not_travel(self, client, payment):
        page = by_session(client, payment)

        assert "default-src 'none'" in page.headers["Content-Security-Policy"].split("; ")
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in page.headers["Cache-Control"]
        for outside in ("<script", "<link", "<img", "@import"):
            assert outside not in page.content.decode()

    def test_asking_very_often_is_slowed_down(self, client, payment):
        # Sixty in a minute; a new minute may begin while we ask, then twice as many at the most.
        pages = (by_ref(client, payment) for _ in range(121))
        page = next((page for page in pages if page.status_code != 200), None)

        assert page is not None
        assert page.status_code == 429
        assert shows(page, "One moment, please")

    def test_it_cannot_be_posted_to(self, client, payment):
        assert client.post(ADDRESS).status_code == 405
