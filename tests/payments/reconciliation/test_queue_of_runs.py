"""What runs write into the queue: once each, freshened, closed, left alone where a person has decided."""

from datetime import timedelta

import pytest

from config.clock import database_now
from config.errors import Conflict
from payments.models import Discrepancy, DiscrepancyKind, Movement, StagedMovement
from payments.reconciliation import breaker, differences
from payments.reconciliation.breaker import let_healing_go_on
from payments.reconciliation.differences import compare
from payments.reconciliation.healing import heal
from payments.reconciliation.report import differences_file, report_of
from payments.reconciliation.totals import control_totals
from payments.services.discrepancies import resolve
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry, payment_for, unapplied_money
from tests.support.queue import raised
from tests.support.reconciling import behind_the_guards, queue
from tests.support.refunding import fresh
from tests.support.staging import run_of, staged_movement, staged_object

pytestmark = pytest.mark.django_db(transaction=True)
STRANGE = DiscrepancyKind.UNKNOWN_MOVEMENT


def test_a_doubt_is_one_row_however_often_it_is_seen(db):
    first, second = run_of(), run_of(provider="other")
    staged_movement(first, reference="txn_odd")

    compare(first), compare(first)
    row = Discrepancy.objects.get()
    assert (row.kind, row.object_key, row.times_seen, row.first_run) == (STRANGE, "movement:stripe:txn_odd", 1, first)
    assert (row.theirs["amount_cents"], row.amount_cents, row.currency) == (5000, 5000, "usd")
    assert (first.found, first.opened) == ({STRANGE: 1}, {STRANGE: 1})

    # Another provider's run looks elsewhere, and closes nothing of it.
    compare(second)
    row.refresh_from_db()
    assert row.status == "open"


def test_what_is_too_new_may_be_on_its_way(db):
    run = run_of()
    staged_movement(run, occurred_at=database_now() - timedelta(minutes=10))

    assert compare(run).found == {}


def test_what_is_not_so_any_more_is_closed_by_the_run_that_looked_there(double):
    entry = EntryFactory()
    run = run_of()
    compare(run)
    assert queue() == [("entry_without_payment", f"entry:{entry.pk}")]

    later = run_of(provider="stripe", kind="deep", since=database_now() + timedelta(seconds=1))
    behind_the_guards("UPDATE entries_entry SET status = 'void'")
    compare(later)
    assert len(queue()) == 1

    compare(run)
    assert (queue(), run.closed) == ([], {"entry_without_payment": 1})
    row = Discrepancy.objects.get()
    assert (row.status, row.closed_by, row.resolution[:3]) == ("resolved", None, "Run")


def test_a_quiet_hour_does_not_say_that_the_account_is_ours(db, settings):
    foreign, quiet, ours = run_of(), run_of("deep"), run_of("payouts")
    for _ in range(20):
        staged_movement(foreign)
        staged_movement(ours, env=settings.OUTLAST_ENV, occurred_at=database_now())
    staged_movement(quiet, occurred_at=database_now())
    compare(foreign)
    told = ("foreign_account", "account:stripe")
    assert told in queue()

    compare(quiet)
    assert told in queue()

    compare(ours)
    assert told not in queue()


def test_a_movement_without_its_entry_is_told_until_it_is_booked_however_long_ago_it_was(db):
    run = run_of()
    staged = staged_movement(run, kind="other", category="adjustment", source_kind="other", charge_id="", source_id="")
    compare(run), heal(run)
    behind_the_guards("DELETE FROM payments_posting")
    behind_the_guards("DELETE FROM payments_journalentry")
    behind_the_guards("UPDATE payments_movement SET occurred_at = occurred_at - interval '60 days'")
    told = ("rows_disagree", f"movement:stripe:{staged.reference}")
    weekly = run_of("deep", since=database_now() - timedelta(days=35))

    compare(weekly), compare(weekly)
    assert told in queue()

    behind_the_guards("DELETE FROM payments_movement")
    compare(weekly)
    assert told not in queue()


