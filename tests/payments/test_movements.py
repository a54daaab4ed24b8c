"""What moved at the provider, in our books: fees, other currencies, payouts, and what nobody can explain."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from config.clock import database_now
from payments.models import Discrepancy, Dispute, DisputeState, JournalEntry, Movement, MovementKind, Receipt
from payments.models.dispute import CLOSED_DISPUTES
from payments.providers import provider_named
from payments.providers.base import MovementFacts
from payments.providers.faults import NotThere, Unreachable
from payments.services import charge_sweep
from payments.services.charge_state import apply_charge_facts, apply_charge_state
from payments.services.charge_sweep import sweep_charges
from payments.services.movements import WrongMode, apply_movement, apply_payout_state
from payments.services.provider_state import Source
from tests.support.charging import balance, balances, learn, paid_receipt

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receipt(api, unpaid, double):
    """Of a place that is paid; what it cost was not asked yet."""
    return paid_receipt(api, unpaid, double)


def doubts():
    return sorted(Discrepancy.objects.values_list("kind", flat=True))


class TestFees:
    def test_the_fee_is_what_the_provider_says(self, receipt):
        learn(receipt)

        movement = Movement.objects.get()
        assert (movement.kind, movement.amount_cents, movement.fee_cents, movement.net_cents) == (
            "charge", 5000, 175, 4825,
        )  # fmt: skip
        assert movement.receipt == receipt
        assert balances() == {"clearing": 4825, "prize_pot": -5000, "provider_fees": 175}
        assert Receipt.objects.get().is_fee_known

    def test_it_is_booked_once(self, receipt):
        for _ in range(3):
            learn(receipt)

        assert Movement.objects.count() == 1
        assert balance("provider_fees") == 175

    def test_the_books_agree_with_the_balance_there(self, receipt, double):
        learn(receipt)
        dispute = double.dispute(charge=receipt.charge_id)
        learn(receipt)
        double.move_dispute(dispute["id"], "won", fee_returned=True)
        learn(receipt)

        assert balance("clearing", provider="stripe") == double.books()["currencies"]["usd"]["net"]


class TestOtherCurrencies:
    @pytest.fixture
    def receipt(self, api, unpaid, double):
        """Charged in dollars, settled in euros."""
        double.settle_next_in("eur", 0.9)
        return learn(paid_receipt(api, unpaid, double))

    def test_both_sides_of_the_exchange_are_in_the_books(self, receipt, double):
        movement = Movement.objects.get()
        assert (movement.currency, movement.amount_cents, movement.exchange_rate) == ("eur", 4500, Decimal("0.9"))
        assert balances(currency="usd") == {"conversion": 5000, "prize_pot": -5000}
        fee = movement.fee_cents
        assert balances(currency="eur") == {"clearing": 4500 - fee, "conversion": -4500, "provider_fees": fee}
        assert balance("clearing", currency="eur") == double.books()["currencies"]["eur"]["net"]

    @pytest.mark.parametrize("end", ["won", "lost"])
    def test_disputes_go_the_same_way(self, receipt, double, end):
        dispute = double.dispute(charge=receipt.charge_id)
        learn(receipt)
        double.move_dispute(dispute["id"], end)

        learn(receipt)

        assert balance("clearing", currency="eur") == double.books()["currencies"]["eur"]["net"]
        assert (balance("clearing", currency="usd"), balance("disputes_receivable")) == (0, 0)
        assert balance("chargeback_loss", currency="usd") == (5000 if end == "lost" else 0)
        assert balance("dispute_fees", currency="eur") == 1500

    def test_refunds_do(self, receipt, double):
        double.dashboard_refund(2000, charge=receipt.charge_id)

        learn(receipt)

        assert balance("clearing", currency="eur") == double.books()["currencies"]["eur"]["net"]
        assert (balance("clearing", currency="usd"), balance("suspense", currency="usd")) == (0, 2000)


class TestUnexplained:
    def facts(self, **changes):
        made = MovementFacts(
            reference="txn_odd",
            kind=MovementKind.OTHER,
            category="network_cost",
            amount_cents=-700,
            fee_cents=20,
            currency="usd",
            occurred_at=database_now(),
        )
        return replace(made, **changes)

    def apply(self, facts, **of):
        return apply_movement(facts, provider="stripe", livemode=False, **of)

    def test_a_movement_of_no_known_kind_goes_to_suspense_and_to_a_person(self):
        assert self.apply(self.facts())

        assert balances() == {"clearing": -720, "suspense": 720}
        assert doubts() == ["unknown_movement"]

    def test_known_it_changes_nothing(self):
        self.apply(self.facts())

        assert not self.apply(self.facts(amount_cents=-900))

        assert balances() == {"clearing": -720, "suspense": 720}
        assert Discrepancy.objects.get().times_seen == 1

    def test_so_does_a_charge_of_nobody(self):
        self.apply(self.facts(kind=MovementKind.CHARGE, category="charge"))

        assert balance("suspense") == 720

    def test_and_the_part_of_a_charge_that_was_never_booked(self, receipt):
        facts = provider_named("stripe").fetch_charge(receipt.charge_id)
        moved = replace(facts.movement, amount_cents=4900)

        apply_charge_facts(
            receipt_id=receipt.pk,
            facts=replace(facts, movement=moved),
            asked_at=database_now(),
            source=Source.WEBHOOK,
        )

        assert balance("clearing") == 4900 - 175
        assert balance("suspense") == 100
        assert doubts() == ["unknown_movement"]


class TestWrongAnswers:
    def test_a_charge_of_the_other_mode_is_not_applied(self, receipt):
        facts = provider_named("stripe").fetch_charge(receipt.charge_id)

        for _ in range(2):
            apply_charge_facts(
                receipt_id=receipt.pk, facts=replace(facts, livemode=True), asked_at=database_now(), source=Source.SWEEP
            )

        assert not Movement.objects.exists()
        assert doubts() == ["livemode_leak"]

    def test_nor_one_of_another_amount(self, receipt):
        facts = provider_named("stripe").fetch_charge(receipt.charge_id)
        charge = replace(facts.charge, amount_cents=1)

        apply_charge_facts(
            receipt_id=receipt.pk, facts=replace(facts, charge=charge), asked_at=database_now(), source=Source.SWEEP
        )

        assert not Movement.objects.exists()
        assert doubts() == ["amount_mismatch"]

    def test_a_charge_that_the_provider_does_not_know_is_put_before_a_person(self, receipt, double):
        double.reset()

        for _ in range(2):
            with pytest.raises(NotThere):
                apply_charge_state(receipt_id=receipt.pk, source=Source.SWEEP)

        assert doubts() == ["missing_at_provider"]

    def test_nothing_changes_while_the_provider_is_away(self, receipt, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        with pytest.raises(Unreachable):
            learn(receipt)

        assert not Movement.objects.exists()
        assert doubts() == []


class TestPayouts:
    @pytest.fixture
    def payout(self, receipt, double):
        """Everything available is on its way to the bank."""
        learn(receipt)
        double.advance(4 * 86_400)
        return double.run_payouts()[0]

    def apply(self, payout):
        return apply_payout_state(provider="stripe", reference=payout["id"])

    def test_it_is_on_its_way_to_the_bank(self, payout):
        self.apply(payout)
        self.apply(payout)

        assert (balance("bank_in_transit"), balance("clearing")) == (4825, 0)
        assert Movement.objects.filter(kind="payout").count() == 1
        assert doubts() == []

    def test_one_that_comes_back_after_it_was_paid_is_taken_back_and_told(self, payout, double):
        double.move_payout(payout["id"], "paid")
        self.apply(payout)
        double.move_payout(payout["id"], "failed", failure_code="account_closed")

        self.apply(payout)
        self.apply(payout)

        assert (balance("bank_in_transit"), balance("clearing")) == (0, 4825)
        doubt = Discrepancy.objects.get()
        assert (doubt.kind, doubt.object_key) == ("payout_failed", f"payout:stripe:{payout['id']}")
        assert "account_closed" in doubt.sentence

    def test_seen_only_at_its_end_it_is_the_same(self, payout, double):
        double.move_payout(payout["id"], "paid")
        double.move_payout(payout["id"], "failed")

        self.apply(payout)

        assert (balance("bank_in_transit"), balance("clearing")) == (0, 4825)

    def test_one_of_the_other_mode_is_refused(self, payout, double):
        double.fault(action="answer_livemode", method="GET", path="/v1/payouts/*")

        with pytest.raises(WrongMode):
            self.apply(payout)

        assert not Movement.objects.filter(kind="payout").exists()


class TestSweep:
    @pytest.fixture
    def impatient(self, monkeypatch):
        monkeypatch.setattr(charge_sweep, "PATIENCE", timedelta())

    def test_a_new_receipt_is_left_alone_for_a_moment(self, receipt):
        assert sweep_charges().asked == 0

    def test_one_whose_fee_is_not_known_is_asked_about_once(self, receipt, impatient):
        assert (sweep_charges().asked, sweep_charges().asked) == (1, 0)

        assert Receipt.objects.get().is_fee_known

    def test_a_disputed_one_is_asked_about_every_day(self, receipt, double, impatient):
        dispute = double.dispute(charge=receipt.charge_id)
        learn(receipt)
        double.move_dispute(dispute["id"], "lost")
        assert sweep_charges().asked == 0
        Receipt.objects.update(checked_at=database_now() - timedelta(hours=25))

        assert sweep_charges().asked == 1

        assert Dispute.objects.get().borne_by == "house"

    @pytest.mark.parametrize("status", sorted({*DisputeState} - {*CLOSED_DISPUTES}))
    def test_none_that_is_not_over_waits_for_news_that_never_comes(self, receipt, double, status):
        """Whatever became of its receipt meanwhile."""
        dispute = double.dispute(charge=receipt.charge_id)
        learn(receipt)
        double.move_dispute(dispute["id"], "won")
        Dispute.objects.update(status=status)
        Receipt.objects.update(status="returning", checked_at=database_now() - timedelta(hours=25))

        assert sweep_charges().asked == 1

        assert Dispute.objects.get().status == "won"

    def test_an_appeal_of_a_lost_one_is_found(self, receipt, double):
        dispute = double.dispute(charge=receipt.charge_id)
        double.move_dispute(dispute["id"], "lost")
        learn(receipt)
        double.move_dispute(dispute["id"], "appeal_needs_response")
        Receipt.objects.update(checked_at=database_now() - timedelta(days=8))

        sweep_charges()

        assert Dispute.objects.get().status == "appeal_needs_response"

    def test_a_provider_that_is_away_is_left_alone(self, receipt, impatient, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        swept = sweep_charges()

        assert (swept.asked, list(swept.failed)) == (1, [receipt.pk])
        assert sweep_charges().asked == 0


def attack(sql, *parameters):
    """Run it in a transaction of its own; the constraint or trigger that refused it."""
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    return refusal.value.__cause__.diag.constraint_name


class TestAttacks:
    @pytest.fixture
    def lost(self, receipt, double):
        dispute = double.dispute(charge=receipt.charge_id)
        double.move_dispute(dispute["id"], "lost")
        return learn(receipt)

    @pytest.mark.parametrize(
        ("change", "guard"),
        [
            ("receipt_id = receipt_id + 1", "dispute_stays"),
            ("provider_reference = 'du_other'", "dispute_stays"),
            ("provider = 'manual'", "dispute_stays"),
            ("livemode = true", "dispute_stays"),
            ("currency = 'eur'", "dispute_stays"),
            ("opened_at = now()", "dispute_stays"),
            ("borne_by = 'pot'", "dispute_stays"),
            ("borne_by = ''", "dispute_stays"),
            ("status = 'forgotten'", "dispute_status_known"),
            ("amount_cents = 0", "dispute_amount_positive"),
        ],
    )
    def test_what_a_dispute_is_about_never_changes(self, lost, change, guard):
        assert attack(f"UPDATE payments_dispute SET {change}") == guard

    def test_a_dispute_is_never_deleted(self, lost):
        assert attack("DELETE FROM payments_dispute") == "never_deleted"
        assert attack("TRUNCATE payments_dispute CASCADE") is not None

    def test_its_history_stays(self, lost):
        assert attack("UPDATE payments_disputechange SET reason = ''") == "append_only"
        assert attack("DELETE FROM payments_disputechange") == "append_only"

    def test_one_dispute_is_one_row(self, lost):
        sql = (
            "INSERT INTO payments_dispute (receipt_id, provider, provider_reference, livemode, amount_cents, currency,"
            " status, reason, is_charge_refundable, opened_at) SELECT receipt_id, provider, provider_reference,"
            " livemode, 1, currency, 'lost', '', false, opened_at FROM payments_dispute"
        )
        assert attack(sql) == "dispute_reference_unique"

    @pytest.mark.parametrize(
        "change", ["amount_cents = 1, net_cents = 1 - fee_cents", "kind = 'other'", "fee_cents = 0"]
    )
    def test_a_movement_is_written_once(self, lost, change):
        assert attack(f"UPDATE payments_movement SET {change}") == "append_only"

    def test_and_never_deleted(self, lost):
        assert attack("DELETE FROM payments_movement") == "append_only"

    def test_its_net_is_the_amount_less_the_fee(self, lost):
        assert attack(MOVEMENT, "txn_new", 100, 10, 91) == "movement_net"

    def test_one_movement_is_one_row(self, lost):
        known = Movement.objects.first().reference

        assert attack(MOVEMENT, known, 100, 10, 90) == "movement_reference_unique"

    def test_what_a_lost_dispute_took_is_not_booked_twice(self, lost):
        assert JournalEntry.objects.filter(event="lost").count() == 1
        sql = (
            "INSERT INTO payments_journalentry (source_type, source_id, event, currency_id, livemode, effective_at,"
            " finance_date) SELECT source_type, source_id, event, currency_id, livemode, effective_at, finance_date"
            " FROM payments_journalentry WHERE event = 'lost'"
        )
        assert attack(sql) == "journal_source_unique"

    @pytest.mark.parametrize("status", ["returning"])
    def test_what_the_bank_took_is_not_given_back(self, lost, status):
        assert attack("UPDATE payments_receipt SET status = %s", status) == "status_map"


MOVEMENT = (
    "INSERT INTO payments_movement (provider, reference, livemode, kind, category, amount_cents, fee_cents, net_cents,"
    " currency, occurred_at) VALUES ('stripe', %s, false, 'other', '', %s, %s, %s, 'usd', now())"
)
