"""C. Money that arrives too late, twice, or for something that is over: booked, no entry, and back by itself."""

from datetime import timedelta

import pytest

from config.clock import database_now
from entries.models import Entry
from entries.services.expiry import expire_unpaid
from entries.services.places import Because
from payments.models import PaymentState, Receipt
from payments.services.sweep import sweep_payments
from pools.models import PoolStatus
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.support.calls import call
from tests.support.payments import paid_behind_our_back, started
from tests.support.stories import (
    IN_THE_POT,
    KEPT,
    about_money,
    agreed_books,
    catch_up,
    looked_into,
    payments_of,
    receipts_of,
    standing,
    sum_of,
    sweep,
    went_back,
)

pytestmark = pytest.mark.django_db(transaction=True)


class TestTheLock:
    @pytest.fixture
    def soon(self):
        """The first round locks in two hours, and with it registration."""
        competition = league(first_kickoff_in=timedelta(hours=2))
        return PoolFactory(competition=competition, rules={"house_fee_bp": 1000}, capacity=2)

    @pytest.fixture
    def approved(self, api, moderator, player, soon):
        """A request that staff approved: it is to be paid by the lock."""
        request = RequestFactory(user=player, pool=soon)
        assert call(api(moderator), "POST", f"/requests/{request.pk}/approve")[0] == 200
        request.refresh_from_db()
        assert request.pay_by == soon.competition.rounds.get(number=1).locks_at
        return request

    def test_34_money_sent_after_the_lock_buys_nothing_and_goes_back(
        self, api, player, approved, double, travel, mailoutbox, client
    ):
        travel(hours=1, minutes=50)
        payment = started(api(player), approved)
        travel(minutes=11)
        assert double.pay(payment.checkout_url)[0] == 200

        catch_up(double)

        went_back(double, approved, Because.TOO_LATE, mailoutbox)
        assert agreed_books(double) == KEPT
        page = client.get("/payments/return", {"session_id": payment.provider_reference}).content.decode()
        assert "<h1>Your money goes back</h1>" in page
        sweep(double)
        assert standing(approved) == ("expired", "not_due")

    def test_34_money_sent_before_the_lock_and_heard_of_after_it_buys_the_place(
        self, api, player, approved, double, travel, mailoutbox
    ):
        travel(hours=1, minutes=50)
        payment = started(api(player), approved)
        assert double.pay(payment.checkout_url)[0] == 200
        travel(minutes=30)

        catch_up(double)

        assert standing(approved) == ("approved", "completed")
        assert receipts_of(approved) == [("allocated", "")]
        assert Entry.objects.get(request=approved).first_round_number == 1
        assert Receipt.objects.get().received_at < approved.pay_by < database_now()
        assert about_money(mailoutbox, player) == ["Receipt"]
        assert agreed_books(double) == IN_THE_POT

    def test_34_a_session_that_is_open_at_the_lock_is_ended_within_minutes(self, api, player, approved, double, travel):
        travel(hours=1, minutes=50)
        payment = started(api(player), approved)
        travel(minutes=11)

        sweep(double)

        assert double.pay(payment.checkout_url)[0] == 410
        assert payments_of(approved) == [PaymentState.CANCELLED]
        assert standing(approved) == ("expired", "not_due")
        assert agreed_books(double) == {}

    def test_34_money_for_a_pool_that_is_over_goes_back(self, api, player, approved, double, mailoutbox):
        payment = started(api(player), approved)
        assert double.pay(payment.checkout_url)[0] == 200
        approved.pool.status = PoolStatus.FINISHED
        approved.pool.save(update_fields=["status"])

        catch_up(double)

        went_back(double, approved, Because.POOL_CLOSED, mailoutbox)
        assert agreed_books(double) == KEPT


class TestAFullPool:
    """One place, one who holds it and has the page open, one who waits."""

    @pytest.fixture
    def holder(self, player, pool):
        pool.capacity = 1
        pool.save(update_fields=["capacity"])
        return RequestFactory(approved=True, user=player, pool=pool, pay_by=database_now() + timedelta(hours=2))

    @pytest.fixture
    def waiting(self, api, moderator, pool, holder):
        request = RequestFactory(user=UserFactory(), pool=pool)
        assert call(api(moderator), "POST", f"/requests/{request.pk}/approve") == (409, "POOL_FULL")
        assert call(api(moderator), "POST", f"/requests/{request.pk}/waitlist")[0] == 200
        return request

    def test_35_while_a_session_is_open_its_place_is_held(self, api, player, holder, waiting, double, travel, settings):
        travel(hours=1, minutes=45)
        payment = started(api(player), holder)
        assert double.pay(payment.checkout_url)[0] == 200
        travel(minutes=20)
        # Its time is over, its news was lost, and Stripe cannot be asked.
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        sweep_without_news()
        assert (standing(holder), standing(waiting)) == (("approved", "pending"), ("pending", "not_due"))

        settings.STRIPE_API_BASE = double.base_url
        sweep(double)

        assert standing(holder) == ("approved", "completed")
        assert receipts_of(holder) == [("allocated", "")]
        assert standing(waiting) == ("pending", "not_due")
        assert Entry.objects.count() == 1
        assert agreed_books(double) == IN_THE_POT

    def test_35_once_the_hold_has_lapsed_the_place_is_the_next_ones_and_late_money_goes_back(
        self, api, player, holder, waiting, double, travel, mailoutbox
    ):
        travel(hours=1, minutes=45)
        late = started(api(player), holder)
        travel(minutes=16)
        assert double.pay(late.checkout_url)[0] == 200
        sweep(double)
        assert (standing(holder), standing(waiting)) == (("expired", "not_due"), ("approved", "pending"))

        in_time = started(api(waiting.user), waiting)
        assert double.pay(in_time.checkout_url)[0] == 200
        catch_up(double)

        went_back(double, holder, Because.TOO_LATE, mailoutbox)
        assert standing(waiting) == ("approved", "completed")
        assert Entry.objects.get().request == waiting
        assert agreed_books(double) == sum_of(IN_THE_POT, KEPT)

    def test_35_money_for_a_place_that_was_given_to_the_next_goes_back_whoever_is_heard_of_first(
        self, api, player, holder, waiting, double, travel, mailoutbox
    ):
        """The holder's session was given up here, and paid all the same; both pay, and the news comes at once."""
        forgotten = paid_behind_our_back(holder, double)
        travel(hours=2, minutes=1)
        expire_unpaid(now=database_now())
        assert (standing(holder), standing(waiting)) == (("expired", "not_due"), ("approved", "pending"))
        payment = started(api(waiting.user), waiting)
        assert double.pay(payment.checkout_url)[0] == 200

        looked_into(double, forgotten)
        catch_up(double)

        assert Entry.objects.get().request == waiting
        assert receipts_of(waiting) == [("allocated", "")]
        went_back(double, holder, Because.EXPIRED, mailoutbox)
        assert agreed_books(double) == sum_of(IN_THE_POT, KEPT)


def sweep_without_news():
    """What the clock does every few minutes, while nobody brings anything."""
    sweep_payments()
    expire_unpaid(now=database_now())
