"""C. Money that arrives too late, twice, or for something that is over: booked, no entry, and back by itself."""

from datetime import timedelta

import pytest

from config.clock import database_now
from entries.models import Entry, EntryStatus
from entries.services.expiry import expire_unpaid
from entries.services.lost_places import void_entry
from entries.services.places import Because
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.models import PaymentState, Receipt, WebhookEvent
from payments.services.inbox import process_event, sweep_events
from payments.services.sweep import sweep_payments
from pools.models import PoolStatus
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.support.buying_back import ask, fallen_in, generous_pool
from tests.support.calls import call
from tests.support.payments import deliver, paid_behind_our_back, started
from tests.support.stories import (
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
    sweep,
)
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

RETURNED = [("succeeded", "auto", "unapplied", 5000)]


def went_back(double, request, because, mailoutbox):
    """Booked, no entry, sent back whole to where it came from, and told."""
    assert payments_of(request) == [PaymentState.SUCCEEDED]
    assert receipts_of(request) == [("returned", because)]
    assert refunds_of(request) == RETURNED
    assert 5000 in given_back(double)
    assert not Entry.objects.filter(request=request).exists()
    assert about_money(mailoutbox, request.user) == ["Your payment"]
    (mail,) = [mail for mail in mailoutbox if mail.subject.startswith("Your payment")]
    assert "All of it goes back to where it came from" in mail.body


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

        process(double, forgotten)
        catch_up(double)

        assert Entry.objects.get().request == waiting
        assert receipts_of(waiting) == [("allocated", "")]
        went_back(double, holder, Because.EXPIRED, mailoutbox)
        assert agreed_books(double) == sum_of(IN_THE_POT, KEPT)


class TestTwoPayments:
    def test_37_of_two_paid_sessions_the_first_buys_the_place_and_the_second_goes_back_without_touching_it(
        self, api, player, owing, double, mailoutbox, finance
    ):
        second = paid_behind_our_back(owing, double)
        first = started(api(player), owing)
        assert double.pay(first.checkout_url)[0] == 200
        process(double, first)

        catch_up(double)

        first.refresh_from_db()
        entry = Entry.objects.get()
        assert (entry.status, entry.request) == (EntryStatus.ACTIVE, owing)
        assert standing(owing) == ("approved", "completed")
        assert receipts_by_payment(first, second) == [("allocated", ""), ("returned", "duplicate")]
        assert refunds_of(owing) == RETURNED
        assert sorted(given_back(double)) == [0, 5000]
        assert sorted(about_money(mailoutbox, player)) == ["Receipt", "Your payment"]
        assert agreed_books(double) == sum_of(IN_THE_POT, KEPT)
        # Once more is refused, and changes nothing.
        answer = api(finance).post(
            f"/api/v1/payments/{second.pk}/refunds", {"reason": "Twice."}, headers={"Idempotency-Key": "again"}
        )
        assert answer.status_code in (409, 422)
        assert Entry.objects.get().status == EntryStatus.ACTIVE

    @pytest.mark.parametrize("repetition", range(6))
    def test_37_news_of_both_at_once_gives_one_place_and_one_way_back(
        self, api, player, owing, double, mailoutbox, repetition
    ):
        paid_behind_our_back(owing, double)
        payment = started(api(player), owing)
        assert double.pay(payment.checkout_url)[0] == 200
        deliver(double)
        news = list(WebhookEvent.objects.filter(event_type="checkout.session.completed").values_list("pk", flat=True))
        assert len(news) == 2

        outcomes = run_together([lambda pk=pk: process_event(event_id=pk) for pk in news] + [sweep_events] * 2)
        catch_up(double)

        assert [outcome.error for outcome in outcomes] == [None] * 4
        assert sorted(receipts_of(owing)) == [("allocated", ""), ("returned", "duplicate")]
        assert refunds_of(owing) == RETURNED
        assert sorted(given_back(double)) == [0, 5000]
        assert Entry.objects.get().status == EntryStatus.ACTIVE
        assert sorted(about_money(mailoutbox, player)) == ["Receipt", "Your payment"]
        assert agreed_books(double) == sum_of(IN_THE_POT, KEPT)


class TestCancelledMeanwhile:
    def test_38_money_for_a_request_that_was_cancelled_meanwhile_goes_back(
        self, api, player, moderator, owing, double, mailoutbox
    ):
        payment = started(api(player), owing)
        assert double.pay(payment.checkout_url)[0] == 200
        said = {"reason": "Twice in the list."}
        assert call(api(moderator), "POST", f"/requests/{owing.pk}/withdraw", said)[0] == 200

        # The news, before anybody has got round to ending the session.
        process(double, payment)
        catch_up(double)

        went_back(double, owing, Because.WITHDRAWN, mailoutbox)
        assert standing(owing) == ("withdrawn", "not_due")
        assert agreed_books(double) == KEPT

    def test_38_money_for_the_return_of_an_entry_that_was_taken_out_meanwhile_goes_back(self, api, double, mailoutbox):
        entry = fallen_in(generous_pool(fee=5000))
        request = ask(entry)
        payment = started(api(entry.user), request)
        assert double.pay(payment.checkout_url)[0] == 200
        void_entry(entry=entry, by=None, reason="a dispute was lost")
        before = pot_of(entry.pool)

        catch_up(double)

        assert receipts_of(request) == [("returned", Because.ENTRY_VOID)]
        assert refunds_of(request) == RETURNED
        assert given_back(double) == [5000]
        entry.refresh_from_db()
        assert entry.status == EntryStatus.VOID
        assert about_money(mailoutbox, entry.user) == ["Your payment"]
        assert pot_of(entry.pool) == before


def pot_of(pool):
    """What the pool's players own together."""
    return -balance_of(AccountName(Kind.PRIZE_POT, pool.pk), pool.currency, livemode=False)


def sum_of(*books):
    """Books of several payments, added up."""
    return {kind: sum(one.get(kind, 0) for one in books) for book in books for kind in book}


def sweep_without_news():
    """What the clock does every few minutes, while nobody brings anything."""
    sweep_payments()
    expire_unpaid(now=database_now())


def receipts_by_payment(*payments):
    found = {one.payment_id: (one.status, one.unapplied_because) for one in Receipt.objects.all()}
    return [found[payment.pk] for payment in payments]


def process(double, payment):
    """News of this payment alone has arrived and is looked into; nothing that follows from it is done yet."""
    deliver(double)
    for pk in WebhookEvent.objects.filter(object_id=payment.provider_reference).values_list("pk", flat=True):
        process_event(event_id=pk)
