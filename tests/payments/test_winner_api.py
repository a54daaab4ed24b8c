"""Payouts over the API, and in the back office: who may ask, approve, see, and what each is told."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments.models import Payout, PayoutAccount, PrizeCorrection
from payments.services.winners.corrections import bear_overpaid
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.payments.test_payouts import tax_year
from tests.pools.conftest import back_office, choose, confirm
from tests.support.calls import call
from tests.support.winning import account_of, booked, correct, paid_out, won_pool

__all__ = ["back_office", "choose", "confirm"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def winner():
    pool, winner, _ = won_pool()
    booked(pool)
    return winner


class TestApi:
    def test_a_prize_is_asked_for_approved_and_listed(self, api, finance, winner):
        status, asked = call(api(finance), "POST", "/payouts", {"entry": winner.pk})
        assert (status, asked["status"], asked["entries"], asked["amount_cents"]) == (
            201,
            "requested",
            [winner.pk],
            10000,
        )
        assert call(api(finance), "POST", "/payouts", {"entry": winner.pk}) == (409, "PRIZE_NOT_DUE")
        approve = f"/payouts/{asked['id']}/approve"
        assert call(api(finance), "POST", approve) == (403, "FORBIDDEN")
        status, approved = call(api(FinanceFactory()), "POST", approve)
        assert (status, approved["status"], approved["requested_by"]) == (200, "approved", finance.pk)
        for query, count in (({"player": winner.user_id}, 1), ({"status": "paid"}, 0), ({"pool": winner.pool_id}, 1)):
            assert len(call(api(finance), "GET", "/payouts", **query)[1]) == count
        assert call(api(finance), "GET", f"/payouts/{asked['id']}")[1]["entry"] == winner.pk

    def test_it_is_cancelled_or_came_back_with_a_reason(self, api, finance, winner):
        asked = call(api(finance), "POST", "/payouts", {"entry": winner.pk, "provider": "manual"})[1]
        assert call(api(finance), "POST", f"/payouts/{asked['id']}/cancel", {}) == (400, "VALIDATION_ERROR")
        assert call(api(finance), "POST", f"/payouts/{asked['id']}/cancel", {"reason": "x"})[1]["status"] == "cancelled"
        paid = paid_out(winner)
        back = call(api(finance), "POST", f"/payouts/{paid.pk}/return", {"reason": "closed"})
        assert (back[0], back[1]["status"]) == (200, "returned")
        assert call(api(finance), "POST", f"/payouts/{paid.pk}/return", {"reason": "x"}) == (409, "INVALID_TRANSITION")

    def test_all_winners_are_asked_for_and_many_approved(self, api, finance, winner):
        path = f"/pools/{winner.pool_id}/payouts"
        tax_year(threshold_cents=1)
        status, outcome = call(api(finance), "POST", path, {})
        assert (status, outcome["done"], outcome["refused"][0]["code"]) == (200, [], "TAX_FORM_MISSING")
        assert outcome["refused"][0]["subject"] == winner.user_id
        tax_year(year=2000)
        winner.user.country = "DE"
        winner.user.save(update_fields=["country"])
        outcome = call(api(finance), "POST", path, {})[1]
        ids = [one["id"] for one in outcome["done"]]
        status, approved = call(api(FinanceFactory()), "POST", "/payouts/approvals", {"payouts": [*ids, 10**9]})
        assert ([one["status"] for one in approved["done"]], [one["code"] for one in approved["refused"]]) == (
            ["approved"],
            ["NOT_FOUND"],
        )
        assert call(api(finance), "POST", "/pools/999999/payouts", {}) == (404, "NOT_FOUND")
        assert call(api(finance), "POST", "/payouts/approvals", {"payouts": []}) == (400, "VALIDATION_ERROR")

    def test_a_provider_without_an_account_is_refused(self, api, finance, winner):
        body = {"entry": winner.pk, "provider": "stripe"}
        assert call(api(finance), "POST", "/payouts", body) == (400, "VALIDATION_ERROR")
        account_of(winner.user)
        assert call(api(finance), "POST", "/payouts", body)[1]["provider"] == "stripe"

    @pytest.mark.parametrize("who", ["player", "moderator"])
    def test_nobody_else_has_business_here(self, request, api, winner, who):
        client = api(request.getfixturevalue(who))
        assert call(client, "POST", "/payouts", {"entry": winner.pk}) == (403, "FORBIDDEN")
        assert call(client, "POST", f"/pools/{winner.pool_id}/payouts", {}) == (403, "FORBIDDEN")
        assert call(client, "POST", "/payouts/approvals", {"payouts": [1]}) == (403, "FORBIDDEN")
        assert call(client, "GET", "/payouts") == (403, "FORBIDDEN")

    def test_a_player_sees_their_own_prize_and_no_others(self, api, winner):
        path = f"/entries/{winner.pk}/prize"
        status, shown = call(api(winner.user), "GET", path)
        assert (status, shown["status"], shown["prize_cents"], shown["payouts"]) == (200, "due", 10000, [])
        assert call(api(UserFactory()), "GET", path) == (404, "NOT_FOUND")
        payout = paid_out(winner)
        shown = call(api(winner.user), "GET", path)[1]
        assert (shown["status"], shown["paid_cents"], [one["id"] for one in shown["payouts"]]) == (
            "paid", 10000, [payout.pk],
        )  # fmt: skip
        correct(winner.pool)
        booked(winner.pool)
        shown = call(api(winner.user), "GET", path)[1]
        assert (shown["prize_cents"], shown["overpaid_cents"], shown["status"]) == (0, 10000, "paid")


PAYOUTS, BOOKINGS, ACCOUNTS, CORRECTIONS = (
    reverse(f"admin:payments_{name}_changelist")
    for name in ("payout", "prizebooking", "payoutaccount", "prizecorrection")
)


class TestBackOffice:
    def test_all_winners_are_asked_for_from_the_booking(self, back_office, confirm, finance, winner):
        (booking,) = winner.pool.prize_bookings.all()
        told = confirm(back_office(finance), BOOKINGS, "ask_for_all", [booking])
        assert told[-2:] == [f"{winner.pool.name}: 1 payout waits for approval.", "1 of 1 pools asked for."]
        told = confirm(back_office(finance), BOOKINGS, "ask_for_all", [booking])
        assert told[-1] == f"1 of 1 refused: {winner.pool.name}: no payout was asked for."

    def test_what_is_due_in_a_pool_is_told_once_however_often_it_was_booked(self, back_office, choose, finance, winner):
        correct(winner.pool)
        booked(winner.pool)
        bookings = list(winner.pool.prize_bookings.all())
        assert len(bookings) == 2
        said = choose(back_office(finance), BOOKINGS, "ask_for_all", bookings).context["sentences"]
        assert said[:-1] == [f"{winner.pool.name}: 1 winner is due 100.00 USD."]

    def test_bookings_do_not_cost_queries(self, back_office, finance, winner):
        browser = back_office(finance)
        counts = []
        for _ in range(3):
            with CaptureQueriesContext(connection) as queries:
                page = browser.get(BOOKINGS)
            counts.append(len(queries))
            correct(winner.pool, winner="DOG" if len(counts) % 2 else "CAT")
            booked(winner.pool)
        assert counts[1:] == counts[:1] * 2
        assert [row.is_reversed for row in page.context["cl"].result_list] == [False, True, True]

    def test_the_page_before_approval_shows_what_is_withheld(self, back_office, choose, finance, winner):
        tax_year(withholding_bp=2400)
        call_page = back_office(finance)
        call_page.post(reverse("admin:payments_payout_add"), {"entry": winner.pk})
        wish = Payout.objects.get()
        page = choose(back_office(FinanceFactory()), PAYOUTS, "approve", [wish])
        assert (
            "1 by manual: 100.00 USD before taxes, 24.00 USD withheld, 76.00 USD to the winners."
            in page.context["sentences"]
        )
        shown = call_page.get(reverse("admin:payments_payout_change", args=[wish.pk])).content.decode()
        for said in ("asks for form W-9", "24.00 % are withheld", "is not on file", "100.00 USD won"):
            assert said in shown

    def test_an_account_is_written_down_and_confirmed_there(self, back_office, confirm, finance, player):
        browser = back_office(finance)
        given = {"player": player.pk, "provider": "stripe", "reference": "acct_1", "note": "seen by video"}
        assert browser.post(reverse("admin:payments_payoutaccount_add"), given).status_code == 302
        account = PayoutAccount.objects.get()
        assert confirm(browser, ACCOUNTS, "confirm", [account])[-1].startswith("1 of 1 refused")
        assert confirm(back_office(FinanceFactory()), ACCOUNTS, "confirm", [account])[-1] == "1 of 1 confirmed."
        assert confirm(browser, ACCOUNTS, "retire", [account], reason="closed")[-1] == "1 of 1 retired."

    def test_what_was_too_much_is_borne_or_sent_back_there(self, back_office, confirm, finance, winner):
        payout = paid_out(winner)
        correct(winner.pool)
        booked(winner.pool)
        browser = back_office(finance)
        text = browser.get(reverse("admin:payments_payout_change", args=[payout.pk])).content.decode()
        assert "Record that the winner sent it back" in text
        form = reverse("admin:payments_manualrecord_record_repayment")
        assert "owes 100.00 USD" in browser.get(form, {"payout": payout.pk}).content.decode()
        wrong = browser.post(form, {"payout": payout.pk, "amount": "100.001", "method": "cash", "reference": "1"})
        assert wrong.status_code == 200
        given = {"payout": payout.pk, "amount": "40", "method": "cash", "reference": "1"}
        done = browser.post(form, {**given, "passed_at": "2026-01-01T00:00"})
        assert done.status_code == 302
        assert confirm(browser, PAYOUTS, "bear", [payout], reason="goodwill")[-1].startswith("1 of 1 refused")
        record = PrizeCorrection.objects.get().manual_record
        records = reverse("admin:payments_manualrecord_changelist")
        assert confirm(back_office(FinanceFactory()), records, "confirm", [record])[-1] == "1 of 1 confirmed."
        assert confirm(browser, PAYOUTS, "bear", [payout], reason="goodwill")[-1] == "1 of 1 proposed."
        wish = PrizeCorrection.objects.get(kind="borne")
        assert confirm(browser, CORRECTIONS, "approve", [wish])[-1].startswith("1 of 1 refused")
        assert confirm(back_office(FinanceFactory()), CORRECTIONS, "approve", [wish])[-1] == "1 of 1 approved."
        for row in (*PrizeCorrection.objects.all(), record, payout):
            address = reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk])
            assert browser.get(address).status_code == 200

    def test_moderators_have_no_business_here(self, back_office, moderator, winner):
        for address in (PAYOUTS, BOOKINGS, ACCOUNTS, CORRECTIONS):
            assert back_office(moderator).get(address).status_code == 403

    def test_a_correction_is_turned_down_with_a_reason(self, back_office, confirm, finance, winner):
        payout = paid_out(winner)
        correct(winner.pool)
        booked(winner.pool)
        wish = bear_overpaid(payout_id=payout.pk, reason="x", by=finance)
        assert confirm(back_office(finance), CORRECTIONS, "decline", [wish], reason="no")[-1] == "1 of 1 turned down."
