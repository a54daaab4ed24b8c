"""Buying back in, from the fall to the next pick, with the money in between."""

from datetime import timedelta

import pytest

from config import outbox
from config.clock import database_now
from entries.models import PaymentStatus, Reprieve, Request
from entries.services.expiry import expire_unpaid
from entries.services.requests import withdraw_request
from payments.models import Payment, PaymentState, Receipt
from payments.services.inbox import sweep_events
from payments.services.provider_state import Source, apply_provider_state
from payments.services.sessions import order_of
from payments.services.waivers import waive_fee
from pools.models import Game
from tests.factories.pools import finish, lock_round
from tests.support.buying_back import ask, fallen_in, fresh, generous_pool, settle
from tests.support.calls import call
from tests.support.payments import DECLINED, code_of, deliver, start, started
from tests.support.playing import play
from tests.support.reports import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool():
    return generous_pool(limit=2)


@pytest.fixture
def fallen(pool, player):
    return fallen_in(pool, owner=player)


@pytest.fixture
def asked(fallen):
    """The buy-back, approved and unpaid."""
    return ask(fallen)


@pytest.fixture
def payment(api, player, asked, double):
    """Its payment with an open session."""
    return started(api(player), asked)


def learn(payment, **how):
    return apply_provider_state(payment_id=payment.pk, source=Source.WEBHOOK, **how)


def paid(payment, double):
    assert double.pay(payment.checkout_url)[0] == 200
    learn(payment)
    return Receipt.objects.get(payment=payment)


def undo_the_fall(pool):
    """The score of round 1 was wrong: the entry's team had won."""
    finish(Game.objects.get(round__competition=pool.competition, round__number=1, away__code="BAT"), 10, 20)
    settle(pool)


def test_from_the_fall_to_the_next_pick(api, player, pool, fallen, double, mailoutbox):
    client = api(player)
    assert call(client, "GET", f"/entries/{fallen.pk}")[1]["status"] == "eliminated"
    assert call(client, "PUT", f"/entries/{fallen.pk}/picks/2", {"team": "CAT"})[0] == 422

    status, request = call(client, "POST", f"/entries/{fallen.pk}/buy-back")
    assert (status, request["payment_status"]) == (201, "pending")

    answer = start(client, Request.objects.get(pk=request["id"]))
    assert (answer.status_code, answer.json()["data"]["amount_cents"]) == (201, 2500)
    assert order_of(Payment.objects.get()).title == f"{pool.name}: buying back in, entry 1"
    assert double.pay(answer.json()["data"]["checkout_url"])[0] == 200
    deliver(double, "checkout.session.completed")
    sweep_events()
    outbox.drain()

    assert call(client, "GET", f"/requests/{request['id']}")[1]["payment_status"] == "completed"
    assert call(client, "GET", f"/entries/{fallen.pk}")[1]["status"] == "active"
    assert call(client, "PUT", f"/entries/{fallen.pk}/picks/2", {"team": "CAT"})[0] == 200
    play(pool, 2)
    assert fresh(fallen).status == "active"
    receipt = Receipt.objects.get()
    assert (receipt.status, receipt.entry, receipt.amount_cents) == ("allocated", fallen, 2500)
    assert {mail.subject for mail in mailoutbox} == {
        f"You are back in: {pool.name}",
        f"Receipt: 25.00 USD for {pool.name}",
    }


