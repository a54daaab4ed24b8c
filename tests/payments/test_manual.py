"""Money by hand: written down by one, confirmed by another, and only then what it is."""

from datetime import timedelta

import pytest

from config import outbox
from config.clock import database_now
from config.errors import DomainError
from entries.models import Entry, PaymentStatus, Reprieve, RequestStatus
from payments.models import (
    Discrepancy,
    ManualRecord,
    ManualRecordChange,
    ManualState,
    Payment,
    PaymentState,
    Receipt,
    ReceiptState,
    Refund,
    RefundState,
)
from payments.providers.base import ProviderError
from payments.services.charge_state import apply_charge_state
from payments.services.manual import incoming
from payments.services.manual.deciding import confirm_record, reject_record
from payments.services.manual.evidence import Scan
from payments.services.manual.outgoing import hand_back
from payments.services.provider_state import Source, apply_provider_state
from payments.services.refunds.deciding import approve_refund, decline_refund, give_back_place, request_refund
from payments.services.sweep import sweep_payments
from payments.services.waivers import waive_fee
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, payment_for
from tests.support.buying_back import ask, fallen_in, generous_pool
from tests.support.by_hand import PDF, cash, paid_by_hand, recorded, transfer
from tests.support.charging import balance, balances
from tests.support.payments import start, started

pytestmark = pytest.mark.django_db(transaction=True)


def refusal_of(call):
    with pytest.raises(DomainError) as refusal:
        call()
    return refusal.value


def code_of(call):
    return refusal_of(call).code


@pytest.fixture
def colleague(db):
    return FinanceFactory()


class TestRecording:
    def test_nothing_counts_yet(self, unpaid, finance):
        record = recorded(unpaid, by=finance, handover=cash("receipt 7", note=" on the table "))

        payment = Payment.objects.get()
        assert (record.status, record.recorded_by, record.note) == (ManualState.RECORDED, finance, "on the table")
        assert (payment.provider, payment.status, payment.provider_reference) == (
            "manual",
            PaymentState.PROCESSING,
            f"manual_{record.pk}",
        )
        assert (payment.amount_cents, payment.currency) == (5000, "usd")
        assert not Entry.objects.exists()
        assert not Receipt.objects.exists()
        assert balances() == {}

    def test_the_record_has_its_name_in_the_history(self, unpaid, finance):
        recorded(unpaid, by=finance)

        change = ManualRecordChange.objects.get()
        assert (change.to_status, change.actor_id) == ("recorded", finance.pk)
        assert change.reason.startswith("recorded cash receipt")

    def test_evidence_stands_beside_it(self, unpaid, finance):
        record = recorded(unpaid, by=finance, handover=transfer())

        scan = record.evidence.get()
        assert (scan.name, scan.content_type, scan.size) == ("statement.pdf", "application/pdf", len(PDF))
        assert bytes(scan.content) == PDF

    @pytest.mark.parametrize("method", ["cheque", "transfer"])
    def test_of_a_cheque_and_a_transfer_evidence_is_needed(self, unpaid, method):
        refusal = refusal_of(lambda: recorded(unpaid, handover=cash(method=method)))

        assert (refusal.code, list(refusal.details)) == ("VALIDATION_ERROR", ["evidence"])

    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("method", {"method": "barter"}),
            ("reference", {"reference": "   "}),
            ("reference", {"reference": "x" * 101}),
            ("note", {"note": "x" * 501}),
        ],
    )
    def test_fields_are_checked(self, unpaid, field, changes):
        refusal = refusal_of(lambda: recorded(unpaid, handover=cash(**({"reference": "1"} | changes))))

        assert (refusal.code, list(refusal.details)) == ("VALIDATION_ERROR", [field])
        assert not Payment.objects.exists()

    def test_the_future_is_not_recorded(self, unpaid):
        late = cash(passed_at=database_now() + timedelta(minutes=1))

        assert list(refusal_of(lambda: recorded(unpaid, handover=late)).details) == ["passed_at"]

    @pytest.mark.parametrize("amount", [0, -1, 2**31])
    def test_no_money_is_no_money(self, unpaid, amount):
        assert list(refusal_of(lambda: recorded(unpaid, amount_cents=amount)).details) == ["amount_cents"]

    @pytest.mark.parametrize("currency", ["", "xxx", "dollars"])
    def test_a_currency_that_is_none(self, unpaid, currency):
        assert list(refusal_of(lambda: recorded(unpaid, currency=currency)).details) == ["currency"]

    def test_nobody_records_an_own_payment(self, finance):
        own = RequestFactory(approved=True, user=finance)

        assert code_of(lambda: recorded(own, by=finance)) == "FORBIDDEN"

    def test_a_request_that_is_not_there(self, finance):
        def call():
            incoming.record_payment(
                request_id=7, handover=cash(), amount_cents=1, currency="usd", by=finance, now=database_now()
            )

        assert code_of(call) == "NOT_FOUND"

    def test_a_request_that_nobody_approved(self):
        assert code_of(lambda: recorded(RequestFactory())) == "PAYMENT_NOT_DUE"
        assert not Payment.objects.exists()

    def test_a_second_record_of_the_request_waits_for_the_first(self, unpaid):
        first = recorded(unpaid)

        refusal = refusal_of(lambda: recorded(unpaid))

        assert (refusal.code, refusal.details) == ("VERSION_CONFLICT", {"record": first.pk})

    @pytest.mark.parametrize("reference", ["bank 7", "  bank   7 "])
    def test_a_number_is_used_once_and_the_other_record_is_named(self, unpaid, finance, reference):
        first = recorded(unpaid, by=finance, handover=transfer("bank 7"))
        other = RequestFactory(approved=True)

        refusal = refusal_of(lambda: recorded(other, handover=transfer(reference)))

        assert (refusal.code, refusal.details) == ("REFERENCE_USED", {"record": first.pk})
        assert finance.display_name in refusal.message
        assert ManualRecord.objects.count() == Payment.objects.count() == 1

    def test_the_same_number_of_another_method_is_another_number(self, unpaid):
        recorded(unpaid, handover=transfer("7"))
        recorded(RequestFactory(approved=True), handover=cash("7"))

        assert ManualRecord.objects.count() == 2

    def test_money_that_is_elsewhere_on_its_way_is_waited_for(self, unpaid):
        payment = payment_for(unpaid, status=PaymentState.PROCESSING)

        assert refusal_of(lambda: recorded(unpaid)).details == {"payment": payment.pk}


