"""The second name under money by hand: from then on it counts, or it never does."""

from datetime import timedelta

import pytest

from config import outbox
from config.clock import database_now
from entries.models import Entry, PaymentStatus, Reprieve, RequestStatus
from payments.models import (
    Discrepancy,
    ManualRecord,
    Payment,
    PaymentState,
    Receipt,
    ReceiptState,
    Refund,
)
from payments.services.charge_state import apply_charge_state
from payments.services.manual.deciding import confirm_record, reject_record
from payments.services.provider_state import Source, apply_provider_state
from payments.services.sweep import sweep_payments
from payments.services.waivers import waive_fee
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry
from tests.support.buying_back import ask, fallen_in, generous_pool
from tests.support.by_hand import cash, paid_by_hand, recorded
from tests.support.charging import balance
from tests.support.refusals import refused

pytestmark = pytest.mark.django_db(transaction=True)


def die(**_):
    raise KeyboardInterrupt


class TestConfirming:
    def test_the_second_name_makes_the_entry(self, unpaid, finance, colleague):
        record = confirm_record(record_id=recorded(unpaid, by=finance).pk, by=colleague)

        receipt = Receipt.objects.get()
        unpaid.refresh_from_db()
        assert (record.status, record.recorded_by, record.decided_by) == ("confirmed", finance, colleague)
        assert record.decided_at is not None
        assert (receipt.provider, receipt.charge_id) == ("manual", f"manual_{record.pk}")
        assert (receipt.status, receipt.entry, receipt.received_at) == (
            "allocated",
            Entry.objects.get(),
            record.passed_at,
        )
        assert unpaid.payment_status == PaymentStatus.COMPLETED
        assert Payment.objects.get().status == PaymentState.SUCCEEDED

    def test_it_is_on_an_account_of_its_own_without_a_fee(self, unpaid):
        paid_by_hand(unpaid)
        apply_charge_state(receipt_id=Receipt.objects.get().pk, source=Source.ADMIN)

        assert balance("clearing", provider="manual") == 5000
        assert balance("clearing", provider="stripe") == balance("provider_fees", provider="manual") == 0
        assert balance("prize_pot", pool=unpaid.pool_id) == -5000

    def test_the_recorder_cannot(self, unpaid, finance):
        record = recorded(unpaid, by=finance)

        assert refused(lambda: confirm_record(record_id=record.pk, by=finance)) == "FORBIDDEN"
        assert not Receipt.objects.exists()

    def test_the_player_cannot(self, finance):
        own = RequestFactory(approved=True, user=finance)
        record = recorded(own)

        assert refused(lambda: confirm_record(record_id=record.pk, by=finance)) == "FORBIDDEN"
        assert not Receipt.objects.exists()

    def test_it_is_confirmed_once(self, unpaid, colleague):
        record = paid_by_hand(unpaid)

        assert refused(lambda: confirm_record(record_id=record.pk, by=colleague)) == "INVALID_TRANSITION"
        assert Receipt.objects.count() == 1

    def test_one_that_is_not_there(self, finance):
        assert refused(lambda: confirm_record(record_id=7, by=finance)) == "NOT_FOUND"

    def test_a_crash_after_the_word_only_delays_what_follows(self, unpaid, colleague, monkeypatch):
        record = recorded(unpaid)
        monkeypatch.setattr("payments.services.manual.deciding.apply_provider_state", die)
        with pytest.raises(KeyboardInterrupt):
            confirm_record(record_id=record.pk, by=colleague)
        assert not Receipt.objects.exists()
        monkeypatch.undo()

        outbox.drain()

        assert Receipt.objects.get().entry == Entry.objects.get()

    def test_the_sweep_finds_it_too(self, unpaid, colleague, monkeypatch):
        record = recorded(unpaid)
        ManualRecord.objects.filter(pk=record.pk).update(
            status="confirmed", decided_by=colleague, decided_at=database_now()
        )

        sweep_payments(patience=timedelta())

        assert Receipt.objects.get().status == ReceiptState.ALLOCATED

    def test_asking_about_one_that_waits_changes_nothing(self, unpaid):
        record = recorded(unpaid)

        apply_provider_state(payment_id=record.payment_id, source=Source.ADMIN, end=True)

        assert Payment.objects.get().status == PaymentState.PROCESSING


