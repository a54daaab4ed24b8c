"""Exclusions and spending limits where money is: what may begin, and what becomes of money that comes all the same."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import ExclusionKind
from accounts.services.exclusions import begin_exclusion
from accounts.services.spending import month_of, set_limit, state_of
from config import outbox
from config.clock import database_now
from entries.models import Entry
from payments.models import Payment, PaymentState, Receipt, Refund
from payments.services.allocating import allocate_again
from payments.services.books import broken
from payments.services.provider_state import Source, apply_provider_state
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, payment_for, refund_of, unapplied_money
from tests.factories.pools import PoolFactory
from tests.support.by_hand import paid_by_hand, recorded
from tests.support.payments import code_of, paid_behind_our_back, start, started
from tests.support.refunding import fresh
from tests.support.refusals import refusal_of

FEE = 5000


def exclude(user):
    return begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=7)


def limit(user, amount_cents, currency="usd"):
    return set_limit(user=user, currency=currency, amount_cents=amount_cents, now=database_now())


def spent(user, currency="usd", now=None):
    return state_of(user_id=user.pk, currency=currency, now=now or database_now()).spent_cents


def another(player, **fields):
    """One more approved request of the player's, in a pool of its own."""
    return RequestFactory(approved=True, user=player, **fields)


def backdate(payment, at):
    """As if the payment had been started then."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE payments_payment SET created_at = %s WHERE id = %s", [at, payment.pk])


@pytest.mark.django_db(transaction=True)
class TestStarting:
    def test_who_is_excluded_starts_no_payment(self, api, player, unpaid, double):
        exclusion = exclude(player)

        answer = start(api(player), unpaid)

        assert code_of(answer) == (403, "EXCLUDED")
        assert answer.json()["error"]["details"]["until"][:19] == f"{exclusion.until:%Y-%m-%dT%H:%M:%S}"
        assert not Payment.objects.exists()

    def test_nor_goes_on_with_one(self, api, player, unpaid, double):
        started(api(player), unpaid)
        exclude(player)

        assert code_of(start(api(player), unpaid, key="key-2")) == (403, "EXCLUDED")

    def test_a_fee_within_the_limit_is_started_and_counts(self, api, player, unpaid, double):
        limit(player, 2 * FEE - 1)

        started(api(player), unpaid)

        assert spent(player) == FEE
        answer = start(api(player), another(player), key="key-2")
        assert code_of(answer) == (422, "SPENDING_LIMIT_REACHED")
        assert answer.json()["error"]["details"] == {
            "limit_cents": 2 * FEE - 1,
            "spent_cents": FEE,
            "currency": "usd",
            "until": month_of(database_now()).ends_at.isoformat().replace("+00:00", "Z"),
        }
        assert Payment.objects.count() == 1

    def test_the_same_payment_again_is_counted_once(self, api, player, unpaid, double):
        limit(player, FEE)
        started(api(player), unpaid)

        started(api(player), unpaid, key="key-2")

    def test_under_a_lower_limit_it_is_not_gone_on_with(self, api, player, unpaid, double):
        started(api(player), unpaid)
        limit(player, FEE - 1)

        assert code_of(start(api(player), unpaid, key="key-2")) == (422, "SPENDING_LIMIT_REACHED")

    def test_a_payment_that_ended_unpaid_makes_room(self, api, player, unpaid, double):
        limit(player, FEE)
        payment = started(api(player), unpaid)
        apply_provider_state(payment_id=payment.pk, source=Source.SWEEP, end=True)

        started(api(player), another(player), key="key-2")

    def test_a_limit_of_another_currency_is_not_asked(self, api, player, unpaid, double):
        limit(player, 0, "eur")

        started(api(player), unpaid)

    def test_an_exclusion_closes_the_open_page(self, api, player, unpaid, double):
        payment = started(api(player), unpaid)

        exclude(player)
        outbox.drain()

        assert fresh(unpaid).status == "withdrawn"
        assert fresh(payment).status == PaymentState.CANCELLED
        assert double.pay(payment.checkout_url)[0] != 200


@pytest.mark.django_db(transaction=True)
class TestMoneyThatComes:
    def test_of_an_excluded_player_is_kept_with_its_reason(self, api, player, unpaid, double, mailoutbox):
        payment = started(api(player), unpaid)
        assert double.pay(payment.checkout_url)[0] == 200
        exclude(player)

        apply_provider_state(payment_id=payment.pk, source=Source.WEBHOOK)

        receipt = Receipt.objects.get()
        assert (receipt.status, receipt.unapplied_because, receipt.entry) == ("unapplied", "excluded", None)
        assert not Entry.objects.exists()
        assert not Refund.objects.exists()
        assert broken() == {}
        outbox.drain()
        assert any("you are excluded" in message.body for message in mailoutbox)

    def test_under_a_lower_limit_buys_what_was_started(self, api, player, unpaid, double):
        payment = started(api(player), unpaid)
        limit(player, 0)
        assert double.pay(payment.checkout_url)[0] == 200

        apply_provider_state(payment_id=payment.pk, source=Source.WEBHOOK)

        assert Receipt.objects.get().status == "allocated"

    def test_for_a_payment_given_up_does_not_pass_the_limit(self, api, player, unpaid, double, mailoutbox):
        """Its room was taken by the next one meanwhile."""
        limit(player, FEE)
        late = paid_behind_our_back(unpaid, double)
        started(api(player), another(player))

        apply_provider_state(payment_id=late.pk, source=Source.RECONCILE)

        receipt = Receipt.objects.get()
        assert (receipt.status, receipt.unapplied_because) == ("unapplied", "spending_limit")
        assert spent(player) == 2 * FEE
        assert broken() == {}
        outbox.drain()
        assert any("your own spending limit" in message.body for message in mailoutbox)

    def test_for_a_payment_given_up_buys_its_place_where_there_is_room(self, player, unpaid, double):
        limit(player, FEE)
        late = paid_behind_our_back(unpaid, double)

        apply_provider_state(payment_id=late.pk, source=Source.RECONCILE)

        assert Receipt.objects.get().status == "allocated"

    def test_by_hand_is_recorded_and_kept(self, player, unpaid):
        """It is in the house already: it is written down, and buys nothing."""
        exclude(player)

        paid_by_hand(unpaid)

        receipt = Receipt.objects.get()
        assert (receipt.status, receipt.unapplied_because) == ("unapplied", "excluded")
        assert not Entry.objects.exists()

    def test_by_hand_does_not_pass_the_limit(self, player, unpaid):
        limit(player, FEE - 1)

        paid_by_hand(unpaid)

        receipt = Receipt.objects.get()
        assert (receipt.status, receipt.unapplied_because) == ("unapplied", "spending_limit")

    def test_by_hand_takes_its_room_when_it_is_recorded(self, api, player, unpaid, double):
        limit(player, FEE)
        record = recorded(unpaid)

        assert code_of(start(api(player), another(player))) == (422, "SPENDING_LIMIT_REACHED")
        assert record.status == "recorded"

    def test_by_hand_within_the_limit_buys_its_place(self, player, unpaid):
        limit(player, FEE)

        paid_by_hand(unpaid)

        assert Receipt.objects.get().status == "allocated"


@pytest.mark.django_db
class TestAllocatingAgain:
    def test_not_while_the_player_is_excluded(self, player, finance):
        receipt = unapplied_money(another(player), because="player_gone")
        exclude(player)

        refusal = refusal_of(lambda: allocate_again(receipt_id=receipt.pk, by=finance, reason="let them in"))

        assert refusal.details == {"because": "excluded"}
        assert fresh(receipt).status == "unapplied"

    def test_not_beyond_the_limit(self, player, finance):
        limit(player, FEE)
        paid_entry(another(player))
        receipt = unapplied_money(another(player), because="spending_limit")

        refusal = refusal_of(lambda: allocate_again(receipt_id=receipt.pk, by=finance, reason="let them in"))

        assert refusal.details == {"because": "spending_limit"}

    def test_once_there_is_room(self, player, finance):
        limit(player, FEE)
        receipt = unapplied_money(another(player), because="spending_limit")

        allocate_again(receipt_id=receipt.pk, by=finance, reason="there is room now")

        assert fresh(receipt).status == "allocated"


@pytest.mark.django_db
class TestWhatCounts:
    @pytest.mark.parametrize("status", ["intent", "open", "processing", "unknown"])
    def test_whatever_is_started(self, player, status):
        payment_for(another(player), status=status)

        assert spent(player) == FEE

    @pytest.mark.parametrize("status", ["failed", "cancelled"])
    def test_nothing_that_ended_without_money(self, player, status):
        payment_for(another(player), status=status)

        assert spent(player) == 0

    def test_what_came_also_while_it_waits(self, player):
        paid_entry(another(player))
        unapplied_money(another(player), amount_cents=1200)

        assert spent(player) == FEE + 1200

    def test_less_what_went_back(self, player):
        receipt = unapplied_money(another(player))
        refund_of(receipt, amount_cents=2000)
        refund_of(receipt, amount_cents=1000, status="pending")

        assert spent(player) == FEE - 2000

    def test_a_refund_that_failed_did_not_go_back(self, player):
        refund_of(unapplied_money(another(player)), status="failed")

        assert spent(player) == FEE

    def test_each_player_and_each_currency_alone(self, player, stranger):
        paid_entry(another(stranger))
        paid_entry(another(player, pool=PoolFactory(currency="eur")))

        assert spent(player) == 0
        assert spent(player, "eur") == FEE

    def test_the_month_in_which_it_was_started(self, player):
        """Also of money that came in the next one, and of what went back in the next one."""
        begins = month_of(database_now()).begins_at
        receipt = unapplied_money(another(player))
        backdate(receipt.payment, begins - timedelta(microseconds=1))

        assert spent(player) == 0
        assert spent(player, now=begins - timedelta(days=1)) == FEE
        refund_of(receipt)
        assert spent(player) == 0
        assert spent(player, now=begins - timedelta(days=1)) == 0

    def test_the_first_instant_of_the_month(self, player):
        payment = payment_for(another(player))
        backdate(payment, month_of(database_now()).begins_at)

        assert spent(player) == FEE

    def test_prizes_are_no_money_back(self, player):
        entry = paid_entry(another(player))
        Entry.objects.filter(pk=entry.pk).update(status="winner", prize_cents=100_000)

        assert spent(player) == FEE
