"""The one routine by which money state changes, and every way in which money can come at a bad moment."""

import itertools
import time
from datetime import timedelta

import pytest
from django.db import DatabaseError

from config import outbox
from config.clock import database_now
from config.models import OutboxMessage
from entries.models import Entry, PaymentStatus, RequestChange, RequestStatus
from entries.services.expiry import expire_unpaid
from entries.services.requests import withdraw_request
from payments.models import Discrepancy, Payment, PaymentChange, PaymentState, Receipt, ReceiptChange, Refund
from payments.providers.faults import NotThere, Unreachable
from payments.services import sessions
from payments.services.provider_state import Source, apply_facts, apply_provider_state
from pools.models import PoolStatus
from tests.factories.entries import RequestFactory
from tests.support.outbox import no_outbox
from tests.support.payments import DECLINED, paid_behind_our_back, started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payment(api, player, unpaid, double):
    """A payment with an open session."""
    return started(api(player), unpaid)


@pytest.fixture
def paid(payment, double):
    """The same, paid on the hosted page; nobody has told us yet."""
    assert double.pay(payment.checkout_url)[0] == 200
    return payment


def learn(payment, source=Source.WEBHOOK, **how):
    return apply_provider_state(payment_id=payment.pk, source=source, **how)


def facts_of(payment):
    return sessions.provider_named("stripe").fetch(payment.provider_reference)


class TestMoneyInTime:
    def test_it_becomes_an_entry_with_its_receipt(self, paid, unpaid, player, double):
        learn(paid)

        unpaid.refresh_from_db()
        receipt, entry = Receipt.objects.get(), Entry.objects.get()
        (charge,) = double.state()["objects"]["charge"]
        assert Payment.objects.get().status == PaymentState.SUCCEEDED
        assert unpaid.payment_status == PaymentStatus.COMPLETED
        assert (entry.request, entry.user, entry.number, entry.status) == (unpaid, player, 1, "active")
        assert (receipt.payment, receipt.entry, receipt.status) == (paid, entry, "allocated")
        assert (receipt.charge_id, receipt.amount_cents, receipt.currency) == (charge["id"], 5000, "usd")
        assert receipt.received_at.timestamp() == charge["created"]
        assert receipt.source == "webhook"

    def test_learning_it_again_changes_nothing(self, paid):
        learn(paid)
        before = everything()

        for source in Source:
            learn(paid, source)

        assert everything() == before

    def test_acting_on_the_same_facts_again_changes_nothing(self, paid):
        facts = facts_of(paid)
        apply_facts(paid, facts, source=Source.WEBHOOK)
        before = everything()

        apply_facts(paid, facts, source=Source.SWEEP)

        assert everything() == before

    def test_the_receipt_goes_out_once_by_mail(self, paid, player, mailoutbox):
        learn(paid)
        learn(paid, Source.SWEEP)
        outbox.drain()

        receipts = [mail for mail in mailoutbox if mail.subject.startswith("Receipt")]
        (receipt,) = receipts
        assert receipt.to == [player.email]
        assert receipt.subject == f"Receipt: 50.00 USD for {paid.request.pool.name}"
        assert Receipt.objects.get().charge_id in receipt.body

    def test_who_asked_again_is_on_record(self, paid, finance):
        learn(paid, Source.ADMIN, by=finance)

        change = PaymentChange.objects.get(subject_id=paid.pk, to_status="succeeded")
        assert (change.actor_id, change.reason) == (finance.pk, "the provider's state, learned by admin")
        assert RequestChange.objects.order_by("-id").first().actor_id == finance.pk
        assert ReceiptChange.objects.get().to_status == "allocated"

    def test_paid_in_time_but_heard_of_late_is_granted(self, paid, unpaid):
        unpaid.pay_by = charged_at(paid) + timedelta(seconds=1)
        unpaid.save(update_fields=["pay_by"])
        wait_until(unpaid.pay_by)

        learn(paid)

        assert Entry.objects.get().request == unpaid

    def test_an_open_payment_keeps_the_place_until_the_provider_has_said(self, paid, unpaid):
        unpaid.pay_by = charged_at(paid) + timedelta(seconds=1)
        unpaid.save(update_fields=["pay_by"])
        wait_until(unpaid.pay_by)

        assert expire_unpaid(now=database_now()) == 0
        learn(paid, Source.SWEEP)

        assert Entry.objects.get().request == unpaid