def test_what_a_person_has_decided_stays_decided_until_a_side_changes(db):
    person, run = FinanceFactory(), run_of("deep")
    paid_entry()
    behind_the_guards("UPDATE payments_receipt SET received_at = received_at - interval '1 hour', charge_id = 'ch_x'")
    listed = staged_object(run, "charge", object_id="ch_x", amount_cents=4900)
    compare(run)
    row = Discrepancy.objects.get(kind="amount_mismatch")
    resolve(discrepancy_id=row.pk, by=person, resolution="A coupon of ours.")

    assert compare(run).opened == {}
    assert ("amount_mismatch", row.object_key) not in queue()

    listed.amount_cents = 4800
    listed.save(update_fields=["amount_cents"])
    assert compare(run).opened == {"amount_mismatch": 1}


def test_what_a_service_has_told_already_is_no_second_row(double):
    receipt = unapplied_money(because="wrong_amount", amount_cents=4900)
    behind_the_guards("UPDATE payments_receipt SET created_at = created_at - interval '1 hour'")
    run = run_of()

    compare(run)
    heal(run)

    assert queue() == [("amount_mismatch", f"receipt:{receipt.pk}")]
    assert heal(run) is None
    assert Discrepancy.objects.count() == 2


def test_a_place_without_money_is_suspended_and_cleared_when_a_person_says_so(double):
    entry = EntryFactory()
    run = run_of()
    compare(run)
    heal(run)
    entry.refresh_from_db()
    assert entry.is_suspended

    row = Discrepancy.objects.get()
    resolve(discrepancy_id=row.pk, by=FinanceFactory(), resolution="The winner of the office raffle.")
    compare(run)
    heal(run)

    entry.refresh_from_db()
    assert (entry.is_suspended, queue()) == (False, [])


def test_a_row_of_the_other_mode_is_a_leak(db):
    run = run_of("deep")
    staged_movement(run, livemode=True, reference="txn_live")
    staged_object(run, "charge", livemode=True, object_id="ch_live")

    compare(run)

    assert queue() == [("livemode_leak", "charge:stripe:ch_live"), ("livemode_leak", "movement:stripe:txn_live")]


def test_a_movement_of_another_amount_waits_for_a_person(db):
    run = run_of()
    staged = staged_movement(run, kind="other", category="adjustment", source_kind="other", charge_id="", source_id="")
    compare(run)
    heal(run)
    behind_the_guards("UPDATE payments_movement SET amount_cents = 4000, net_cents = 3825")

    compare(run)

    assert ("amount_mismatch", f"movement:stripe:{staged.reference}") in queue()

    behind_the_guards("UPDATE payments_movement SET amount_cents = 5000, net_cents = 4825, currency = 'eur'")
    compare(run)

    assert ("currency_mismatch", f"movement:stripe:{staged.reference}") in queue()
    assert ("amount_mismatch", f"movement:stripe:{staged.reference}") not in queue()


@pytest.mark.parametrize(
    ("returns", "status", "waits"), [(True, "returning", []), (False, "unapplied", ["held_money"])]
)
def test_money_that_came_twice_goes_back_or_waits_for_a_person(db, settings, returns, status, waits):
    settings.AUTO_RETURN = returns
    receipt = unapplied_money(paid_entry().request, because="already_paid")
    behind_the_guards("UPDATE payments_receipt SET created_at = created_at - interval '1 hour'")
    run = run_of()

    compare(run)
    assert queue() == [("duplicate_payment", f"receipt:{receipt.pk}")]
    heal(run)

    assert fresh(receipt).status == status
    assert queue() == [(kind, f"receipt:{receipt.pk}") for kind in waits]
    assert run.healed == ({} if waits else {"duplicate_payment": 1})


