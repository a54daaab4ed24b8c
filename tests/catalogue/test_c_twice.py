"""C, continued. Money that comes twice, or for what was cancelled meanwhile: it goes back, and harms nobody."""

import pytest

from entries.models import Entry, EntryStatus
from entries.services.lost_places import void_entry
from entries.services.places import Because
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.models import Receipt, WebhookEvent
from payments.services.inbox import process_event, sweep_events
from tests.support.buying_back import ask, fallen_in, generous_pool
from tests.support.calls import call
from tests.support.payments import deliver, paid_behind_our_back, started
from tests.support.stories import (
    IN_THE_POT,
    KEPT,
    RETURNED,
    about_money,
    agreed_books,
    catch_up,
    given_back,
    looked_into,
    receipts_of,
    refunds_of,
    standing,
    sum_of,
    went_back,
)
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)


class TestTwoPayments:
    def test_37_of_two_paid_sessions_the_first_buys_the_place_and_the_second_goes_back_without_touching_it(
        self, api, player, owing, double, mailoutbox, finance
    ):
        second = paid_behind_our_back(owing, double)
        first = started(api(player), owing)
        assert double.pay(first.checkout_url)[0] == 200
        looked_into(double, first)

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
        looked_into(double, payment)
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


def receipts_by_payment(*payments):
    found = {one.payment_id: (one.status, one.unapplied_because) for one in Receipt.objects.all()}
    return [found[payment.pk] for payment in payments]
