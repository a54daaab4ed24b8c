"""Disputes: what each status means for the money, the place, and whoever has to answer."""

from dataclasses import replace

import pytest

from config.clock import database_now
from entries.models import Entry, PaymentStatus
from payments.models import Discrepancy, Dispute, Receipt, ReceiptChange
from payments.providers import provider_named
from payments.services.charge_state import apply_charge_facts
from payments.services.provider_state import Source
from pools.models import Pool
from pools.models.pool import ChargebackBearer
from tests.support.charging import balance, balances, held_receipt, learn, paid_receipt

pytestmark = pytest.mark.django_db(transaction=True)

PLACE = {"clearing": 4825, "prize_pot": -5000, "provider_fees": 175}
DISPUTED = PLACE | {"clearing": -1675, "disputes_receivable": 5000, "dispute_fees": 1500}


@pytest.fixture
def receipt(api, unpaid, double):
    """Of a place that is paid, and whose fee is known."""
    return learn(paid_receipt(api, unpaid, double))


@pytest.fixture
def dispute(receipt, double):
    """The bank disputes all of it; nobody has told us."""
    return double.dispute(charge=receipt.charge_id)


def entry_now():
    return Entry.objects.get()


def open_doubts():
    """The kinds of what waits for a person."""
    return sorted(Discrepancy.objects.filter(status="open").values_list("kind", flat=True))


def standing(receipt):
    """Everything that a dispute may move: receipt, place, dispute, tasks, books."""
    receipt = Receipt.objects.get(pk=receipt.pk)
    return (
        (receipt.status, receipt.entry_id, receipt.payment.request.payment_status),
        sorted(Entry.objects.values_list("status", "is_suspended")),
        sorted(Dispute.objects.values_list("status", "amount_cents", "borne_by", "has_suspended")),
        open_doubts(),
        balances(),
    )


class TestOpened:
    def test_the_money_is_booked_the_entry_suspended_and_somebody_told(self, receipt, dispute):
        learn(receipt)

        row = Dispute.objects.get()
        assert (row.status, row.amount_cents, row.reason) == ("needs_response", 5000, "fraudulent")
        assert (entry_now().status, entry_now().is_suspended) == ("active", True)
        assert balances() == DISPUTED
        task = Discrepancy.objects.get()
        assert (task.kind, task.object_key, task.due_at) == (
            "dispute_deadline", f"dispute:{row.pk}", row.evidence_due_at,
        )  # fmt: skip

    def test_the_pot_is_whole_until_it_is_lost(self, receipt, dispute):
        learn(receipt)

        assert balance("prize_pot") == -5000
        assert Receipt.objects.get().status == "allocated"

    def test_learning_it_again_changes_nothing(self, receipt, dispute):
        learn(receipt)
        before = standing(receipt)

        for source in Source:
            learn(receipt, source)

        assert standing(receipt) == before
        assert Discrepancy.objects.get().times_seen == 1

    def test_once_answered_nobody_has_to(self, receipt, dispute, double):
        learn(receipt)
        double.move_dispute(dispute["id"], "under_review")

        learn(receipt)

        assert open_doubts() == []
        assert entry_now().is_suspended

    def test_a_task_that_somebody_resolved_is_not_opened_again_by_the_same_news(self, receipt, dispute):
        learn(receipt)
        Discrepancy.objects.update(status="resolved", closed_at=database_now(), resolution="answered")

        learn(receipt)

        assert open_doubts() == []


class TestInquiry:
    def test_it_moves_no_money_and_no_place(self, receipt, double):
        double.dispute(charge=receipt.charge_id, inquiry=True)

        learn(receipt)

        assert Dispute.objects.get().status == "warning_needs_response"
        assert balances() == PLACE
        assert not entry_now().is_suspended
        assert open_doubts() == ["dispute_deadline"]

    def test_it_ends_as_it_came(self, receipt, double):
        inquiry = double.dispute(charge=receipt.charge_id, inquiry=True)
        learn(receipt)
        double.move_dispute(inquiry["id"], "warning_closed")

        learn(receipt)

        assert open_doubts() == []
        assert Dispute.objects.get().closed_at is not None

    def test_it_may_become_a_dispute(self, receipt, double):
        inquiry = double.dispute(charge=receipt.charge_id, inquiry=True)
        learn(receipt)
        double.move_dispute(inquiry["id"], "needs_response")

        learn(receipt)

        assert entry_now().is_suspended
        assert balances() == DISPUTED


