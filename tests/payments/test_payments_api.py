"""Looking at payments: whose one sees, what of them, and what a list costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.models import PaymentState
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, payment_for, refund_of, unapplied_money

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(unpaid):
    return payment_for(unpaid)


def ids(answer):
    assert answer.status_code == 200
    return [item["id"] for item in answer.json()["data"]]


class TestWhoSeesWhat:
    def test_a_player_sees_the_own_payments(self, api, player, payment):
        payment_for(RequestFactory(approved=True))

        assert ids(api(player).get("/api/v1/payments")) == [payment.pk]

    @pytest.mark.parametrize("who", ["finance", "admin_user"])
    def test_finance_and_admins_see_all(self, api, payment, who, request):
        other = payment_for(RequestFactory(approved=True))

        assert ids(api(request.getfixturevalue(who)).get("/api/v1/payments")) == [other.pk, payment.pk]

    @pytest.mark.parametrize("who", ["stranger", "moderator"])
    def test_others_see_none(self, api, payment, who, request):
        client = api(request.getfixturevalue(who))

        assert ids(client.get("/api/v1/payments")) == []
        assert client.get(f"/api/v1/payments/{payment.pk}").status_code == 404

    def test_nobody_signed_in_sees_nothing(self, api, payment):
        assert api().get("/api/v1/payments").status_code == 401
        assert api().get(f"/api/v1/payments/{payment.pk}").status_code == 401


class TestWhatIsShown:
    def test_a_payment_has_the_fields_of_the_contract(self, api, player, payment, unpaid):
        answer = api(player).get(f"/api/v1/payments/{payment.pk}")

        shown = answer.json()["data"]
        assert shown.pop("created_at").endswith("Z")
        assert shown == {
            "id": payment.pk,
            "request": unpaid.pk,
            "status": "pending",
            "amount_cents": 5000,
            "refunded_cents": 0,
            "currency": "usd",
            "provider": "stripe",
        }

    @pytest.mark.parametrize(
        ("state", "shown"),
        [
            (PaymentState.INTENT, "pending"),
            (PaymentState.OPEN, "pending"),
            (PaymentState.PROCESSING, "pending"),
            (PaymentState.UNKNOWN, "pending"),
            (PaymentState.FAILED, "failed"),
            (PaymentState.CANCELLED, "cancelled"),
        ],
    )
    def test_states_are_told_in_four_words(self, api, player, unpaid, state, shown):
        payment = payment_for(unpaid, status=state)

        assert api(player).get(f"/api/v1/payments/{payment.pk}").json()["data"]["status"] == shown
        assert ids(api(player).get("/api/v1/payments", {"status": shown})) == [payment.pk]

    def test_a_paid_one_succeeded(self, api, player, unpaid):
        paid_entry(unpaid)

        assert api(player).get("/api/v1/payments").json()["data"][0]["status"] == "succeeded"

    def test_money_given_back_is_told(self, api, player, unpaid):
        receipt = unapplied_money(unpaid)
        refund_of(receipt)

        assert api(player).get("/api/v1/payments").json()["data"][0]["refunded_cents"] == 5000

    def test_the_list_is_filtered(self, api, player, unpaid, payment):
        other = payment_for(RequestFactory(approved=True, user=player))

        client = api(player)
        assert ids(client.get("/api/v1/payments", {"request": unpaid.pk})) == [payment.pk]
        assert ids(client.get("/api/v1/payments", {"status": "failed"})) == []
        assert ids(client.get("/api/v1/payments", {"status": "pending"})) == [other.pk, payment.pk]

    def test_a_filter_that_makes_no_sense_is_refused(self, api, player):
        answer = api(player).get("/api/v1/payments", {"status": "open"})

        assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["status"])


class TestCost:
    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_list_takes_two_queries_however_long(self, api, player, rows):
        for _ in range(rows):
            paid_entry(RequestFactory(approved=True, user=player))
        with CaptureQueriesContext(connection) as captured:
            assert len(ids(api(player).get("/api/v1/payments"))) == rows

        assert len(captured) == 2

    def test_one_takes_one_query(self, api, player, payment):
        with CaptureQueriesContext(connection) as captured:
            api(player).get(f"/api/v1/payments/{payment.pk}")

        assert len(captured) == 1


def test_the_list_goes_on_by_cursor(api, player):
    made = [payment_for(RequestFactory(approved=True, user=player)).pk for _ in range(3)]

    first = api(player).get("/api/v1/payments", {"limit": 2}).json()
    rest = api(player).get("/api/v1/payments", {"limit": 2, "cursor": first["meta"]["pagination"]["next_cursor"]})

    assert [item["id"] for item in first["data"]] + ids(rest) == made[::-1]