class TestBreaker:
    @pytest.fixture(autouse=True)
    def strict(self, settings):
        settings.RECONCILIATION_HEALS_AT_MOST = 2

    def test_more_than_the_limit_is_left_to_a_person_who_can_let_it_go_on(self, db):
        run, person = run_of(), FinanceFactory()
        for _ in range(3):
            staged_movement(run)
        compare(run)

        heal(run)

        assert (run.stopped_healing, run.healed, Movement.objects.count()) == ({STRANGE: 3}, {}, 0)
        assert ("mass_healing", f"healing:stripe:{STRANGE}") in queue()

        [row] = let_healing_go_on(run=run, by=person, reason="All of it is the shop's.")
        assert (row.status, row.closed_by) == ("resolved", person)
        with pytest.raises(Conflict):
            let_healing_go_on(run=run, by=person, reason="Again.")
        heal(run)
        assert (run.stopped_healing, Movement.objects.count()) == ({}, 3)

    def test_leave_ends_with_the_day(self, db):
        run = run_of()
        for _ in range(3):
            staged_movement(run)
        compare(run), heal(run)
        let_healing_go_on(run=run, by=FinanceFactory(), reason="All of it is the shop's.")
        behind_the_guards("UPDATE payments_discrepancy SET closed_at = closed_at - interval '25 hours'")

        heal(run)

        assert run.stopped_healing == {STRANGE: 3}

    def test_leave_is_given_to_what_waits_of_a_run_though_a_part_was_closed_otherwise(self, db):
        run, person = run_of(stopped_healing={"external_refund": 9, STRANGE: 3}), FinanceFactory()
        rows = [raised(DiscrepancyKind.MASS_HEALING, f"healing:stripe:{kind}") for kind in run.stopped_healing]
        resolve(discrepancy_id=rows[0].pk, by=person, resolution="A wrong key; it is right now.")

        assert let_healing_go_on(run=run, by=person, reason="Looked at ten.") == [rows[1]]

        assert fresh(rows[0]).details.get("goes_on") is None
        assert fresh(rows[1]).details["goes_on"] is True

    def test_whose_amount_nobody_knows_counts_as_unknown(self, db, settings):
        """A payment that is said to be paid, and no word of how much: not one of those that are merely behind."""
        run = run_of()
        for _ in range(3):
            payment = payment_for(RequestFactory(approved=True))
            staged_movement(run, source_cents=None, ref=str(payment.ref), env=settings.OUTLAST_ENV)
        compare(run)

        heal(run)

        assert run.stopped_healing == {"status_mismatch": 3}

    def test_most_of_what_was_read_is_too_much_of_anything(self, db, settings, monkeypatch):
        settings.RECONCILIATION_HEALS_AT_MOST = 500
        monkeypatch.setattr(breaker, "MAJORITY_FROM", 3)
        run = run_of()
        for _ in range(3):
            staged_movement(run)
        compare(run)

        heal(run)

        assert run.stopped_healing == {STRANGE: 3}

    def test_few_enough_again_closes_the_question(self, db, settings):
        run = run_of()
        for _ in range(3):
            staged_movement(run)
        compare(run), heal(run)
        settings.RECONCILIATION_HEALS_AT_MOST = 3

        heal(run)

        assert [kind for kind, _ in queue()] == [STRANGE] * 3

    def test_people_get_no_more_rows_than_they_can_read(self, db, monkeypatch):
        monkeypatch.setattr(differences, "LISTED_AT_MOST", 2)
        run = run_of()
        for _ in range(5):
            staged_movement(run)

        assert (compare(run).found, run.opened) == ({STRANGE: 5}, {STRANGE: 2})
        assert compare(run).opened == {STRANGE: 2}


def test_what_moved_a_moment_ago_is_on_its_way_and_no_objection(db):
    run = run_of()
    staged_movement(run, occurred_at=database_now() - timedelta(minutes=2))
    run.totals = control_totals(run)
    young = {line.what: (line.young_count, line.agrees) for line in report_of(run).lines if line.their_count}
    assert young == {"charges": (1, True), "fees": (1, True), "matched": (1, True)}

    StagedMovement.objects.update(occurred_at=database_now() - timedelta(minutes=20))
    run.totals = control_totals(run)
    old = {line.what: (line.young_count, line.agrees) for line in report_of(run).lines if line.their_count}
    assert old == {"charges": (0, False), "fees": (0, False), "matched": (0, False)}


def test_the_report_says_what_a_run_saw_and_whether_all_is_well(db):
    run = run_of()
    staged_movement(run, reference="=1+1")
    compare(run)
    run.totals = {
        "usd": {"charges": {"ours": [0, 0], "theirs": [1, 5000]}, "matched": {"ours": [0, 0], "theirs": [1, 4825]}}
    }

    report = report_of(run)

    assert not report.is_green
    assert report.objections == (
        "The run is running.",
        "Charges (0 here, 1 there) differ by -50.00 USD.",
        "Movements in the very same figures (0 here, 1 there) differ by -48.25 USD.",
    )
    assert (report.matched_percent, [line.difference for line in report.lines]) == (0.0, [-5000, -4825])
    assert [(one.kind, one.count, one.cents, one.age) for one in report.still_open] == [
        (STRANGE, 1, 5000, "Under 1 day")
    ]
    file = differences_file(run)
    assert file == differences_file(run)
    assert file.content.startswith(b"id,kind,object,status")