class TestMoney:
    def test_the_receipt_names_what_it_bought(self, payment, pool, double, mailoutbox):
        paid(payment, double)
        outbox.drain()
        (receipt,) = [mail for mail in mailoutbox if mail.subject.startswith("Receipt")]
        assert f"your payment to buy entry number 1 of {pool.name} back in has arrived" in receipt.body
        assert "It plays again from round 2." in receipt.body

    def test_learning_it_again_changes_nothing(self, payment, double):
        paid(payment, double)
        learn(payment)
        assert (Receipt.objects.count(), Reprieve.objects.count()) == (1, 1)

    def test_after_the_lock_it_goes_back(self, pool, payment, asked, fallen, double, mailoutbox):
        assert double.pay(payment.checkout_url)[0] == 200
        lock_round(pool.competition.rounds.get(number=2))
        learn(payment)
        receipt = Receipt.objects.get()
        assert (receipt.status, receipt.unapplied_because, receipt.entry) == ("returning", "too_late", None)
        assert fresh(asked).payment_status == PaymentStatus.PENDING
        assert not Reprieve.objects.exists()
        outbox.drain()
        told = [mail.body for mail in mailoutbox if "but it could not bring the entry back" in mail.body]
        assert "it came after the time to pay.\n\nAll of it goes back" in told[-1]
        assert fresh(receipt).status == "returned"
        # The sweep takes the offer back.
        assert expire_unpaid(now=database_now()) == 1

    def test_money_for_a_fall_that_was_undone_goes_back(self, pool, payment, fallen, double, mailoutbox):
        assert double.pay(payment.checkout_url)[0] == 200
        undo_the_fall(pool)
        learn(payment)
        assert Receipt.objects.get().unapplied_because == "not_needed"
        outbox.drain()
        told = [mail.body for mail in mailoutbox if "so there was nothing to buy back" in mail.body]
        assert "the entry is not out any more" in told[-1]
        assert Receipt.objects.get().status == "returned"

    def test_a_declined_card_leaves_time_for_another(self, api, player, payment, asked, fallen, double):
        assert double.pay(payment.checkout_url, DECLINED)[0] == 402
        learn(payment)
        assert fresh(asked).payment_status == PaymentStatus.FAILED
        again = started(api(player), asked, key="key-2")
        paid(again, double)
        assert Reprieve.objects.get().entry == fallen

    def test_paid_twice_the_second_money_goes_back(self, api, player, asked, payment, double):
        # We thought the session was over, and had another one opened.
        Payment.objects.filter(pk=payment.pk).update(status=PaymentState.CANCELLED)
        second = started(api(player), asked, key="key-2")
        paid(payment, double)
        twice = paid(second, double)
        assert (twice.unapplied_because, twice.status) == ("duplicate", "returning")
        assert Reprieve.objects.count() == 1

    def test_it_expires_only_once_the_provider_has_said(self, payment, asked, fallen, double):
        Request.objects.filter(pk=asked.pk).update(pay_by=database_now() - timedelta(seconds=1))
        assert expire_unpaid(now=database_now()) == 0
        learn(payment)
        assert expire_unpaid(now=database_now()) == 1
        assert double.pay(payment.checkout_url)[0] == 410

    def test_a_withdrawn_one_takes_no_money(self, api, player, payment, asked, double):
        withdraw_request(request=asked, by=player, now=database_now())
        assert code_of(start(api(player), asked, key="key-2")) == (422, "PAYMENT_NOT_DUE")
        learn(payment)
        assert double.pay(payment.checkout_url)[0] == 410


class TestStarting:
    def test_a_fall_that_was_undone_needs_no_payment(self, api, player, pool, asked, double):
        undo_the_fall(pool)
        assert code_of(start(api(player), asked)) == (422, "PAYMENT_NOT_DUE")

    def test_an_open_page_is_closed_when_the_fall_was_undone(self, pool, payment, double):
        undo_the_fall(pool)
        learn(payment)
        assert double.pay(payment.checkout_url)[0] == 410

    def test_once_its_round_has_locked_nothing_is_due(self, api, player, pool, asked, double):
        lock_round(pool.competition.rounds.get(number=2))
        assert code_of(start(api(player), asked)) == (422, "PAYMENT_NOT_DUE")

    def test_a_stranger_does_not_pay_it(self, api, stranger, asked, double):
        assert code_of(start(api(stranger), asked)) == (404, "NOT_FOUND")

    def test_a_free_return_is_paid_already(self, api, player, double):
        pool = generous_pool(fee=0)
        asked = ask(fallen_in(pool, owner=player))
        assert code_of(start(api(player), asked)) == (409, "ALREADY_PAID")


class TestWaiver:
    def test_staff_bring_an_entry_back_with_a_name_and_a_reason(self, asked, fallen, pool, finance):
        entry = waive_fee(request_id=asked.pk, by=finance, reason="our mistake", now=database_now())
        settle(pool)
        assert entry == fallen
        assert (fresh(fallen).status, fresh(asked).waived_by) == ("active", finance)


