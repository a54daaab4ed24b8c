"""Disputes and movements in the back office and over the API: who sees them, and what the button does."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.models import Dispute, Movement, Receipt
from tests.factories.entries import RequestFactory
from tests.support.charging import learn, paid_receipt
from tests.support.payments import code_of

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/api/v1/disputes"


@pytest.fixture
def receipt(api, unpaid, double):
    return paid_receipt(api, unpaid, double)


@pytest.fixture
def dispute(receipt, double):
    """Open, and known."""
    double.dispute(charge=receipt.charge_id)
    learn(receipt)
    return Dispute.objects.get()


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


class TestApi:
    def test_finance_sees_what_it_is_about_and_until_when(self, api, finance, dispute, unpaid):
        (shown,) = api(finance).get(LIST).json()["data"]

        assert (shown["id"], shown["status"], shown["reason"]) == (dispute.pk, "needs_response", "fraudulent")
        assert (shown["amount_cents"], shown["currency"]) == (5000, "usd")
        assert (shown["request"], shown["pool"], shown["player"]) == (unpaid.pk, unpaid.pool_id, unpaid.user_id)
        assert shown["entry"] == dispute.receipt.entry_id
        assert shown["evidence_due_at"] is not None
        assert api(finance).get(f"{LIST}/{dispute.pk}").json()["data"] == shown

    @pytest.mark.parametrize("who", ["player", "stranger", "moderator"])
    def test_nobody_else_does(self, api, dispute, who, request):
        client = api(request.getfixturevalue(who))

        assert code_of(client.get(LIST)) == (403, "FORBIDDEN")
        assert code_of(client.get(f"{LIST}/{dispute.pk}")) == (403, "FORBIDDEN")

    def test_without_a_name_nobody_is_let_in(self, api, dispute):
        assert code_of(api().get(LIST)) == (401, "NOT_AUTHENTICATED")

    @pytest.mark.parametrize(
        ("narrowing", "count"),
        [
            ("status=needs_response", 1),
            ("status=lost", 0),
            ("is_open=true", 1),
            ("is_open=false", 0),
            ("pool=999999", 0),
        ],
    )
    def test_the_list_can_be_narrowed(self, api, finance, dispute, narrowing, count):
        assert len(api(finance).get(f"{LIST}?{narrowing}").json()["data"]) == count

    def test_a_status_that_is_none_is_refused(self, api, finance, dispute):
        assert code_of(api(finance).get(f"{LIST}?status=forgotten")) == (400, "VALIDATION_ERROR")

    def test_three_cost_as_many_queries_as_one(self, api, finance, dispute, double, player):
        client = api(finance)
        with CaptureQueriesContext(connection) as of_one:
            client.get(LIST)
        for _ in range(2):
            another = paid_receipt(api, RequestFactory(approved=True), double)
            double.dispute(charge=another.charge_id)
            learn(another)

        with CaptureQueriesContext(connection) as of_three:
            assert len(client.get(LIST).json()["data"]) == 3

        assert len(of_three) == len(of_one)


class TestAdmin:
    @pytest.mark.parametrize("model", ["dispute", "movement"])
    @pytest.mark.parametrize(("who", "status"), [("finance", 200), ("admin_user", 200), ("moderator", 403)])
    def test_finance_and_admins_see_them(self, client, dispute, model, who, status, request):
        client.force_login(request.getfixturevalue(who))
        row = {"dispute": Dispute, "movement": Movement}[model].objects.first()

        assert client.get(f"/admin/payments/{model}/").status_code == status
        assert client.get(f"/admin/payments/{model}/{row.pk}/change/").status_code == status

    def test_the_page_of_a_receipt_shows_fee_and_net(self, as_finance, receipt):
        page = f"/admin/payments/receipt/{receipt.pk}/change/"
        assert "not known yet" in as_finance.get(page).content.decode()
        learn(receipt)

        shown = as_finance.get(page).content.decode()

        assert "1.75 USD" in shown
        assert "48.25 USD" in shown

    @pytest.mark.parametrize("model", ["dispute", "receipt"])
    def test_asking_again_learns_what_became_of_it(self, as_finance, dispute, double, model):
        double.move_dispute(dispute.provider_reference, "lost")
        row = dispute if model == "dispute" else dispute.receipt
        data = {"action": "ask_again", ACTION_CHECKBOX_NAME: [row.pk]}
        assert as_finance.post(f"/admin/payments/{model}/", data).status_code == 200

        answer = as_finance.post(f"/admin/payments/{model}/", {**data, "confirmed": "1"})

        assert [str(message) for message in get_messages(answer.wsgi_request)] == ["1 of 1 asked about."]
        assert Dispute.objects.get().borne_by == "house"

    def test_while_the_provider_is_away_it_is_refused(self, as_finance, dispute, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        data = {"action": "ask_again", ACTION_CHECKBOX_NAME: [dispute.pk], "confirmed": "1"}

        answer = as_finance.post("/admin/payments/dispute/", data)

        (said,) = [str(message) for message in get_messages(answer.wsgi_request)]
        assert "could not be asked" in said
        assert Dispute.objects.get().status == "needs_response"

    def test_nobody_changes_anything_by_hand(self, as_finance, dispute):
        as_finance.post(f"/admin/payments/dispute/{dispute.pk}/change/", {"status": "won"})

        assert Dispute.objects.get().status == "needs_response"
        assert Receipt.objects.get().status == "allocated"
