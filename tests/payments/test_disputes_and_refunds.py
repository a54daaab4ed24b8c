"""The same money wanted back twice: by us and through the bank. And the order of the news, which must not matter."""

import os
import random

import pytest

from config.clock import database_now
from config.errors import Code, DomainError
from entries.models import Entry
from payments.models import Discrepancy, Dispute, Receipt, Refund
from payments.providers import provider_named
from payments.services.charge_state import apply_charge_facts
from payments.services.inbox import sweep_events
from payments.services.provider_state import Source
from payments.services.refunds.deciding import request_refund
from payments.services.refunds.sending import send_refund
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory
from tests.payments.test_disputes import entry_now, open_doubts
from tests.support.charging import balance, balances, held_receipt, learn, paid_receipt
from tests.support.payments import events, post_event

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = 2


@pytest.fixture
def receipt(api, unpaid, double):
    """Of a place that is paid, and whose fee is known."""
    return learn(paid_receipt(api, unpaid, double))


def ask_for(receipt, finance, *, taken_from="house", amount=1000):
    """A refund as staff want it."""
    return request_refund(
        receipt_id=receipt.pk,
        amount_cents=amount,
        taken_from=taken_from,
        reason="goodwill",
        by=finance,
        now=database_now(),
    )


class TestRefundOfDisputedMoney:
    @pytest.mark.parametrize("status", ["needs_response", "under_review", "lost"])
    def test_it_is_refused(self, receipt, double, finance, status):
        dispute = double.dispute(charge=receipt.charge_id)
        if status != "needs_response":
            double.move_dispute(dispute["id"], status)
        learn(receipt)

        with pytest.raises(DomainError) as refusal:
            ask_for(receipt, finance)

        assert refusal.value.code in (Code.CHARGE_DISPUTED, Code.REFUND_NOT_ALLOWED)
        assert not Refund.objects.exists()

    def test_an_inquiry_does_not_forbid_it(self, receipt, double, finance):
        double.dispute(charge=receipt.charge_id, inquiry=True)
        learn(receipt)

        refund = send_refund(ask_for(receipt, finance).pk)

        assert refund.status == "succeeded"
        assert "refund_and_dispute" not in open_doubts()

    def test_once_it_is_won_it_may_go(self, receipt, double, finance):
        dispute = double.dispute(charge=receipt.charge_id)
        double.move_dispute(dispute["id"], "won")
        learn(receipt)

        assert send_refund(ask_for(receipt, finance).pk).status == "succeeded"

    def test_a_dispute_we_had_not_heard_of_makes_it_fail_and_be_owed(self, receipt, double, finance):
        double.dispute(charge=receipt.charge_id)

        refund = send_refund(ask_for(receipt, finance).pk)

        assert refund.status == "failed"
        assert balance("refund_payable") == -1000


class TestBoth:
    def test_a_refunded_charge_that_is_disputed_is_put_before_a_person_once(self, receipt, double, finance):
        send_refund(ask_for(receipt, finance).pk)
        double.dispute(charge=receipt.charge_id, amount=5000)

        learn(receipt)
        Discrepancy.objects.filter(kind="refund_and_dispute").update(
            status="resolved", closed_at="2026-01-01T00:00Z", resolution="sent the proof"
        )
        learn(receipt)

        assert Discrepancy.objects.filter(kind="refund_and_dispute").count() == 1

    def test_money_that_was_given_back_in_full_and_is_lost_as_well_is_the_house_s_loss(self, receipt, double, finance):
        refund = ask_for(receipt, finance, taken_from="place", amount=None)
        assert send_refund(refund.pk).status == "succeeded"
        dispute = double.dispute(charge=receipt.charge_id, amount=5000)
        double.move_dispute(dispute["id"], "lost")

        learn(receipt)

        assert Receipt.objects.get().status == "charged_back"
        assert Dispute.objects.get().borne_by == "house"
        assert balances() == {
            "clearing": -6675, "provider_fees": 175, "dispute_fees": 1500, "chargeback_loss": 5000,
        }  # fmt: skip
        assert "refund_and_dispute" in open_doubts()

    def test_a_refund_that_failed_is_owed_no_more_once_the_bank_took_the_money(self, api, unpaid, double, finance):
        receipt = learn(held_receipt(api, unpaid, double))
        dispute = double.dispute(charge=receipt.charge_id)
        refund = send_refund(ask_for(receipt, finance, taken_from="unapplied", amount=5000).pk)
        assert refund.status == "failed"
        double.move_dispute(dispute["id"], "lost")

        learn(receipt)

        assert Receipt.objects.get().status == "charged_back"
        assert (balance("refund_payable"), balance("unallocated"), balance("chargeback_loss")) == (0, 0, 0)

    def test_it_may_still_come_before_the_receipt_knows_of_the_dispute(self, receipt, double, finance):
        """A refund that succeeded is heard of after the dispute was lost: both are booked, nothing breaks."""
        double.dashboard_refund(1000, charge=receipt.charge_id)
        dispute = double.dispute(charge=receipt.charge_id)
        double.move_dispute(dispute["id"], "lost")

        learn(receipt)

        assert balance("chargeback_loss") == 4000
        assert balance("suspense") == 1000
        assert {"dispute_lost", "external_refund", "refund_and_dispute"} <= set(open_doubts())