class TestMoneyAtABadMoment:
    """Booked, and on its way back or held for a person; told to the player; never an entry, and never lost."""

    def test_after_the_time_to_pay(self, paid, unpaid):
        unpaid.pay_by = charged_at(paid) - timedelta(seconds=1)
        unpaid.save(update_fields=["pay_by"])

        assert sent_back(paid) == "too_late"

    @pytest.mark.parametrize("status", [PoolStatus.CANCELLED, PoolStatus.FINISHED])
    def test_after_the_pool_was_closed(self, paid, unpaid, status):
        unpaid.pool.status = status
        unpaid.pool.save(update_fields=["status"])

        assert sent_back(paid) == "pool_closed"

    def test_after_the_request_was_withdrawn(self, paid, unpaid, player):
        withdraw_request(request=unpaid, by=player, now=database_now())

        assert sent_back(paid) == "withdrawn"

    def test_after_the_request_expired(self, paid, unpaid):
        unpaid.status, unpaid.payment_status = RequestStatus.EXPIRED, PaymentStatus.NOT_DUE
        unpaid.save(update_fields=["status", "payment_status"])

        assert sent_back(paid) == "expired"

    def test_a_second_payment_for_a_paid_request(self, paid, unpaid, player, double):
        second = paid_behind_our_back(unpaid, double)
        learn(paid)

        assert sent_back(second) == "duplicate"
        assert Entry.objects.count() == 1
        assert sorted(Receipt.objects.values_list("status", flat=True)) == ["allocated", "returning"]

    @pytest.mark.parametrize("amount", [4999, 5001, 50])
    def test_another_amount_than_asked_for(self, unpaid, double, amount):
        assert held(paid_behind_our_back(unpaid, double, asked_cents=amount)) == "wrong_amount"
        assert Receipt.objects.get().amount_cents == amount

    def test_another_currency_than_asked_for(self, unpaid, double):
        assert held(paid_behind_our_back(unpaid, double, asked_currency="eur")) == "wrong_currency"
        assert Receipt.objects.get().currency == "eur"

    def test_the_player_is_told_by_mail(self, paid, unpaid, player, mailoutbox):
        unpaid.pool.status = PoolStatus.CANCELLED
        unpaid.pool.save(update_fields=["status"])
        learn(paid)
        outbox.drain()

        (mail,) = [mail for mail in mailoutbox if mail.subject.startswith("Your payment of 50.00 USD")]
        assert mail.to == [player.email]
        assert "the pool is closed or was cancelled" in mail.body
        assert "All of it goes back to where it came from" in mail.body

    def test_the_player_is_told_that_it_waits(self, unpaid, player, double, mailoutbox):
        learn(paid_behind_our_back(unpaid, double, asked_cents=4999))
        outbox.drain()

        (mail,) = [mail for mail in mailoutbox if mail.subject.startswith("About your payment")]
        assert mail.to == [player.email]
        assert "it is not the amount that was asked for" in mail.body
        assert "Your money is safe" in mail.body

    def test_where_nothing_goes_back_by_itself_all_of_it_waits(self, paid, unpaid, player, settings):
        settings.AUTO_RETURN = False
        withdraw_request(request=unpaid, by=player, now=database_now())

        assert held(paid) == "withdrawn"
        assert Discrepancy.objects.get().kind == "held_money"


class TestNoMoney:
    def test_a_declined_card_is_told_and_the_session_stays_open(self, payment, unpaid, double):
        double.pay(payment.checkout_url, DECLINED)

        learn(payment)

        payment.refresh_from_db()
        unpaid.refresh_from_db()
        assert (payment.status, payment.failure) == (PaymentState.OPEN, "card_declined")
        assert unpaid.payment_status == PaymentStatus.FAILED
        assert not Receipt.objects.exists()

    def test_a_good_card_after_a_declined_one_pays(self, payment, unpaid, double):
        double.pay(payment.checkout_url, DECLINED)
        learn(payment)
        double.pay(payment.checkout_url)

        learn(payment)

        unpaid.refresh_from_db()
        assert unpaid.payment_status == PaymentStatus.COMPLETED
        assert Entry.objects.count() == 1

    def test_an_expired_session_cancels_the_payment_and_the_request_stays_payable(self, payment, unpaid, double):
        double.advance(2 * 3600)

        learn(payment)

        payment.refresh_from_db()
        unpaid.refresh_from_db()
        assert (payment.status, payment.checkout_url) == (PaymentState.CANCELLED, "")
        assert (unpaid.status, unpaid.payment_status) == (RequestStatus.APPROVED, PaymentStatus.PENDING)

    def test_a_cancelled_payment_that_turns_out_paid_is_booked(self, paid, unpaid):
        Payment.objects.update(status=PaymentState.CANCELLED)

        learn(paid)

        assert Payment.objects.get().status == PaymentState.SUCCEEDED
        assert Entry.objects.get().request == unpaid

    def test_older_news_than_known_changes_nothing(self, payment, double):
        opened = facts_of(payment)
        double.pay(payment.checkout_url)
        learn(payment)
        before = everything()

        apply_facts(payment, opened, source=Source.SWEEP)

        assert everything() == before

    def test_the_order_of_news_does_not_matter(self, payment, unpaid, double):
        """Whatever is heard in whatever order, the last truth stands."""
        story = [facts_of(payment)]
        double.pay(payment.checkout_url, DECLINED)
        story.append(facts_of(payment))
        double.pay(payment.checkout_url)
        story.append(facts_of(payment))

        for order in itertools.permutations(story):
            for facts in order:
                apply_facts(payment, facts, source=Source.WEBHOOK)
            unpaid.refresh_from_db()
            assert unpaid.payment_status == PaymentStatus.COMPLETED
            assert Payment.objects.get().status == PaymentState.SUCCEEDED
            assert Entry.objects.count() == Receipt.objects.count() == 1