class TestWon:
    def test_the_money_is_back_and_the_entry_plays_on(self, receipt, dispute, double):
        learn(receipt)
        double.move_dispute(dispute["id"], "won")

        learn(receipt)

        assert (entry_now().status, entry_now().is_suspended) == ("active", False)
        # The fee of the dispute stays with the provider.
        assert balances() == PLACE | {"clearing": 3325, "dispute_fees": 1500}
        assert open_doubts() == []

    def test_the_fee_comes_back_where_the_provider_says_so(self, receipt, dispute, double):
        double.move_dispute(dispute["id"], "won", fee_returned=True)

        learn(receipt)

        assert balances() == PLACE

    def test_another_open_dispute_keeps_it_suspended(self, receipt, double):
        first = double.dispute(charge=receipt.charge_id, amount=1000)
        learn(receipt)
        double.move_dispute(first["id"], "won")
        double.dispute(charge=receipt.charge_id, amount=2000)

        learn(receipt)

        assert entry_now().is_suspended
        assert balance("disputes_receivable") == 2000


class TestLost:
    def test_the_house_bears_it_and_the_place_is_void(self, receipt, dispute, double):
        learn(receipt)
        double.move_dispute(dispute["id"], "lost")

        learn(receipt)

        assert (entry_now().status, entry_now().is_suspended) == ("void", False)
        row = Receipt.objects.get()
        assert (row.status, row.payment.request.payment_status) == ("charged_back", PaymentStatus.COMPLETED)
        assert Dispute.objects.get().borne_by == "house"
        assert balances() == PLACE | {"clearing": -1675, "dispute_fees": 1500, "chargeback_loss": 5000}
        assert open_doubts() == ["dispute_lost"]

    def test_it_is_borne_once(self, receipt, dispute, double):
        double.move_dispute(dispute["id"], "lost")
        learn(receipt)
        before = standing(receipt)

        learn(receipt)
        learn(receipt, Source.SWEEP)

        assert standing(receipt) == before

    def test_the_pot_bears_it_before_the_first_lock_where_the_pool_says_so(self, receipt, dispute, double):
        Pool.objects.update(chargeback_bearer=ChargebackBearer.POT)
        double.move_dispute(dispute["id"], "lost")

        learn(receipt)

        assert entry_now().status == "void"
        row = Receipt.objects.get()
        assert (row.status, row.payment.request.payment_status) == ("charged_back", PaymentStatus.REFUNDED)
        assert Dispute.objects.get().borne_by == "pot"
        assert balances() == {"clearing": -1675, "provider_fees": 175, "dispute_fees": 1500}

    def test_after_it_the_house_does(self, receipt, dispute, double):
        Pool.objects.update(chargeback_bearer=ChargebackBearer.POT, status="running")
        double.move_dispute(dispute["id"], "lost")

        learn(receipt)

        assert Dispute.objects.get().borne_by == "house"
        assert balance("prize_pot") == -5000

    def test_in_a_cancelled_pool_the_pot_does(self, receipt, dispute, double):
        Pool.objects.update(status="cancelled")
        double.move_dispute(dispute["id"], "lost")

        learn(receipt)

        assert Dispute.objects.get().borne_by == "pot"
        assert balance("prize_pot") == 0

    def test_a_part_of_it_costs_the_place_and_leaves_the_pot(self, receipt, double):
        Pool.objects.update(chargeback_bearer=ChargebackBearer.POT)
        part = double.dispute(charge=receipt.charge_id, amount=1000)
        double.move_dispute(part["id"], "lost")

        learn(receipt)

        assert entry_now().status == "void"
        assert Receipt.objects.get().status == "charged_back"
        assert (Dispute.objects.get().borne_by, balance("chargeback_loss")) == ("house", 1000)
        assert balance("prize_pot") == -5000
        assert "40.00 USD of it are still here" in Discrepancy.objects.get(kind="dispute_lost").sentence

    def test_a_receipt_tells_why_it_changed(self, receipt, dispute, double):
        double.move_dispute(dispute["id"], "lost")

        learn(receipt)

        change = ReceiptChange.objects.get(to_status="charged_back")
        assert change.reason == f"dispute {dispute['id']} was lost"


