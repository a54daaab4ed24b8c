"""Cancellations, payouts and taxes in the back office: what each page offers, does and refuses."""

import pytest
from django.urls import reverse

from payments.models import Cancellation, Payout, TaxForm, TaxYear
from payments.services.cancellations import propose_cancellation, run
from payments.services.payouts import request_payout
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, unapplied_money
from tests.factories.pools import PoolFactory
from tests.pools.conftest import back_office, choose, confirm
from tests.support.cancelling import cancelled
from tests.support.winning import booked, paid_out, won_pool

__all__ = ["back_office", "choose", "confirm"]
pytestmark = pytest.mark.django_db

LIST = reverse("admin:payments_cancellation_changelist")
PROPOSE = reverse("admin:payments_cancellation_add")
PAYOUTS = reverse("admin:payments_payout_changelist")
ASK = reverse("admin:payments_payout_add")


@pytest.fixture
def pool():
    pool = PoolFactory(name="Main")
    paid_entry(RequestFactory(approved=True, pool=pool))
    return pool


@pytest.fixture
def winner():
    pool, winner, _ = won_pool()
    booked(pool)
    return winner


def page(row):
    return reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk])


class TestCancellations:
    def test_it_is_proposed_on_a_form(self, back_office, finance, pool):
        answer = back_office(finance).post(PROPOSE, {"pool": pool.pk, "reason": "Too few."})
        assert answer.status_code == 302
        made = Cancellation.objects.get()
        assert (made.pool, made.reason, made.proposed_by, made.status) == (pool, "Too few.", finance, "proposed")

    def test_a_pool_that_nobody_paid_for_is_refused_there(self, back_office, finance):
        answer = back_office(finance).post(PROPOSE, {"pool": PoolFactory().pk, "reason": "x"}, follow=True)
        assert "it can be cancelled at once" in answer.content.decode()
        assert not Cancellation.objects.exists()

    def test_confirming_says_first_what_it_does(self, back_office, choose, finance, pool):
        proposal = propose_cancellation(pool=pool, by=FinanceFactory(), reason="Too few.")
        said = choose(back_office(finance), LIST, "confirm", [proposal]).context["sentences"]
        assert said[1] == "Main ends at once. Paid places that are given back: 1; in its pot: 50.00 USD. Why: Too few."
        pool.refresh_from_db()
        assert pool.status == "open"

    def test_somebody_else_confirms(self, back_office, confirm, finance, pool):
        proposal = propose_cancellation(pool=pool, by=finance, reason="Too few.")
        assert confirm(back_office(finance), LIST, "confirm", [proposal])[-1:] == [
            "1 of 1 refused: Whoever proposed it cannot confirm it: somebody else has to."
        ]
        assert confirm(back_office(FinanceFactory()), LIST, "confirm", [proposal])[-1:] == ["1 of 1 confirmed."]
        pool.refresh_from_db()
        assert pool.status == "cancelled"

    def test_what_has_changed_since_it_was_seen_is_not_done(self, back_office, choose, confirm, finance, pool):
        proposal = propose_cancellation(pool=pool, by=FinanceFactory(), reason="Too few.")
        browser = back_office(finance)
        seen = choose(browser, LIST, "confirm", [proposal]).context["hidden"]
        paid_entry(RequestFactory(pool=pool, approved=True))
        assert confirm(browser, LIST, "confirm", [proposal], **seen)[-1:] == [
            "1 of 1 refused: Places or money are others than you have seen: look at it again."
        ]
        seen = choose(browser, LIST, "confirm", [proposal]).context["hidden"]
        assert confirm(browser, LIST, "confirm", [proposal], **seen)[-1:] == ["1 of 1 confirmed."]

    def test_it_is_withdrawn(self, back_office, confirm, finance, pool):
        proposal = propose_cancellation(pool=pool, by=finance, reason="Too few.")
        assert confirm(back_office(finance), LIST, "withdraw", [proposal])[-1:] == ["1 of 1 withdrawn."]
        assert confirm(back_office(finance), LIST, "withdraw", [proposal])[-1:] == [
            "1 of 1 refused: A cancellation that is withdrawn cannot become withdrawn."
        ]

    def test_the_page_shows_how_far_it_is_and_looks_again(self, back_office, finance, pool):
        held = unapplied_money(RequestFactory(approved=True, pool=pool), because="wrong_amount", amount_cents=700)
        cancellation = cancelled(pool)
        run(cancellation.pk)
        answer = back_office(finance).get(page(cancellation))
        text = " ".join(answer.content.decode().split())
        assert "<strong>1 of 1 places given back.</strong>" in text
        assert 'aria-valuenow="1"' in text
        assert f">Receipt {held.pk}</a>: 7.00 USD, wrong amount" in text
        assert answer["Refresh"] == "5"

    def test_a_proposal_says_what_it_would_give_back_and_stands_still(self, back_office, finance, pool):
        proposal = propose_cancellation(pool=pool, by=FinanceFactory(), reason="Too few.")
        answer = back_office(finance).get(page(proposal))
        assert "What confirming would do" in answer.content.decode()
        assert "Refresh" not in answer
        assert {button["name"] for button in answer.context["row_actions"]} == {"confirm", "withdraw"}

    def test_moderators_have_no_business_here(self, back_office, moderator, pool):
        proposal = propose_cancellation(pool=pool, by=FinanceFactory(), reason="Too few.")
        assert back_office(moderator).get(LIST).status_code == 403
        assert back_office(moderator).get(page(proposal)).status_code in (302, 403)


