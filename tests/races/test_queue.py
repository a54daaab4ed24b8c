"""One row of the queue, and several people at the same instant: one of them has it, the others are told."""

import threading

import pytest
from django.db import connection, transaction

from config.clock import database_now
from payments.ledger import rules
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import Discrepancy, DiscrepancyKind, ForeignObject, JournalEntry, Refund, WriteOff
from payments.services.books import broken
from payments.services.discrepancies import acknowledge, raise_discrepancy, resolve, settle_discrepancy
from payments.services.queue.acting import allocate, refund
from payments.services.queue.foreign import find_ours, mark_foreign
from payments.services.queue.write_offs import approve_write_off, decline_write_off, request_write_off
from payments.services.refunds.decisions import lock_receipt
from tests.factories.accounts import FinanceFactory
from tests.factories.payments import unapplied_money
from tests.support.charging import balances
from tests.support.queue import moved, raised
from tests.support.refunding import fresh
from tests.support.running import wait_for
from tests.support.threads import again_and_again, codes, errors, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff():
    return [FinanceFactory() for _ in range(4)]


def test_of_four_who_take_a_row_one_has_it(staff):
    row = raised()

    outcomes = run_together([
        lambda by=by: acknowledge(discrepancy_id=row.pk, by=by, take_over=False) for by in staff
    ])  # fmt: skip

    [winner] = successes(outcomes)
    assert codes(outcomes) == ["VERSION_CONFLICT"] * 3
    assert fresh(row).owner == winner.owner


@again_and_again
def test_all_ways_of_ending_a_row_at_once_end_it_once(staff):
    row = moved()
    before = JournalEntry.objects.count()
    wish = request_write_off(discrepancy_id=row.pk, by=staff[0], reason="Nobody knows.")

    outcomes = run_together([
        lambda: approve_write_off(write_off_id=wish.pk, by=staff[1]),
        lambda: approve_write_off(write_off_id=wish.pk, by=staff[2]),
        lambda: mark_foreign(discrepancy_id=row.pk, by=staff[3], reason="The shop's."),
        lambda: resolve(discrepancy_id=row.pk, by=staff[3], resolution="found it"),
        lambda: decline_write_off(write_off_id=wish.pk, by=staff[0], reason="No."),
        lambda: settle_discrepancy(
            kind=DiscrepancyKind.UNKNOWN_MOVEMENT, object_key=row.object_key, resolution="gone"
        ),
    ])  # fmt: skip

    assert set(codes(outcomes)) <= {"INVALID_TRANSITION"}
    assert fresh(row).status in ("resolved", "written_off")
    ends = WriteOff.objects.filter(discrepancy=row, status="approved").count()
    marks = ForeignObject.objects.filter(discrepancy=row).count()
    assert ends + marks <= 1
    assert (fresh(row).status == "written_off") == bool(ends)
    assert JournalEntry.objects.count() - before == ends + marks
    assert not WriteOff.objects.filter(status="requested").exists()
    assert broken() == {}


@again_and_again
def test_of_four_who_ask_for_a_write_off_one_does(staff):
    row = moved()

    outcomes = run_together([
        lambda by=by: request_write_off(discrepancy_id=row.pk, by=by, reason="Nobody knows.") for by in staff
    ])  # fmt: skip

    assert len(successes(outcomes)) == 1
    assert codes(outcomes) == ["VERSION_CONFLICT"] * 3


@again_and_again
def test_money_that_is_made_a_place_and_given_back_at_once_is_one_of_both(staff):
    receipt = unapplied_money()
    row = raised(DiscrepancyKind.HELD_MONEY, f"receipt:{receipt.pk}")

    outcomes = run_together([
        lambda: allocate(discrepancy_id=row.pk, by=staff[0], reason="back"),
        lambda: refund(discrepancy_id=row.pk, by=staff[1], reason="asked"),
        lambda: allocate(discrepancy_id=row.pk, by=staff[2], reason="back"),
        lambda: refund(discrepancy_id=row.pk, by=staff[3], reason="asked"),
    ])  # fmt: skip

    assert len(successes(outcomes)) == 1
    assert set(codes(outcomes)) == {"INVALID_TRANSITION"}
    is_back = Refund.objects.filter(receipt=receipt).exists()
    assert fresh(receipt).status == ("returning" if is_back else "allocated")
    assert broken() == {}