STORIES = (
    ("needs_response", "under_review", "won"),
    ("needs_response", "under_review", "lost"),
    ("needs_response", "lost"),
    ("warning_needs_response", "warning_under_review", "needs_response", "lost"),
    ("warning_needs_response", "warning_closed"),
    ("needs_response", "under_review", "appeal_needs_response", "appeal_under_review", "won"),
)


class TestOrder:
    """Every look at the provider on the way, applied in any order and again: the end is that of the last look."""

    @pytest.mark.parametrize("story", STORIES, ids="-".join)
    @pytest.mark.parametrize("bearer", ["house", pytest.param("pot", marks=pytest.mark.slow)])
    def test_answers_that_overtake_each_other_change_nothing_in_the_end(self, api, double, story, bearer):
        draw = random.Random(int(os.environ["OUTLAST_PROPERTY_SEED"]))
        ends = set()
        for number in range(ORDERS):
            pool = PoolFactory(chargeback_bearer=bearer)
            receipt = learn(paid_receipt(api, RequestFactory(approved=True, pool=pool), double))
            before = balances()
            looks = lived(receipt, double, story)
            if number:
                draw.shuffle(looks)
            for asked_at, facts in [*looks, looks[0], looks[-1]]:
                apply_charge_facts(receipt_id=receipt.pk, facts=facts, asked_at=asked_at, source=Source.WEBHOOK)
            ends.add(end_of(receipt, before))

        assert len(ends) == 1, ends

    @pytest.mark.parametrize("order", ["created", "reversed", "shuffled"])
    def test_the_order_of_the_news_does_not_matter(self, receipt, double, order):
        """All of it is brought once everything has happened, as after an outage."""
        dispute = double.dispute(charge=receipt.charge_id)
        double.move_dispute(dispute["id"], "under_review")
        double.move_dispute(dispute["id"], "lost")
        news = events(double)
        if order != "created":
            news.reverse() if order == "reversed" else random.Random(7).shuffle(news)

        for event in [*news, *news]:
            assert post_event(event).status_code == 200
        sweep_events()

        assert Receipt.objects.get().status == "charged_back"
        assert balance("chargeback_loss") == 5000
        assert entry_now().status == "void"


def lived(receipt, double, story):
    """Each status with what the provider told then, and when it was asked."""

    def look():
        return database_now(), provider_named("stripe").fetch_charge(receipt.charge_id)

    dispute = double.dispute(charge=receipt.charge_id, inquiry=story[0].startswith("warning"))
    looks = [look()]
    for status in story[1:]:
        double.move_dispute(dispute["id"], status)
        looks.append(look())
    return looks


def end_of(receipt, before):
    """What is left of it all: receipt, place, dispute, doubts, and what the books say more than before."""
    receipt = Receipt.objects.select_related("entry", "payment__request").get(pk=receipt.pk)
    dispute = receipt.disputes.get()
    entry = receipt.entry or Entry.objects.get(request=receipt.payment.request)
    after = balances()
    moved = {kind: after.get(kind, 0) - before.get(kind, 0) for kind in after.keys() | before.keys()}
    doubts = Discrepancy.objects.filter(object_key=f"dispute:{dispute.pk}", status="open").values_list(
        "kind", flat=True
    )
    return (
        (receipt.status, receipt.payment.request.payment_status, entry.status, entry.is_suspended),
        (dispute.status, dispute.borne_by, bool(dispute.closed_at)),
        frozenset(doubts),
        frozenset((kind, amount) for kind, amount in moved.items() if amount),
    )
