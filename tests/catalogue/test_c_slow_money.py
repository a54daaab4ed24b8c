"""C, continued. Methods that take days, although ours are chosen so that none should: nothing counts before it came."""

from datetime import timedelta

import pytest

from config.clock import database_now
from entries.models import Entry
from payments.models import Payment, PaymentState, Receipt
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.support.calls import call
from tests.support.payments import code_of, opened, start, started
from tests.support.stories import (
    about_money,
    agreed_books,
    catch_up,
    payments_of,
    receipts_of,
    standing,
    sweep,
)

pytestmark = pytest.mark.django_db(transaction=True)

DEBIT = {"prize_pot": -4500, "fee_revenue": -500, "clearing": 4960, "provider_fees": 40}


@pytest.fixture
def hasty(player, pool):
    """The only place of the pool, to be paid within two hours."""
    pool.capacity = 1
    pool.save(update_fields=["capacity"])
    return RequestFactory(approved=True, user=player, pool=pool, pay_by=database_now() + timedelta(hours=2))


@pytest.fixture
def waiting(api, moderator, pool, hasty):
    request = RequestFactory(user=UserFactory(), pool=pool)
    assert call(api(moderator), "POST", f"/requests/{request.pk}/waitlist")[0] == 200
    return request


@pytest.fixture
def under_way(api, player, hasty, double):
    """Paid by bank debit: the customer is done, the bank is not."""
    payment = started(api(player), hasty)
    double.pay_delayed(payment.provider_reference)
    return payment


def page_of(client, payment):
    answer = client.get("/payments/return", {"session_id": payment.provider_reference})
    assert answer.status_code == 200
    return answer.content.decode()


def test_42_our_sessions_offer_no_method_that_takes_days(api, player, hasty, double):
    started(api(player), hasty)

    assert opened(double)[0]["allowed_payment_method_types"] == ["card", "link"]


def test_42_a_debit_that_fails_after_days_makes_no_entry_and_frees_the_place(
    api, player, hasty, waiting, under_way, double, travel, mailoutbox, client
):
    catch_up(double)
    for _ in range(3):
        travel(days=1)
        sweep(double)
        # Its time to pay is over, and its money on the way: the place is kept for it.
        assert payments_of(hasty) == [PaymentState.PROCESSING]
        assert (standing(hasty), standing(waiting)) == (("approved", "pending"), ("pending", "not_due"))
    assert "<h1>Confirming your payment</h1>" in page_of(client, under_way)
    assert about_money(mailoutbox, player) == []

    double.settle_delayed(under_way.provider_reference, "failed")
    catch_up(double)

    assert payments_of(hasty) == [PaymentState.FAILED]
    assert Payment.objects.get().failure == "insufficient_funds"
    assert standing(hasty) == ("approved", "failed")
    assert receipts_of(hasty) == []
    (mail,) = [mail for mail in mailoutbox if mail.to == [player.email] and "failed" in mail.subject]
    assert "nothing was charged" in mail.body
    assert "<h1>This payment is over</h1>" in page_of(client, under_way)
    sweep(double)
    assert (standing(hasty), standing(waiting)) == (("expired", "not_due"), ("approved", "pending"))
    assert not Entry.objects.exists()
    assert agreed_books(double) == {}


def test_42_while_there_is_time_a_failed_debit_can_be_paid_otherwise(api, player, owing, double, travel, mailoutbox):
    payment = started(api(player), owing)
    double.pay_delayed(payment.provider_reference)
    catch_up(double)
    # While it is under way, nobody is led to pay a second time.
    again = start(api(player), owing, key="impatient")
    assert (again.status_code, again.json()["data"]["checkout_url"]) in ((201, None), (201, ""))
    travel(days=3)
    double.settle_delayed(payment.provider_reference, "failed")
    catch_up(double)

    assert double.pay(started(api(player), owing, key="by card").checkout_url)[0] == 200
    catch_up(double)

    assert payments_of(owing) == [PaymentState.FAILED, PaymentState.SUCCEEDED]
    assert standing(owing) == ("approved", "completed")
    assert agreed_books(double)["prize_pot"] == -4500


def test_44_a_session_that_is_complete_but_unpaid_is_under_way_and_no_success(
    api, player, hasty, under_way, double, travel, mailoutbox, client
):
    (session,) = opened(double)
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")

    catch_up(double)

    assert payments_of(hasty) == [PaymentState.PROCESSING]
    assert standing(hasty) == ("approved", "pending")
    assert (Receipt.objects.count(), Entry.objects.count()) == (0, 0)
    assert "<h1>Confirming your payment</h1>" in page_of(client, under_way)
    assert about_money(mailoutbox, player) == []
    assert agreed_books(double) == {}
    status, shown = call(api(player), "GET", f"/payments/{under_way.pk}")
    assert (status, shown["status"]) == (200, "pending")

    # Four days later the bank has done it. It was given the order in time.
    travel(days=4)
    double.settle_delayed(under_way.provider_reference)
    catch_up(double)

    assert payments_of(hasty) == [PaymentState.SUCCEEDED]
    assert standing(hasty) == ("approved", "completed")
    assert receipts_of(hasty) == [("allocated", "")]
    assert about_money(mailoutbox, player) == ["Receipt"]
    assert agreed_books(double) == DEBIT
    assert code_of(start(api(player), hasty, key="again")) == (409, "ALREADY_PAID")