class TestPayouts:
    def test_a_prize_is_asked_for_by_its_entry(self, back_office, finance, winner):
        form = back_office(finance).get(ASK, {"entry": winner.pk}).context["adminform"].form
        assert str(form.initial["entry"]) == str(winner.pk)
        assert back_office(finance).post(ASK, {"entry": winner.pk}).status_code == 302
        assert Payout.objects.get().requested_by == finance

    def test_what_is_not_won_is_refused_there(self, back_office, finance):
        _, _, loser = won_pool()
        answer = back_office(finance).post(ASK, {"entry": loser.pk}, follow=True)
        assert "has no prize in the books" in answer.content.decode()

    def test_another_approves(self, back_office, confirm, finance, winner):
        wish = request_payout(entry_id=winner.pk, by=finance)
        assert confirm(back_office(finance), PAYOUTS, "approve", [wish])[-1:] == [
            "1 of 1 refused: Whoever asked for a payout cannot approve it: somebody else has to."
        ]
        assert confirm(back_office(FinanceFactory()), PAYOUTS, "approve", [wish])[-1:] == ["1 of 1 approved."]

    def test_it_is_cancelled_and_comes_back_with_a_reason(self, back_office, choose, confirm, finance, winner):
        wish = request_payout(entry_id=winner.pk, by=finance)
        browser = back_office(finance)
        assert choose(browser, PAYOUTS, "cancel", [wish], confirmed="1").context["fault"] == "Say why."
        assert confirm(browser, PAYOUTS, "cancel", [wish], reason="wrong")[-1:] == ["1 of 1 cancelled."]
        paid = paid_out(winner)
        assert confirm(browser, PAYOUTS, "mark_returned", [paid], reason="closed")[-1:] == ["1 of 1 owed again."]
        assert confirm(browser, PAYOUTS, "mark_returned", [paid], reason="closed")[-1:] == [
            "1 of 1 refused: A payout that is returned cannot become returned."
        ]

    def test_the_booking_leads_to_the_payouts(self, back_office, finance, winner):
        (booking,) = winner.pool.prize_bookings.all()
        text = back_office(finance).get(page(booking)).content.decode()
        assert f"{ASK}?entry={winner.pk}" in text
        paid = paid_out(winner)
        text = back_office(finance).get(page(booking)).content.decode()
        assert page(paid) in text

    def test_the_lists_open(self, back_office, finance, winner):
        paid_out(winner)
        for name in ("payout", "prizebooking", "taxyear", "taxform", "cancellation"):
            assert back_office(finance).get(reverse(f"admin:payments_{name}_changelist")).status_code == 200


class TestTaxes:
    def test_staff_write_what_a_country_wants(self, back_office, finance):
        browser = back_office(finance)
        year = {"country": "US", "year": 2026, "currency": "usd", "form": "W-9", "threshold": "2000"}
        assert browser.post(reverse("admin:payments_taxyear_add"), year).status_code == 302
        row = TaxYear.objects.get()
        assert (row.threshold_cents, row.withholding_bp) == (200000, None)
        changed = {"form": "W-9", "threshold": "600.00", "withholding_bp": 2400}
        assert browser.post(page(row), changed).status_code == 302
        row.refresh_from_db()
        assert (row.threshold_cents, row.withholding_bp, row.year) == (60000, 2400, 2026)

    def test_a_form_is_recorded_with_the_name_of_who_saw_it(self, back_office, finance, player):
        form = {"player": player.pk, "form": "W-9", "received_on": "2026-02-01"}
        assert back_office(finance).post(reverse("admin:payments_taxform_add"), form).status_code == 302
        assert TaxForm.objects.get().recorded_by == finance