class TestAnOpenPage:
    def test_it_is_closed_first(self, api, player, unpaid, double):
        payment = started(api(player), unpaid)

        recorded(unpaid)

        payment.refresh_from_db()
        assert payment.status == PaymentState.CANCELLED
        assert double.pay(f"{double.base_url}/pay/{payment.provider_reference}")[0] == 410

    def test_whoever_paid_there_meanwhile_has_paid_twice(self, api, player, unpaid, double):
        double.pay(started(api(player), unpaid).checkout_url)

        paid_by_hand(unpaid)

        card, by_hand = Receipt.objects.order_by("pk")
        assert (card.provider, card.status) == ("stripe", ReceiptState.ALLOCATED)
        assert (by_hand.provider, by_hand.status, by_hand.unapplied_because) == ("manual", "unapplied", "duplicate")
        assert Discrepancy.objects.get().kind == "duplicate_payment"
        assert not Refund.objects.exists()

    def test_while_it_cannot_be_closed_nothing_is_recorded(self, api, player, unpaid, double, settings):
        started(api(player), unpaid)
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        with pytest.raises(ProviderError):
            recorded(unpaid)

        assert not ManualRecord.objects.exists()

    def test_a_page_opened_in_between_is_closed_as_well(self, api, player, unpaid, double, monkeypatch):
        end, opened = incoming._end_pages, []

        def end_and_open(request_id, by):
            end(request_id, by)
            if not opened:
                opened.append(started(api(player), unpaid))

        monkeypatch.setattr(incoming, "_end_pages", end_and_open)
        recorded(unpaid)

        opened[0].refresh_from_db()
        assert opened[0].status == PaymentState.CANCELLED

    def test_no_page_is_opened_while_a_record_waits(self, api, player, unpaid, double):
        recorded(unpaid)

        data = start(api(player), unpaid).json()["data"]

        assert (data["provider"], data["status"], data["checkout_url"]) == ("manual", "pending", None)
        assert double.state()["objects"].get("checkout.session", []) == []

    def test_where_fees_are_paid_by_hand_alone_no_page_is_opened(self, api, player, unpaid, settings):
        settings.PAYMENT_PROVIDER = "manual"

        answer = start(api(player), unpaid)

        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "PAYMENT_NOT_DUE")
        assert not Payment.objects.exists()


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

        assert code_of(lambda: confirm_record(record_id=record.pk, by=finance)) == "FORBIDDEN"
        assert not Receipt.objects.exists()

    def test_the_player_cannot(self, finance):
        own = RequestFactory(approved=True, user=finance)
        record = recorded(own)

        assert code_of(lambda: confirm_record(record_id=record.pk, by=finance)) == "FORBIDDEN"
        assert not Receipt.objects.exists()

    def test_it_is_confirmed_once(self, unpaid, colleague):
        record = paid_by_hand(unpaid)

        assert code_of(lambda: confirm_record(record_id=record.pk, by=colleague)) == "INVALID_TRANSITION"
        assert Receipt.objects.count() == 1

    def test_one_that_is_not_there(self, finance):
        assert code_of(lambda: confirm_record(record_id=7, by=finance)) == "NOT_FOUND"

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

        refusal = code_of(lambda: waive_fee(request_id=request.pk, by=finance, reason="a gift", now=database_now()))

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

        assert code_of(lambda: reject_record(record_id=record.pk, by=colleague, reason=reason)) == "VALIDATION_ERROR"

    def test_the_recorder_cannot(self, unpaid, finance):
        record = recorded(unpaid, by=finance)

        assert code_of(lambda: reject_record(record_id=record.pk, by=finance, reason="oh")) == "FORBIDDEN"

    def test_what_is_confirmed_stays(self, unpaid, colleague):
        record = paid_by_hand(unpaid)

        assert code_of(lambda: reject_record(record_id=record.pk, by=colleague, reason="oh")) == "INVALID_TRANSITION"


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


