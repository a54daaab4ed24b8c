"""Refunds, disputes, payouts: what banks do to money that had come, as the webhooks and finance's pages meet it."""

import pytest

from config.errors import Code
from entries.models import Entry
from payments.models import Discrepancy, Dispute, Receipt, Refund
from payments.services.inbox import sweep_events
from payments.services.provider_state import Source, apply_provider_state
from pools.models import Pool
from tests.support.charging import balance, balances, learn
from tests.support.payments import code_of, events, post_event, started

pytestmark = pytest.mark.django_db(transaction=True)


def bring(double, since=0):
    """All news since then arrives over HTTP, twice, and is looked into; how many events there are by now."""
    told = events(double)
    for event in [*told[since:], *told[since:]]:
        assert post_event(event).status_code == 200
    sweep_events()
    return len(told)


@pytest.fixture
def paid(api, player, unpaid, double):
    """A place, paid and entered; the number of events so far."""
    payment = started(api(player), unpaid)
    assert double.pay(payment.checkout_url)[0] == 200
    return bring(double)


def receipt():
    return Receipt.objects.get()


def doubts():
    return set(Discrepancy.objects.filter(status="open").values_list("kind", flat=True))


@pytest.mark.parametrize("kind", ["dispute", "payment_failure_refund"])
def test_43_a_bank_debit_returned_weeks_later_is_a_dispute_lost_from_the_start(api, player, unpaid, double, kind):
    payment = started(api(player), unpaid)
    double.pay_delayed(payment.provider_reference)
    double.settle_delayed(payment.provider_reference)
    apply_provider_state(payment_id=payment.pk, source=Source.WEBHOOK)
    seen = bring(double)
    assert (Entry.objects.get().status, receipt().status) == ("active", "allocated")

    double.advance(20 * 86_400)
    double.return_debit(kind, charge=receipt().charge_id)
    bring(double, seen)

    assert (Entry.objects.get().status, receipt().status) == ("void", "charged_back")
    assert Dispute.objects.get().borne_by == "house"
    assert balance("chargeback_loss") == 5000
    # Never silently out of the pot of those who play.
    assert balance("prize_pot") == -5000
    assert balance("clearing") == double.books()["currencies"]["usd"]["net"]
    assert "dispute_lost" in doubts()


def test_51_a_dispute_suspends_the_entry_and_leaves_the_pot_until_it_is_lost(api, paid, double, finance):
    double.dispute(charge=receipt().charge_id)
    bring(double, paid)

    entry = Entry.objects.get()
    assert (entry.status, entry.is_suspended) == ("active", True)
    assert balance("disputes_receivable") == 5000
    assert balance("dispute_fees") == 1500
    assert balance("prize_pot") == -5000
    task = Discrepancy.objects.get(kind="dispute_deadline")
    assert task.due_at == Dispute.objects.get().evidence_due_at
    (shown,) = api(finance).get("/api/v1/disputes?is_open=true").json()["data"]
    assert shown["entry"] == entry.pk


def test_51_an_inquiry_moves_no_money(paid, double):
    learn(receipt())
    before = balances()
    double.dispute(charge=receipt().charge_id, inquiry=True)
    bring(double, paid)

    assert balances() == before
    assert not Entry.objects.get().is_suspended
    assert doubts() == {"dispute_deadline"}


def test_51_won_the_money_is_back_and_the_entry_plays_on(paid, double):
    dispute = double.dispute(charge=receipt().charge_id)
    seen = bring(double, paid)
    double.move_dispute(dispute["id"], "under_review")
    double.move_dispute(dispute["id"], "won")
    bring(double, seen)

    assert (Entry.objects.get().status, Entry.objects.get().is_suspended) == ("active", False)
    assert (balance("disputes_receivable"), balance("chargeback_loss")) == (0, 0)
    assert balance("clearing") == double.books()["currencies"]["usd"]["net"]
    assert doubts() == set()


@pytest.mark.parametrize(("bearer", "status", "borne_by", "pot"), [
    ("house", "open", "house", -5000),
    ("pot", "open", "pot", 0),
    ("pot", "running", "house", -5000),
])  # fmt: skip
def test_51_lost_it_is_borne_by_whom_the_pool_says(paid, double, bearer, status, borne_by, pot):
    Pool.objects.update(chargeback_bearer=bearer, status=status)
    dispute = double.dispute(charge=receipt().charge_id)
    seen = bring(double, paid)
    double.move_dispute(dispute["id"], "lost")
    bring(double, seen)

    assert (Entry.objects.get().status, receipt().status) == ("void", "charged_back")
    assert Dispute.objects.get().borne_by == borne_by
    assert balance("prize_pot") == pot
    assert balance("disputes_receivable") == 0
    assert balance("chargeback_loss") == (5000 if borne_by == "house" else 0)


def test_52_a_disputed_charge_is_not_refunded(api, paid, double, finance):
    double.dispute(charge=receipt().charge_id)
    bring(double, paid)

    answer = api(finance).post(
        f"/api/v1/payments/{receipt().payment_id}/refunds",
        {"amount_cents": 1000, "taken_from": "house", "reason": "goodwill"},
        format="json",
        headers={"Idempotency-Key": "refund-52"},
    )

    assert code_of(answer) == (409, Code.CHARGE_DISPUTED)
    assert not Refund.objects.exists()


def test_52_where_both_happened_a_person_is_told(paid, double):
    double.dashboard_refund(1000, charge=receipt().charge_id)
    double.dispute(charge=receipt().charge_id)
    bring(double, paid)

    assert {"refund_and_dispute", "external_refund", "dispute_deadline"} <= doubts()
    assert balance("clearing") == double.books()["currencies"]["usd"]["net"]


def test_59_a_payout_that_fails_after_it_was_paid_is_taken_back_and_told(paid, double):
    learn(receipt())
    double.advance(4 * 86_400)
    payout = double.run_payouts()[0]
    double.move_payout(payout["id"], "paid")
    seen = bring(double, paid)
    assert (balance("bank_in_transit"), balance("clearing")) == (4825, 0)

    double.move_payout(payout["id"], "failed", failure_code="account_closed")
    bring(double, seen)

    assert (balance("bank_in_transit"), balance("clearing")) == (0, 4825)
    assert "payout_failed" in doubts()
