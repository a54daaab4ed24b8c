"""What the database itself refuses about the queue, whoever asks: each attack is raw SQL."""

import pytest
from django.db import connection, transaction

from payments.models import ForeignObject, WriteOff
from payments.services.queue.foreign import mark_foreign
from payments.services.queue.write_offs import approve_write_off, request_write_off
from tests.factories.accounts import FinanceFactory
from tests.payments.test_guards import attack
from tests.support.queue import moved

pytestmark = pytest.mark.django_db
APPROVED = "UPDATE payments_writeoff SET status = 'approved', decided_at = now(), decided_by_id = %s"


@pytest.fixture
def wish():
    return request_write_off(discrepancy_id=moved().pk, by=FinanceFactory(), reason="Nobody knows what it was.")


@pytest.fixture
def mark():
    return mark_foreign(discrepancy_id=moved().pk, by=FinanceFactory(), reason="The shop's.")


def test_nobody_writes_off_alone_or_unbooked(wish):
    other = FinanceFactory().pk

    assert attack(APPROVED, wish.requested_by_id) in ("write_off_two_names", "write_off_is_booked")
    assert attack(APPROVED, other) == "write_off_is_booked"
    assert attack(f"{APPROVED}, entry_id = (SELECT max(id) FROM payments_journalentry)", other) == (
        "write_off_of_its_entry"
    )
    assert attack("UPDATE payments_discrepancy SET status = 'written_off', closed_at = now(), resolution = 'x'") == (
        "discrepancy_written_off_by_two"
    )


def test_a_booked_entry_of_the_right_name_alone_is_not_enough(wish):
    """Even with an entry that says so: the sum has to be the one that was asked for."""
    approved = approve_write_off(
        write_off_id=request_write_off(discrepancy_id=moved(-5).pk, by=FinanceFactory(), reason="x").pk,
        by=FinanceFactory(),
    )

    assert attack(f"{APPROVED}, entry_id = %s WHERE id = %s", FinanceFactory().pk, approved.entry_id, wish.pk) == (
        "write_off_of_its_entry"
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount_cents", 1),
        ("currency", "eur"),
        ("account_kind", "prize_pot"),
        ("provider", "manual"),
        ("reason", "x"),
        ("livemode", True),
        ("requested_at", "2020-01-01T00:00:00Z"),
    ],
)
def test_what_was_asked_for_never_changes(wish, column, value):
    assert attack(f"UPDATE payments_writeoff SET {column} = %s", value) == "write_off_stays"


def test_what_was_decided_never_changes(wish):
    approve_write_off(write_off_id=wish.pk, by=FinanceFactory())

    assert attack("UPDATE payments_writeoff SET status = 'requested'") in ("status_map", "write_off_is_booked")
    assert attack("UPDATE payments_writeoff SET decided_by_id = %s", FinanceFactory().pk) == "write_off_stays"
    assert attack("UPDATE payments_writeoff SET decided_at = now()") == "write_off_stays"
    for change in ("status = 'open'", "owner_id = NULL, resolution = 'x'", "closed_by_id = NULL", "ours = '{}'"):
        assert attack(f"UPDATE payments_discrepancy SET {change}") in ("discrepancy_closed_stays", "status_map")


def test_a_write_off_begins_as_a_wish_of_something_open(wish):
    copy = (
        "INSERT INTO payments_writeoff (discrepancy_id, account_kind, provider, amount_cents, currency, livemode,"
        " reason, status, requested_by_id, decision_reason) SELECT discrepancy_id, account_kind, provider,"
        " amount_cents, currency, livemode, reason, %s, requested_by_id, '' FROM payments_writeoff LIMIT 1"
    )
    assert attack(copy, "approved") == "write_off_begins"
    assert attack(copy, "requested") == "write_off_once"
    approve_write_off(write_off_id=wish.pk, by=FinanceFactory())
    assert attack(copy, "requested") == "write_off_of_an_open_one"


@pytest.mark.parametrize("column", ["object_key", "reason", "currency", "account_kind", "provider"])
def test_a_mark_stays_as_it_was_made(mark, column):
    assert attack(f"UPDATE payments_foreignobject SET {column} = 'zzz'") == "foreign_stays"


def test_money_that_was_moved_is_moved_back_by_an_entry(mark):
    found = "UPDATE payments_foreignobject SET status = 'ours', found_by_id = %s, found_at = now(), found_because = 'x'"

    assert attack(found, mark.marked_by_id) == "foreign_is_booked_back"
    assert attack("UPDATE payments_foreignobject SET entry_id = NULL") in ("foreign_stays", "foreign_money_is_booked")
    assert attack(
        "INSERT INTO payments_foreignobject (object_key, discrepancy_id, status, account_kind, provider, amount_cents,"
        " currency, livemode, reason, marked_by_id, entry_id, found_because) SELECT 'another', discrepancy_id, status,"
        " account_kind, provider, amount_cents * 2, currency, livemode, reason, marked_by_id,"
        " (SELECT max(id) FROM payments_journalentry), '' FROM payments_foreignobject"
    ) in ("foreign_begins", "payments_foreignobject_entry_id_key")


@pytest.mark.parametrize(
    "table",
    ["payments_writeoff", "payments_writeoffchange", "payments_foreignobject", "payments_foreignobjectchange",
     "payments_discrepancyact", "payments_discrepancy"],
)  # fmt: skip
def test_nothing_of_it_is_deleted(wish, mark, table):
    assert attack(f"DELETE FROM {table}") in ("never_deleted", "append_only")
    assert attack(f"TRUNCATE {table} CASCADE") in (
        "never_truncated", "append_only_truncate", "0A000", "55006",
    )  # fmt: skip


@pytest.mark.parametrize("change", ["kind = 'held_money'", "object_key = 'receipt:1'", "opened_at = now()"])
def test_what_a_discrepancy_is_about_never_changes(wish, change):
    assert attack(f"UPDATE payments_discrepancy SET {change}") == "discrepancy_stays"


def test_what_a_person_did_stays_written(wish):
    assert attack("UPDATE payments_discrepancyact SET reason = 'nobody did it'") == "append_only"
    assert attack("UPDATE payments_discrepancyact SET act = 'zz'") in ("append_only", "discrepancy_act_known")
    assert WriteOff.objects.count() == 1
    assert not ForeignObject.objects.exists()


def test_with_the_guards_in_place_an_honest_transaction_commits():
    """The deferred ones too: nothing of the above is refused to whoever goes the way that is meant."""
    with transaction.atomic():
        row = moved()
        wish = request_write_off(discrepancy_id=row.pk, by=FinanceFactory(), reason="x")
        approve_write_off(write_off_id=wish.pk, by=FinanceFactory())
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