class TestReturnPage:
    def address(self, payment):
        return "/payments/return?session_id=" + payment.provider_reference

    def test_it_says_back_in(self, client, payment, double):
        assert "There is still time to pay." in client.get(self.address(payment)).content.decode()
        double.pay(payment.checkout_url)
        page = client.get(self.address(payment)).content.decode()
        assert "<h1>You are back in</h1>" in page
        assert "plays again from round 2" in page

    def test_it_says_that_money_goes_back(self, client, pool, payment, double):
        double.pay(payment.checkout_url)
        lock_round(pool.competition.rounds.get(number=2))
        assert "brings no entry back" in client.get(self.address(payment)).content.decode()


class TestReports:
    def test_a_payment_says_its_kind(self, payment, fallen, double):
        paid(payment, double)
        (row,) = rows("payments")
        assert (row["kind"], row["request"], row["entry"]) == ("buy_back", str(payment.request_id), str(fallen.pk))

    def test_an_entry_has_its_own_receipt_and_its_returns_beside_it(self, pool, payment, fallen, double):
        paid(payment, double)
        row = next(row for row in rows("entries") if row["entry"] == str(fallen.pk))
        assert (row["fee_minor"], row["receipt"], row["paid_by"]) == ("5000", "", "nothing")
        assert (row["buy_backs"], row["buy_back_fees"], row["buy_back_fees_minor"]) == ("1", "25.00", "2500")

    def test_a_pool_counts_the_fees_of_returns_in_its_pot(self, player, finance):
        pool = generous_pool(fee=1001, house_fee_bp=1000)
        asked = ask(fallen_in(pool, owner=player))
        waive_fee(request_id=asked.pk, by=finance, reason="our mistake", now=database_now())
        (row,) = rows("pool_summary")
        assert (row["buy_backs"], row["buy_back_fees_minor"]) == ("1", "1001")
        assert (row["house_fee_minor"], row["pot_minor"]) == (str(3 * 500 + 100), str(3 * 4500 + 901))

    def test_an_unpaid_or_refunded_return_is_not_in_the_pot(self, asked):
        (row,) = rows("pool_summary")
        assert (row["buy_backs"], row["pot_minor"], row["requests_unpaid"]) == ("0", "15000", "1")
        Request.objects.filter(pk=asked.pk).update(payment_status=PaymentStatus.COMPLETED)
        assert rows("pool_summary")[0]["pot_minor"] == "17500"
        Request.objects.filter(pk=asked.pk).update(payment_status=PaymentStatus.REFUNDED)
        assert rows("pool_summary")[0]["pot_minor"] == "15000"


class TestBackOffice:
    @pytest.fixture
    def as_finance(self, client, finance):
        client.force_login(finance)
        return client

    def test_who_owes_is_listed_with_the_kind(self, as_finance, asked):
        page = as_finance.get("/admin/payments/unpaidrequest/", {"kind__exact": "buy_back"}).content.decode()
        assert asked.user.email in page
        assert (
            asked.user.email
            not in as_finance.get("/admin/payments/unpaidrequest/", {"kind__exact": "entry"}).content.decode()
        )

    def test_a_return_that_a_correction_made_needless_is_found(self, as_finance, pool, payment, double):
        receipt = paid(payment, double)
        settle(pool)
        address = "/admin/payments/receipt/"
        shown = f"{address}{receipt.pk}/change/"
        listed = as_finance.get(address, {"look_at": "not_needed"}).content.decode()
        assert shown not in listed
        assert "no longer needed" not in as_finance.get(f"{address}{receipt.pk}/change/").content.decode()
        undo_the_fall(pool)
        assert shown in as_finance.get(address, {"look_at": "not_needed"}).content.decode()
        assert "no longer needed" in as_finance.get(address).content.decode()
        assert "no longer needed" in as_finance.get(f"{address}{receipt.pk}/change/").content.decode()
        Receipt.objects.filter(pk=receipt.pk).update(status="returned")
        assert shown not in as_finance.get(address, {"look_at": "not_needed"}).content.decode()
        assert shown not in as_finance.get(address, {"look_at": "unapplied"}).content.decode()