@pytest.mark.parametrize("act", [allocate, refund])
def test_who_acts_on_a_row_waits_for_who_settles_it_and_neither_holds_the_other_up(staff, act):
    """The money is locked before the row: the other way round, each would have what the other waits for."""
    receipt = unapplied_money()
    row = raised(DiscrepancyKind.HELD_MONEY, f"receipt:{receipt.pk}")
    is_held = threading.Event()

    @transaction.atomic
    def settle():
        lock_receipt(receipt.pk)
        is_held.set()
        assert wait_for(waiting, every=0.02)
        settle_discrepancy(
            kind=DiscrepancyKind.HELD_MONEY, object_key=row.object_key, resolution="All of it goes back."
        )

    def acting():
        assert is_held.wait(20)
        act(discrepancy_id=row.pk, by=staff[0], reason="asked")

    outcomes = run_together([settle, acting])

    assert outcomes[0].error is None
    assert codes(outcomes) == ["INVALID_TRANSITION"]
    assert fresh(row).resolution == "All of it goes back."


def waiting():
    """How many transactions of this database wait for another."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT count(*) FROM pg_locks JOIN pg_stat_activity a USING (pid)
            WHERE NOT granted AND a.datname = current_database()
        """)
        return cursor.fetchone()[0]


@again_and_again
def test_raised_while_it_is_closed_it_is_never_lost(staff):
    """Whoever doubts at the moment at which a person closes the row has a row afterwards: that one, or a new one."""
    row = raised(key="refund:77")

    outcomes = run_together([
        lambda: resolve(discrepancy_id=row.pk, by=staff[0], resolution="done"),
        *[
            lambda: raise_discrepancy(
                kind=DiscrepancyKind.EXTERNAL_REFUND, object_key="refund:77", sentence="Again.", suggestion="Look."
            )
        ]
        * 5,
    ])  # fmt: skip

    assert errors(outcomes) == []
    assert Discrepancy.objects.filter(object_key="refund:77", status="open").count() <= 1
    resolve_all(staff[0])


def resolve_all(by):
    for row in Discrepancy.objects.filter(status="open"):
        resolve(discrepancy_id=row.pk, by=by, resolution="next round")


@again_and_again
def test_money_that_two_rows_are_about_is_moved_once(staff):
    before = balances().get("not_ours", 0)
    charge = f"ch_far_{JournalEntry.objects.count()}"
    with transaction.atomic():
        post(rules.charge_received("stripe", charge, Sum(5000, "usd", False, database_now())))
    rows = [
        raised(DiscrepancyKind.MISSING_LOCALLY, f"charge:stripe:{charge}"),
        raised(DiscrepancyKind.MISSING_LOCALLY, f"payment:stripe:{charge}", details={"charge": charge}),
    ]

    outcomes = run_together([
        lambda row=row: mark_foreign(discrepancy_id=row.pk, by=staff[0], reason="The shop's.") for row in rows
    ])  # fmt: skip

    assert errors(outcomes) == []
    assert balances()["not_ours"] - before == -5000


@again_and_again
def test_a_mark_is_taken_back_once(staff):
    mark = mark_foreign(discrepancy_id=moved(900).pk, by=staff[0], reason="The shop's.")
    before = balances().get("suspense", 0)

    outcomes = run_together([lambda by=by: find_ours(mark_id=mark.pk, by=by, reason="Ours.") for by in staff])

    assert len(successes(outcomes)) == 1
    assert codes(outcomes) == ["INVALID_TRANSITION"] * 3
    assert balances()["suspense"] == before - 900