@pytest.mark.slow
class TestAppeal:
    def test_a_loss_of_the_house_is_made_good(self, receipt, dispute, double):
        double.move_dispute(dispute["id"], "lost")
        learn(receipt)
        for status in ("appeal_needs_response", "appeal_under_review", "won"):
            double.move_dispute(dispute["id"], status)
            learn(receipt)

        assert balances() == PLACE | {"clearing": 3325, "dispute_fees": 1500}
        # The place stays void: a person decides.
        assert (entry_now().status, Receipt.objects.get().status) == ("void", "allocated")
        assert open_doubts() == ["dispute_lost", "dispute_lost"]

    def test_what_the_pot_lost_has_no_place_afterwards(self, receipt, dispute, double):
        Pool.objects.update(chargeback_bearer=ChargebackBearer.POT)
        double.move_dispute(dispute["id"], "lost")
        learn(receipt)
        for status in ("appeal_needs_response", "appeal_under_review", "won"):
            double.move_dispute(dispute["id"], status)
        learn(receipt)

        row = Receipt.objects.get()
        assert (row.status, row.entry, row.unapplied_because) == ("unapplied", None, "dispute_won")
        assert balance("unallocated") == -5000
        assert "held_money" in open_doubts()

    def test_lost_again_it_is_borne_as_before(self, receipt, dispute, double):
        double.move_dispute(dispute["id"], "lost")
        learn(receipt)
        before = balances()
        double.move_dispute(dispute["id"], "appeal_needs_response")
        learn(receipt)
        assert "dispute_deadline" in open_doubts()
        double.move_dispute(dispute["id"], "lost")

        learn(receipt)

        assert balances() == before
        assert open_doubts() == ["dispute_lost"]


@pytest.mark.slow
class TestMoneyWithoutAPlace:
    @pytest.fixture
    def held(self, api, unpaid, double):
        return learn(held_receipt(api, unpaid, double))

    def test_a_lost_dispute_takes_it(self, held, double):
        assert held.status == "unapplied"
        dispute = double.dispute(charge=held.charge_id)
        learn(held)
        double.move_dispute(dispute["id"], "lost")

        learn(held)

        assert Receipt.objects.get().status == "charged_back"
        assert (Dispute.objects.get().borne_by, balance("unallocated"), balance("chargeback_loss")) == (
            "unapplied", 0, 0,
        )  # fmt: skip

    def test_a_part_leaves_the_rest_to_a_person(self, held, double):
        dispute = double.dispute(charge=held.charge_id, amount=2000)
        double.move_dispute(dispute["id"], "lost")

        learn(held)

        assert Receipt.objects.get().status == "unapplied"
        assert balance("unallocated") == -3000


@pytest.mark.slow
class TestUnclear:
    """What the provider says is not always what we know."""

    @pytest.fixture
    def told(self, receipt, dispute):
        """Apply the dispute as the provider tells it, but for some changes."""

        def apply(**changes):
            facts = provider_named("stripe").fetch_charge(receipt.charge_id)
            disputes = tuple(replace(one, **changes) for one in facts.disputes)
            return apply_charge_facts(
                receipt_id=receipt.pk,
                facts=replace(facts, disputes=disputes),
                asked_at=database_now(),
                source=Source.WEBHOOK,
            )

        return apply

    def test_a_status_of_tomorrow_is_put_before_a_person(self, told):
        told(status="awaiting_the_moon")

        assert Dispute.objects.get().status == "unknown"
        assert entry_now().is_suspended
        assert open_doubts() == ["dispute_unknown"]
        assert "awaiting_the_moon" in Discrepancy.objects.get().sentence

    def test_one_that_has_moved_no_money_suspends_nobody(self, told):
        told(status="awaiting_the_moon", movements=())

        assert not entry_now().is_suspended

    def test_once_it_is_known_again_the_doubt_is_gone(self, told):
        told(status="awaiting_the_moon")

        told()

        assert open_doubts() == ["dispute_deadline"]

    def test_a_loss_for_which_no_money_has_left_takes_no_place(self, told):
        told(status="lost", movements=())

        assert (entry_now().status, Receipt.objects.get().status) == ("active", "allocated")
        assert Dispute.objects.get().borne_by == ""
        assert open_doubts() == ["dispute_unknown"]

        # The movement is told a moment later.
        told(status="lost")

        assert (entry_now().status, Dispute.objects.get().borne_by) == ("void", "house")
        assert open_doubts() == ["dispute_lost"]

    def test_one_that_was_prevented_is_over(self, told):
        told()

        told(status="prevented", movements=())

        assert not entry_now().is_suspended
        assert Dispute.objects.get().closed_at is not None

    def test_what_was_won_and_has_not_come_back_is_watched(self, told, receipt, dispute, double):
        told()
        told(status="won")
        assert open_doubts() == ["dispute_unknown"]
        assert balance("disputes_receivable") == 5000
        double.move_dispute(dispute["id"], "won")

        learn(receipt)

        assert open_doubts() == []
        assert balance("disputes_receivable") == 0
