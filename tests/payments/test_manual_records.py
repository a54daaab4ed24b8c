"""Writing down money by hand: what is asked, what is refused, and what becomes of an open page."""

from datetime import timedelta

import pytest

from config.clock import database_now
from entries.models import Entry
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
)
from payments.providers.faults import ProviderError
from payments.services.manual import incoming
from payments.services.manual.evidence import Scan
from tests.factories.entries import RequestFactory
from tests.factories.payments import payment_for
from tests.support.by_hand import PDF, cash, paid_by_hand, recorded, transfer
from tests.support.charging import balances
from tests.support.payments import start, started
from tests.support.refusals import refusal_of, refused

pytestmark = pytest.mark.django_db(transaction=True)


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

        assert refused(lambda: recorded(own, by=finance)) == "FORBIDDEN"

    def test_a_request_that_is_not_there(self, finance):
        def call():
            incoming.record_payment(
                request_id=7, handover=cash(), amount_cents=1, currency="usd", by=finance, now=database_now()
            )

        assert refused(call) == "NOT_FOUND"

    def test_a_request_that_nobody_approved(self):
        assert refused(lambda: recorded(RequestFactory())) == "PAYMENT_NOT_DUE"
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


def test_too_many_scans_are_not_kept(unpaid):
    scans = tuple(Scan(f"{number}.pdf", PDF + str(number).encode()) for number in range(4))

    assert list(refusal_of(lambda: recorded(unpaid, handover=cash(evidence=scans))).details) == ["evidence"]


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