class TestGivingBack:
    def wished(self, by, *, taken_from="house", amount_cents=2000, **how):
        return request_refund(
            receipt_id=Receipt.objects.get().pk, amount_cents=amount_cents, taken_from=taken_from, reason="goodwill",
            by=by, now=database_now(), manual=how.get("manual", cash()),
        )  # fmt: skip

    def test_its_second_name_is_the_refunds(self, unpaid, finance, colleague):
        paid_by_hand(unpaid)
        refund = self.wished(finance)
        assert (refund.status, refund.manual_record.status) == (RefundState.REQUESTED, ManualState.RECORDED)

        confirm_record(record_id=refund.manual_record.pk, by=colleague)

        refund.refresh_from_db()
        assert (refund.status, refund.approved_by, refund.provider_reference) == (
            RefundState.SUCCEEDED,
            colleague,
            f"manual_{refund.manual_record.pk}",
        )
        assert balance("clearing", provider="manual") == 3000
        assert balance("refund_payable") == 0

    def test_approving_the_refund_confirms_its_record(self, unpaid, finance, colleague):
        paid_by_hand(unpaid)
        refund = self.wished(finance)

        approve_refund(refund_id=refund.pk, by=colleague)
        outbox.drain()

        refund.refresh_from_db()
        assert (refund.status, ManualRecord.objects.get(refund=refund).status) == ("succeeded", "confirmed")

    def test_declining_it_turns_the_record_down(self, unpaid, finance, colleague):
        paid_by_hand(unpaid)
        refund = self.wished(finance)

        decline_refund(refund_id=refund.pk, by=colleague, reason="no")

        assert ManualRecord.objects.get(refund=refund).status == ManualState.REJECTED

    def test_turning_the_record_down_declines_it(self, unpaid, finance, colleague):
        paid_by_hand(unpaid)
        refund = self.wished(finance)

        reject_record(record_id=refund.manual_record.pk, by=colleague, reason="no")

        refund.refresh_from_db()
        assert refund.status == RefundState.CANCELLED
        assert balance("clearing", provider="manual") == 5000

    def test_who_asked_cannot_confirm(self, unpaid, finance):
        paid_by_hand(unpaid)
        refund = self.wished(finance)

        assert code_of(lambda: confirm_record(record_id=refund.manual_record.pk, by=finance)) == "FORBIDDEN"
        refund.refresh_from_db()
        assert refund.status == RefundState.REQUESTED

    def test_what_was_decided_waits_for_its_handover(self, unpaid, finance, colleague):
        """As in a cancelled pool: the refund is decided, and somebody has to hand the money over."""
        paid_by_hand(unpaid)
        refund = give_back_place(receipt=Receipt.objects.get(), origin="cancellation", reason="off", by=finance)
        outbox.drain()
        refund.refresh_from_db()
        assert (refund.status, refund.pending_reason) == (RefundState.PENDING, "not_handed_over")
        assert balance("clearing", provider="manual") == 5000

        record = hand_back(refund_id=refund.pk, handover=cash(), by=finance)
        assert code_of(lambda: hand_back(refund_id=refund.pk, handover=cash(), by=finance)) == "VERSION_CONFLICT"
        confirm_record(record_id=record.pk, by=colleague)

        refund.refresh_from_db()
        assert refund.status == RefundState.SUCCEEDED
        assert balance("clearing", provider="manual") == balance("refund_payable") == 0
        assert Receipt.objects.get().status == ReceiptState.RETURNED

    def test_nothing_is_handed_over_for_a_refund_to_a_card(self, unpaid, finance):
        paid_entry(unpaid)
        refund = request_refund(
            receipt_id=Receipt.objects.get().pk, amount_cents=100, taken_from="house", reason="x", by=finance,
            now=database_now(),
        )  # fmt: skip

        refusal = code_of(lambda: hand_back(refund_id=refund.pk, handover=cash(), by=finance))

        assert refusal == "INVALID_TRANSITION"

    def test_nobody_hands_money_to_themselves(self, finance, colleague):
        paid_by_hand(RequestFactory(approved=True, user=finance))
        refund = give_back_place(receipt=Receipt.objects.get(), origin="cancellation", reason="off", by=colleague)

        assert code_of(lambda: hand_back(refund_id=refund.pk, handover=cash(), by=finance)) == "FORBIDDEN"

    def test_a_refund_that_is_not_there(self, finance):
        assert code_of(lambda: hand_back(refund_id=7, handover=cash(), by=finance)) == "NOT_FOUND"


def die(**_):
    raise KeyboardInterrupt


def test_too_many_scans_are_not_kept(unpaid):
    scans = tuple(Scan(f"{number}.pdf", PDF + str(number).encode()) for number in range(4))

    assert list(refusal_of(lambda: recorded(unpaid, handover=cash(evidence=scans))).details) == ["evidence"]