class TestABuyBack:
    def test_it_is_paid_by_hand_like_a_place(self, player):
        fallen = fallen_in(generous_pool(), owner=player)
        request = ask(fallen)

        paid_by_hand(request, amount_cents=2500)

        receipt = Receipt.objects.get()
        assert (receipt.status, receipt.entry, receipt.amount_cents) == (ReceiptState.ALLOCATED, fallen, 2500)
        assert Reprieve.objects.get().request == request

    def test_while_a_record_waits_nothing_is_waived(self, player, finance):
        request = ask(fallen_in(generous_pool(), owner=player))
        recorded(request, amount_cents=2500)

        refusal = refused(lambda: waive_fee(request_id=request.pk, by=finance, reason="a gift", now=database_now()))

        assert refusal == "VERSION_CONFLICT"


class TestTurningDown:
    def test_it_counts_for_nothing(self, unpaid, colleague):
        record = reject_record(record_id=recorded(unpaid).pk, by=colleague, reason=" the note is false ")

        unpaid.refresh_from_db()
        payment = Payment.objects.get()
        assert (record.status, record.decision_reason) == ("rejected", "the note is false")
        assert (payment.status, payment.failure) == (PaymentState.FAILED, "turned_down")
        assert unpaid.payment_status == PaymentStatus.FAILED
        assert not Receipt.objects.exists()

    def test_its_number_is_free_and_the_request_can_be_paid(self, unpaid, colleague):
        reject_record(record_id=recorded(unpaid, handover=cash("7")).pk, by=colleague, reason="typed wrongly")

        paid_by_hand(unpaid, handover=cash("7"))

        assert Entry.objects.get().request == unpaid

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_a_reason_is_needed(self, unpaid, colleague, reason):
        record = recorded(unpaid)

        assert refused(lambda: reject_record(record_id=record.pk, by=colleague, reason=reason)) == "VALIDATION_ERROR"

    def test_the_recorder_cannot(self, unpaid, finance):
        record = recorded(unpaid, by=finance)

        assert refused(lambda: reject_record(record_id=record.pk, by=finance, reason="oh")) == "FORBIDDEN"

    def test_what_is_confirmed_stays(self, unpaid, colleague):
        record = paid_by_hand(unpaid)

        assert refused(lambda: reject_record(record_id=record.pk, by=colleague, reason="oh")) == "INVALID_TRANSITION"


class TestMoneyWithoutAPlace:
    """It is in hand, so it is booked; it never goes back by itself."""

    def held(self):
        receipt = Receipt.objects.get(provider="manual")
        assert not Refund.objects.exists()
        assert balance("unallocated") == -receipt.amount_cents
        return receipt.status, receipt.unapplied_because, Discrepancy.objects.get().kind

    def test_of_a_paid_request(self):
        entry = paid_entry()

        paid_by_hand(entry.request)

        assert self.held() == ("unapplied", "duplicate", "duplicate_payment")

    @pytest.mark.parametrize("status", [RequestStatus.WITHDRAWN, RequestStatus.EXPIRED])
    def test_of_a_request_that_is_over(self, unpaid, status):
        type(unpaid).objects.filter(pk=unpaid.pk).update(status=status)

        paid_by_hand(unpaid)

        assert self.held() == ("unapplied", str(status), "held_money")

    def test_of_another_amount(self, unpaid):
        paid_by_hand(unpaid, amount_cents=4999)

        assert self.held() == ("unapplied", "wrong_amount", "amount_mismatch")

    def test_of_another_currency(self, unpaid):
        paid_by_hand(unpaid, currency="EUR")

        assert self.held() == ("unapplied", "wrong_currency", "currency_mismatch")
        assert Receipt.objects.get().currency == "eur"

    def test_that_came_too_late(self, unpaid):
        type(unpaid).objects.filter(pk=unpaid.pk).update(pay_by=database_now() - timedelta(hours=1))

        paid_by_hand(unpaid)

        assert self.held() == ("unapplied", "too_late", "held_money")

    def test_of_a_free_place(self):
        free = RequestFactory(paid=True, fee_cents=0)

        paid_by_hand(free)

        assert Receipt.objects.get().status == "unapplied"

    def test_in_time_is_when_it_changed_hands(self, unpaid):
        an_hour_ago = database_now() - timedelta(hours=1)
        type(unpaid).objects.filter(pk=unpaid.pk).update(pay_by=an_hour_ago)

        paid_by_hand(unpaid, handover=cash(passed_at=an_hour_ago - timedelta(minutes=1)))

        assert Receipt.objects.get().status == ReceiptState.ALLOCATED
