"""A third provider costs one file: nothing else names it, and money goes all its ways with it."""

from datetime import timedelta

import pytest
from django.test import Client

from config import outbox
from config.clock import database_now
from entries.models import Entry, PaymentStatus
from payments import providers
from payments.checks import payment_provider_is_known
from payments.models import Movement, Payment, PaymentState, Receipt, ReceiptState, Refund, RefundState, WebhookEvent
from payments.providers import online_provider, provider_named, provider_names, register
from payments.providers.base import RefundOrder
from payments.services.charge_state import apply_charge_state
from payments.services.inbox import sweep_events
from payments.services.refunds.deciding import request_refund
from payments.services.sweep import sweep_payments
from tests.support.charging import balance
from tests.support.payments import code_of, start
from tests.support.toy_provider import ToyProvider

pytestmark = pytest.mark.django_db(transaction=True)

PIGEON = """
from tests.support.toy_provider import ToyProvider

def adapter():
    return ToyProvider(name="pigeon")
"""


@pytest.fixture
def toy(settings, monkeypatch):
    monkeypatch.setattr(providers, "_registered", {})
    made = ToyProvider()
    register("toy", lambda: made)
    settings.PAYMENT_PROVIDER = "toy"
    return made


def bring(toy, event_type, event_id, **subject):
    """Post the toy's news as it would, and look into it."""
    body, signature = toy.notice(event_type, event_id, **subject)
    answer = Client().post(
        "/api/v1/webhooks/toy", body, content_type="application/json", headers={"Toy-Signature": signature}
    )
    sweep_events()
    return answer


def paid(api, player, toy, request):
    """A payment over the API, paid at the toy, which brings the news."""
    payment = Payment.objects.get(pk=start(api(player), request).json()["data"]["id"])
    toy.pay(payment.provider_reference)
    session = {"id": payment.provider_reference, "metadata": {"ref": str(payment.ref), "env": "test"}}
    assert bring(toy, "checkout.session.completed", f"evt-{payment.pk}", **session).status_code == 200
    return Receipt.objects.get(payment=payment)


class TestFinding:
    def test_those_of_the_house_are_known_without_being_loaded(self):
        assert {"manual", "stripe"} <= set(provider_names())
        assert not {"base", "notices"} & set(provider_names())

    def test_every_name_answers_with_an_adapter_of_that_name(self, double):
        assert [provider_named(name).name for name in provider_names()] == provider_names()

    def test_a_file_in_the_folder_is_all_that_a_provider_needs(self, tmp_path, monkeypatch):
        (tmp_path / "pigeon.py").write_text(PIGEON)
        monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])
        providers._modules.cache_clear()
        try:
            assert "pigeon" in provider_names()
            assert provider_named("pigeon").name == "pigeon"
        finally:
            monkeypatch.undo()
            providers._modules.cache_clear()

    def test_a_registered_name_is_asked_each_time(self, toy):
        assert provider_named("toy") is toy
        assert online_provider() is toy
        assert "toy" in provider_names()

    def test_a_setting_that_names_nobody_is_found_before_anything_starts(self, settings):
        assert payment_provider_is_known() == []
        settings.PAYMENT_PROVIDER = "strype"

        (fault,) = payment_provider_is_known()

        assert fault.msg == "PAYMENT_PROVIDER is 'strype': known are manual, stripe."

    @pytest.mark.parametrize("name", ["paypal", "base", "notices", "", "../stripe", "stripe.client"])
    def test_nobody_else_answers(self, name):
        with pytest.raises(LookupError):
            provider_named(name)


class TestStory:
    def test_a_payment_is_started_at_it(self, api, player, toy, unpaid):
        data = start(api(player), unpaid).json()["data"]

        assert (data["provider"], data["provider_reference"]) == ("toy", "toy-1")
        assert data["checkout_url"] == "https://toy.example/toy-1"
        assert toy.sessions["toy-1"].amount_cents == 5000

    def test_its_news_makes_the_entry(self, api, player, toy, unpaid):
        receipt = paid(api, player, toy, unpaid)

        assert (receipt.provider, receipt.status, receipt.source) == ("toy", ReceiptState.ALLOCATED, "webhook")
        assert Entry.objects.get().request == unpaid
        assert balance("clearing", provider="toy") == 5000

    def test_news_that_it_did_not_sign_is_refused(self, toy):
        answer = Client().post(
            "/api/v1/webhooks/toy", b"{}", content_type="application/json", headers={"Toy-Signature": "0" * 64}
        )

        assert code_of(answer) == (400, "SIGNATURE_INVALID")
        assert not WebhookEvent.objects.exists()

    @pytest.mark.parametrize("name", ["nobody", "manual"])
    def test_nobody_else_brings_news(self, name):
        answer = Client().post(f"/api/v1/webhooks/{name}", b"{}", content_type="application/json")

        assert code_of(answer) == (404, "NOT_FOUND")

    def test_the_back_office_lists_its_payments(self, api, client, admin_user, player, toy, unpaid):
        payment = paid(api, player, toy, unpaid).payment
        client.force_login(admin_user)

        def listed(name):
            page = client.get("/admin/payments/payment/", {"provider": name})
            return [row.pk for row in page.context["cl"].result_list], "?provider=toy" in page.content.decode()

        assert listed("toy") == ([payment.pk], True)
        assert listed("stripe") == ([], True)

    def test_its_fee_is_booked_when_it_tells(self, api, player, toy, unpaid):
        receipt = paid(api, player, toy, unpaid)

        apply_charge_state(receipt_id=receipt.pk, source="admin")

        assert balance("clearing", provider="toy") == 5000 - 30

    def test_money_goes_back_through_it(self, api, player, toy, unpaid, finance):
        receipt = paid(api, player, toy, unpaid)

        refund = request_refund(
            receipt_id=receipt.pk, amount_cents=None, taken_from="place", reason="ill", by=finance, now=database_now()
        )
        outbox.drain()

        refund.refresh_from_db()
        receipt.refresh_from_db()
        unpaid.refresh_from_db()
        assert [one.amount_cents for one in toy.refunds.values()] == [5000]
        assert (refund.provider, refund.status) == ("toy", RefundState.SUCCEEDED)
        assert (receipt.status, unpaid.payment_status) == (ReceiptState.RETURNED, PaymentStatus.REFUNDED)
        assert Movement.objects.filter(provider="toy", refund=refund).count() == 1
        assert balance("clearing", provider="toy") == 0

    def test_its_news_of_a_refund_made_past_us_is_followed(self, api, player, toy, unpaid):
        receipt = paid(api, player, toy, unpaid)
        toy.create_refund(refund_order(receipt, amount_cents=700))

        bring(toy, "refund.created", "evt-refund", id="toy-refund-1", charge=receipt.charge_id)

        refund = Refund.objects.get()
        assert (refund.origin, refund.amount_cents) == ("dashboard", 700)
        assert balance("clearing", provider="toy") == 5000 - 30 - 700

    def test_what_nobody_told_us_is_found_by_the_sweep(self, api, player, toy, unpaid):
        payment = Payment.objects.get(pk=start(api(player), unpaid).json()["data"]["id"])
        toy.pay(payment.provider_reference)

        sweep_payments(patience=timedelta())

        payment.refresh_from_db()
        assert payment.status == PaymentState.SUCCEEDED


def refund_order(receipt, *, amount_cents):
    return RefundOrder(
        ref="",
        idempotency_key="by-hand-at-the-toy",
        payment_id=receipt.payment_id,
        refund_id=0,
        charge_id=receipt.charge_id,
        amount_cents=amount_cents,
        currency=receipt.currency,
    )
