"""Refunds over HTTP: who may ask, who may see, and what each is told."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.models import Dispute, Refund
from tests.factories.accounts import FinanceFactory
from tests.factories.payments import paid_entry, payment_for, refund_of, unapplied_money
from tests.support.payments import code_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receipt(unpaid):
    return paid_entry(unpaid).receipts.get()


@pytest.fixture
def held(unpaid):
    return unapplied_money(unpaid)


def ask(client, payment_id, **body):
    return client.post(f"/api/v1/payments/{payment_id}/refunds", {"reason": "asked for it"} | body, format="json")


def ids(answer):
    return [row["id"] for row in answer.json()["data"]]


class TestAsking:
    def test_it_answers_the_refund(self, api, finance, receipt):
        answer = ask(api(finance), receipt.payment_id)

        told = answer.json()["data"]
        assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/refunds/{told['id']}")
        assert (told["payment"], told["request"]) == (receipt.payment_id, receipt.payment.request_id)
        assert (told["amount_cents"], told["currency"], told["status"]) == (5000, "usd", "pending")
        assert (told["taken_from"], told["reason"], told["requested_by"]) == ("place", "asked for it", finance.pk)

    def test_money_without_a_place_is_what_it_is(self, api, finance, held):
        told = ask(api(finance), held.payment_id, amount_cents=2000).json()["data"]

        assert (told["taken_from"], told["amount_cents"]) == ("unapplied", 2000)

    def test_the_same_key_asks_once(self, api, finance, receipt):
        answers = [
            api(finance).post(
                f"/api/v1/payments/{receipt.payment_id}/refunds", {"reason": "x"}, format="json",
                headers={"Idempotency-Key": "once"},
            )
            for _ in range(2)
        ]  # fmt: skip

        assert answers[0].content == answers[1].content
        assert Refund.objects.count() == 1

    def test_only_finance_may(self, api, player, stranger, moderator, receipt):
        for user in (player, stranger, moderator):
            assert ask(api(user), receipt.payment_id).status_code == 403
        assert ask(api(), receipt.payment_id).status_code == 401

    @pytest.mark.parametrize("body", [{"reason": ""}, {"amount_cents": 0}, {"taken_from": "replaced"}])
    def test_nonsense_is_refused(self, api, finance, receipt, body):
        assert code_of(ask(api(finance), receipt.payment_id, **body)) == (400, "VALIDATION_ERROR")

    def test_a_payment_without_money_has_nothing_to_give_back(self, api, finance, unpaid):
        assert code_of(ask(api(finance), payment_for(unpaid).pk)) == (404, "NOT_FOUND")
        assert code_of(ask(api(finance), 999_999)) == (404, "NOT_FOUND")

    def test_more_than_is_left_says_how_much_is(self, api, finance, held):
        answer = ask(api(finance), held.payment_id, amount_cents=5001)

        assert code_of(answer) == (409, "REFUND_TOO_LARGE")
        assert answer.json()["error"]["details"] == {"left_cents": 5000, "currency": "usd"}

    def test_a_disputed_charge_is_not_refunded(self, api, finance, receipt):
        Dispute.objects.create(
            receipt=receipt, provider="stripe", provider_reference="dp_1", livemode=False, amount_cents=5000,
            currency="usd", status="needs_response", opened_at=receipt.received_at,
        )  # fmt: skip

        assert code_of(ask(api(finance), receipt.payment_id)) == (409, "CHARGE_DISPUTED")


class TestTwoNames:
    @pytest.fixture
    def wish(self, api, finance, receipt, settings):
        settings.REFUND_APPROVAL_ABOVE = 0
        return ask(api(finance), receipt.payment_id).json()["data"]

    def test_another_approves(self, api, wish, finance):
        assert wish["status"] == "requested"
        assert code_of(api(finance).post(f"/api/v1/refunds/{wish['id']}/approve")) == (403, "FORBIDDEN")

        colleague = FinanceFactory()
        told = api(colleague).post(f"/api/v1/refunds/{wish['id']}/approve").json()["data"]

        assert (told["status"], told["approved_by"]) == ("pending", colleague.pk)
        assert code_of(api(FinanceFactory()).post(f"/api/v1/refunds/{wish['id']}/approve")) == (
            409, "INVALID_TRANSITION",
        )  # fmt: skip

    def test_another_declines(self, api, wish):
        told = api(FinanceFactory()).post(f"/api/v1/refunds/{wish['id']}/decline", {"reason": "not now"}, format="json")

        assert told.json()["data"]["status"] == "cancelled"

    def test_nobody_else_may(self, api, wish, player, moderator):
        for user in (player, moderator):
            for word in ("approve", "decline"):
                answer = api(user).post(f"/api/v1/refunds/{wish['id']}/{word}", {"reason": "x"}, format="json")
                assert answer.status_code in (403, 404)


class TestLooking:
    def test_players_see_their_own_without_what_is_ours(self, api, player, stranger, held):
        refund = refund_of(held, reason="he is difficult")

        (told,) = api(player).get("/api/v1/refunds").json()["data"]
        assert (told["id"], told["status"], told["amount_cents"]) == (refund.pk, "succeeded", 5000)
        assert [told[name] for name in ("reason", "taken_from", "failure", "requested_by", "approved_by")] == [None] * 5
        assert ids(api(stranger).get("/api/v1/refunds")) == []
        assert api(stranger).get(f"/api/v1/refunds/{refund.pk}").status_code == 404

    def test_a_wish_is_not_theirs_to_see(self, api, player, finance, held):
        wish = refund_of(held, status="requested")

        assert ids(api(player).get("/api/v1/refunds")) == []
        assert ids(api(finance).get("/api/v1/refunds")) == [wish.pk]

    def test_the_list_is_filtered(self, api, finance, held):
        gone = refund_of(held, amount_cents=1000)
        going = refund_of(held, amount_cents=500, status="sending")
        refund_of(unapplied_money())

        client = api(finance)
        assert ids(client.get("/api/v1/refunds", {"payment": held.payment_id})) == [going.pk, gone.pk]
        assert ids(client.get("/api/v1/refunds", {"status": "pending"})) == [going.pk]

    @pytest.mark.parametrize(
        ("status", "told"), [("sending", 0), ("pending", 0), ("succeeded", 5000), ("failed", 0), ("requested", 0)]
    )
    def test_a_payment_tells_what_has_really_gone(self, api, player, held, status, told):
        refund_of(held, status=status)

        assert api(player).get(f"/api/v1/payments/{held.payment_id}").json()["data"]["refunded_cents"] == told

    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_list_takes_two_queries_however_long(self, api, finance, rows):
        for _ in range(rows):
            refund_of(unapplied_money())
        with CaptureQueriesContext(connection) as captured:
            assert len(ids(api(finance).get("/api/v1/refunds"))) == rows

        assert len(captured) == 2
