"""C, continued. Money that is not what was asked for, or not of somebody who still plays: a person decides."""

import pytest

from accounts.services.blocking import deactivate_user
from entries.models import Entry
from payments.models import Discrepancy, DiscrepancyKind, PaymentState, Receipt
from tests.factories.accounts import FinanceFactory
from tests.support.calls import call
from tests.support.payments import code_of, opened, start, started
from tests.support.stories import (
    HELD,
    IN_THE_POT,
    KEPT,
    about_money,
    agreed_books,
    catch_up,
    given_back,
    payments_of,
    receipts_of,
    refunds_of,
    standing,
)

pytestmark = pytest.mark.django_db(transaction=True)


def held(request, because, kind):
    """Booked, no entry, nothing sent back: one row before a person, with the receipt in it."""
    assert payments_of(request) == [PaymentState.SUCCEEDED]
    assert receipts_of(request) == [("unapplied", because)]
    assert refunds_of(request) == []
    assert not Entry.objects.exists()
    row = Discrepancy.objects.get()
    receipt = Receipt.objects.get()
    assert (row.kind, row.status, row.object_key) == (kind, "open", f"receipt:{receipt.pk}")
    assert row.suggestion
    return receipt


def refunded(api, payment, **body):
    """A person of finance gives it back over HTTP."""
    return api(FinanceFactory()).post(
        f"/api/v1/payments/{payment.pk}/refunds",
        {"reason": "Not what was asked for.", **body},
        headers={"Idempotency-Key": f"refund-{payment.pk}"},
    )


@pytest.mark.parametrize(
    ("paid", "why"), [(4999, "a coupon"), (1, "tampered with"), (2500, "a part"), (5001, "too much")]
)
def test_39_another_amount_than_expected_is_held_and_never_topped_up(api, player, owing, double, mailoutbox, paid, why):
    payment = started(api(player), owing)
    double.pay_otherwise(payment.provider_reference, amount=paid)

    catch_up(double)

    receipt = held(owing, "wrong_amount", DiscrepancyKind.AMOUNT_MISMATCH)
    assert receipt.amount_cents == paid
    assert standing(owing) == ("approved", "pending")
    assert given_back(double) == [0]
    assert about_money(mailoutbox, player) == ["About your payment"]
    found = agreed_books(double)
    assert (found["unallocated"], "prize_pot" in found) == (-paid, False)
    # The rest is not asked for: whoever paid it would have paid for nothing.
    assert code_of(start(api(player), owing, key="the rest")) == (409, "ALREADY_PAID")
    assert len(opened(double)) == 1

    answer = refunded(api, payment)
    assert answer.status_code == 201, answer.content
    catch_up(double)
    assert receipts_of(owing) == [("returned", "wrong_amount")]
    assert given_back(double) == [paid]
    assert Discrepancy.objects.get().status == "resolved"
    assert "unallocated" not in agreed_books(double)
    # And now the place can be paid for.
    assert double.pay(started(api(player), owing, key="anew").checkout_url)[0] == 200
    catch_up(double)
    assert standing(owing) == ("approved", "completed")
    assert agreed_books(double)["prize_pot"] == -4500


def test_40_another_currency_than_expected_is_held(api, player, owing, double, mailoutbox):
    payment = started(api(player), owing)
    double.pay_otherwise(payment.provider_reference, amount=5000, currency="eur")

    catch_up(double)

    receipt = held(owing, "wrong_currency", DiscrepancyKind.CURRENCY_MISMATCH)
    assert (receipt.amount_cents, receipt.currency) == (5000, "eur")
    assert standing(owing) == ("approved", "pending")
    assert about_money(mailoutbox, player) == ["About your payment"]
    assert agreed_books(double, "eur")["unallocated"] == -5000
    assert agreed_books(double, "usd") == {}

    assert refunded(api, payment).status_code == 201
    catch_up(double)
    assert receipts_of(owing) == [("returned", "wrong_currency")]
    assert given_back(double) == [5000]
    assert "unallocated" not in agreed_books(double, "eur")


def test_40_what_adaptive_pricing_showed_the_player_is_not_what_counts(api, player, owing, double):
    """Switched off by us; were it on, Stripe converts, and session and charge stay in our currency."""
    payment = started(api(player), owing)
    (session,) = opened(double)
    assert session["adaptive_pricing"] == {"enabled": False}
    double.pay_otherwise(payment.provider_reference, presentment={"amount": 4621, "currency": "eur"})

    catch_up(double)

    assert standing(owing) == ("approved", "completed")
    assert Receipt.objects.values_list("amount_cents", "currency", "status").get() == (5000, "usd", "allocated")
    assert agreed_books(double) == IN_THE_POT


class TestThePlayerIsGone:
    """The account was closed by its owner, or shut by staff, between the payment and its news."""

    @pytest.fixture
    def paid(self, api, player, owing, double):
        payment = started(api(player), owing)
        assert double.pay(payment.checkout_url)[0] == 200
        return payment

    def test_41_money_of_an_account_that_was_closed_is_held_and_can_go_back_where_it_came_from(
        self, api, player, owing, paid, double, mailoutbox
    ):
        assert api(player).delete("/api/v1/me").status_code == 204

        self.is_held_and_can_go_back(api, owing, paid, double)
        # Nobody is left to write to.
        assert mailoutbox == []

    def test_41_money_of_an_account_that_was_shut_is_held_and_can_go_back_where_it_came_from(
        self, api, player, owing, paid, double, mailoutbox, admin_user
    ):
        deactivate_user(user=player, by=admin_user, reason="Two accounts.")

        self.is_held_and_can_go_back(api, owing, paid, double)
        # It is their money all the same.
        assert about_money(mailoutbox, player) == ["About your payment", "Refund"]

    def is_held_and_can_go_back(self, api, request, payment, double):
        catch_up(double)
        held(request, "player_gone", DiscrepancyKind.HELD_MONEY)
        assert agreed_books(double) == HELD
        status, shown = call(api(FinanceFactory()), "GET", f"/requests/{request.pk}")
        assert (status, shown["status"], shown["payment_status"]) == (200, "approved", "pending")

        assert refunded(api, payment).status_code == 201
        catch_up(double)

        assert receipts_of(request) == [("returned", "player_gone")]
        assert refunds_of(request) == [("succeeded", "staff", "unapplied", 5000)]
        (refund,) = double.state()["objects"]["refund"]
        assert refund["charge"] == Receipt.objects.get().charge_id
        assert Discrepancy.objects.get().status == "resolved"
        assert not Entry.objects.exists()
        assert agreed_books(double) == KEPT