class TestEndingSessions:
    def test_a_session_of_a_withdrawn_request_is_ended(self, payment, unpaid, player, double):
        withdraw_request(request=unpaid, by=player, now=database_now())

        learn(payment, Source.SWEEP)

        assert Payment.objects.get().status == PaymentState.CANCELLED
        assert double.pay(payment.checkout_url)[0] == 410

    def test_a_session_is_ended_when_the_time_to_pay_is_over(self, payment, unpaid, double):
        unpaid.pay_by = database_now() - timedelta(seconds=1)
        unpaid.save(update_fields=["pay_by"])

        learn(payment, Source.SWEEP)

        assert double.pay(payment.checkout_url)[0] == 410
        assert expire_unpaid(now=database_now()) == 1

    def test_money_that_was_faster_than_the_end_is_booked(self, paid, unpaid, player):
        withdraw_request(request=unpaid, by=player, now=database_now())

        learn(paid, Source.SWEEP, end=True)

        assert Receipt.objects.get().unapplied_because == "withdrawn"

    def test_a_session_that_can_still_be_paid_is_left_open(self, payment, double):
        learn(payment, Source.SWEEP)

        assert double.pay(payment.checkout_url)[0] == 200


class TestTrouble:
    def test_while_the_provider_is_away_nothing_changes(self, paid, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        before = everything()

        with pytest.raises(Unreachable):
            learn(paid)

        assert everything() == before

    def test_a_session_that_the_provider_does_not_know_changes_nothing(self, payment, double):
        double.reset()
        before = everything()

        with pytest.raises(NotThere):
            learn(payment)

        assert everything() == before

    def test_money_of_the_other_mode_is_not_booked(self, paid, double):
        double.fault(action="answer_livemode", method="GET", times=None)

        with pytest.raises(sessions.WrongSession):
            learn(paid)

        assert not Receipt.objects.exists()

    def test_a_session_of_somebody_else_is_not_adopted(self, paid, stranger, api, double):
        other = RequestFactory(approved=True, user=stranger)
        victim = Payment.objects.create(
            request=other, provider="stripe", amount_cents=5000, currency="usd", expires_at=database_now()
        )

        with pytest.raises(sessions.WrongSession):
            learn(victim, reference=paid.provider_reference)

        victim.refresh_from_db()
        assert victim.provider_reference == ""
        assert not Entry.objects.exists()

    def test_a_crash_between_money_and_mail_leaves_neither(self, paid):
        before = everything()

        with no_outbox(), pytest.raises(DatabaseError):
            learn(paid)

        assert everything() == before
        learn(paid)
        assert Entry.objects.count() == Receipt.objects.count() == 1


def held(payment):
    """Learn of it; the reason why the money was held. It is never an entry, and the payment has succeeded."""
    entries = Entry.objects.count()
    learn(payment)
    payment.refresh_from_db()
    receipt = Receipt.objects.get(payment=payment)
    assert payment.status == PaymentState.SUCCEEDED
    assert (receipt.status, receipt.entry) == ("unapplied", None)
    assert Entry.objects.count() == entries
    assert OutboxMessage.objects.filter(kind="mail.payment_held", payload__receipt=receipt.pk).count() == 1
    return receipt.unapplied_because


def sent_back(payment):
    """Learn of it; the reason why the money goes back. It is never an entry, and the payment has succeeded."""
    entries = Entry.objects.count()
    learn(payment)
    payment.refresh_from_db()
    receipt = Receipt.objects.get(payment=payment)
    refund = Refund.objects.get(receipt=receipt)
    assert payment.status == PaymentState.SUCCEEDED
    assert (receipt.status, receipt.entry) == ("returning", None)
    assert (refund.status, refund.origin, refund.taken_from) == ("sending", "auto", "unapplied")
    assert (refund.amount_cents, refund.currency) == (receipt.amount_cents, receipt.currency)
    assert Entry.objects.count() == entries
    assert OutboxMessage.objects.filter(kind="mail.payment_returned", payload__receipt=receipt.pk).count() == 1
    assert OutboxMessage.objects.filter(kind="refund.send", payload__refund=refund.pk).count() == 1
    assert refund.reason == receipt.unapplied_because
    return receipt.unapplied_because


def charged_at(payment):
    """The provider's instant of the charge."""
    return facts_of(payment).charge.paid_at


def wait_until(instant):
    while database_now() <= instant:
        time.sleep(0.1)


def everything():
    """Every row that money can touch, except when the provider was last asked."""
    watched = (Payment, PaymentChange, Receipt, ReceiptChange, Refund, Entry, RequestChange, OutboxMessage)
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name != "checked_at"}
            for row in model.objects.order_by("pk").values()
        ]
        for model in watched
    }
