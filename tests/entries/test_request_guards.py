"""Requests and entries attacked with raw SQL: what the database itself refuses."""

import pytest
from django.db import IntegrityError, connection, transaction

from entries.models import Entry, Request
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory

pytestmark = pytest.mark.django_db

INSERT_REQUEST = """
    INSERT INTO entries_request (pool_id, user_id, number, status, payment_status, currency, reason, waiver_reason,
                                 fee_cents, decided_at)
    VALUES (%(pool)s, %(user)s, %(number)s, %(status)s, %(payment_status)s, 'usd', '', '', 100, now())
"""
INSERT_ENTRY = """
    INSERT INTO entries_entry (request_id, pool_id, user_id, number, reference, status, strikes, eliminated_code)
    VALUES (%(request)s, %(pool)s, %(user)s, %(number)s, '', 'active', 0, '')
"""


def execute(sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def refused(sql, values=None):
    """The name of the guard that refuses the statement."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        execute(sql, values)
    return caught.value.__cause__.diag.constraint_name


def ask(pool, user, number=1, status="pending", payment_status="not_due"):
    return {"pool": pool.pk, "user": user.pk, "number": number, "status": status, "payment_status": payment_status}


def change(table, row, assignment):
    return refused(f"UPDATE {table} SET {assignment} WHERE id = %s", [row.pk])


@pytest.fixture
def pool():
    return PoolFactory(max_entries_per_user=2)


def test_the_sample_insert_is_sound(pool, player):
    execute(INSERT_REQUEST, ask(pool, player))
    assert Request.objects.count() == 1


def test_a_number_above_the_limit_is_refused(pool, player):
    assert refused(INSERT_REQUEST, ask(pool, player, number=3)) == "request_number_limit"


@pytest.mark.parametrize("number", [0, -1])
def test_a_number_below_one_is_refused(pool, player, number):
    assert refused(INSERT_REQUEST, ask(pool, player, number=number)) == (
        "request_number_positive" if number == 0 else "entries_request_number_check"
    )


@pytest.mark.parametrize("taken_by", [{"status": "pending"}, {"approved": True}, {"status": "rejected"}])
def test_the_number_of_a_live_or_rejected_request_is_refused(pool, player, taken_by):
    RequestFactory(pool=pool, user=player, **taken_by)
    assert refused(INSERT_REQUEST, ask(pool, player)) == "request_number_unique"


@pytest.mark.parametrize("status", ["withdrawn", "expired"])
def test_the_number_of_an_ended_request_is_free(pool, player, status):
    RequestFactory(pool=pool, user=player, status=status)
    execute(INSERT_REQUEST, ask(pool, player))
    assert Request.objects.filter(number=1).count() == 2


@pytest.mark.parametrize("assignment", ["number = 2", "user_id = (SELECT max(id) FROM accounts_user)", "pool_id = {}"])
def test_whose_request_it_is_never_changes(pool, player, assignment):
    request, other = RequestFactory(pool=pool, user=player), PoolFactory()
    UserFactory()
    assert change("entries_request", request, assignment.format(other.pk)) == "request_identity"


@pytest.mark.parametrize("status", ["pending", "rejected", "withdrawn", "expired"])
@pytest.mark.parametrize("payment_status", ["completed", "refunded"])
def test_paid_but_not_approved_is_refused(pool, player, status, payment_status):
    assert refused(INSERT_REQUEST, ask(pool, player, 1, status, payment_status)) == "request_paid_is_approved"


def test_approved_without_a_fee_is_refused():
    request = RequestFactory()
    assert change("entries_request", request, "status = 'approved'") == "request_approved_has_fee"


def test_owing_without_a_time_to_pay_is_refused():
    request = RequestFactory(approved=True)
    assert change("entries_request", request, "pay_by = NULL") == "request_unpaid_has_pay_by"


@pytest.mark.parametrize(
    "assignment",
    ["waiver_reason = 'A gift'", "waived_by_id = user_id", "waived_by_id = user_id, waiver_reason = 'A gift'"],
)
def test_a_waiver_needs_a_name_a_reason_and_a_completed_payment(assignment):
    assert change("entries_request", RequestFactory(approved=True), assignment) == "request_waiver_is_named"


@pytest.mark.parametrize(
    ("assignment", "guard"),
    [("status = 'paid'", "status_map"), ("payment_status = 'settled'", "request_payment_known")],
)
def test_an_unknown_status_is_refused(assignment, guard):
    assert change("entries_request", RequestFactory(), assignment) == guard


@pytest.mark.parametrize("assignment", ["fee_cents = 1", "fee_cents = NULL", "currency = 'eur'"])
def test_what_an_approved_request_costs_never_changes(assignment):
    assert change("entries_request", RequestFactory(approved=True), assignment) == "request_fee_fixed"


APPROVAL = "status = 'approved', fee_cents = 1, currency = 'usd', decided_at = now()"


@pytest.mark.parametrize("start", ["rejected", "withdrawn", "expired"])
@pytest.mark.parametrize("assignment", [APPROVAL, "status = 'pending'"])
def test_an_ended_request_never_comes_back(start, assignment):
    assert change("entries_request", RequestFactory(status=start), assignment) == "status_map"


@pytest.mark.parametrize("target", ["pending", "rejected"])
def test_an_approved_request_is_not_rejected_or_pending_again(target):
    request = RequestFactory(approved=True)
    assert change("entries_request", request, f"status = '{target}', payment_status = 'not_due'") == "status_map"


def test_a_pending_request_does_not_expire():
    assert change("entries_request", RequestFactory(), "status = 'expired'") == "status_map"


def test_a_correction_does_not_open_the_map_of_requests():
    execute("SELECT set_config('outlast.correction', 'on', true)")
    assert change("entries_request", RequestFactory(status="withdrawn"), "status = 'pending'") == "status_map"


@pytest.mark.parametrize(
    "assignment",
    [
        "status = 'withdrawn', payment_status = 'not_due'",
        "status = 'expired', payment_status = 'not_due'",
        "payment_status = 'pending', pay_by = now()",
        "payment_status = 'refunded'",
    ],
)
def test_a_request_with_a_living_entry_keeps_its_approval_and_payment(assignment):
    assert change("entries_request", EntryFactory().request, assignment) == "request_has_entry"


def test_a_request_with_a_void_entry_can_be_refunded():
    entry = EntryFactory()
    execute("UPDATE entries_entry SET status = 'void' WHERE id = %s", [entry.pk])
    execute("UPDATE entries_request SET payment_status = 'refunded' WHERE id = %s", [entry.request_id])
    assert Request.objects.get().payment_status == "refunded"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "pending"},
        {"status": "rejected"},
        {"status": "withdrawn"},
        {"status": "expired"},
        {"approved": True},
        {"approved": True, "payment_status": "failed"},
        {"approved": True, "payment_status": "refunded"},
    ],
)
def test_an_entry_without_a_paid_request_is_refused(fields):
    request = RequestFactory(**fields)
    values = {"request": request.pk, "pool": request.pool_id, "user": request.user_id, "number": request.number}
    assert refused(INSERT_ENTRY, values) == "entry_needs_payment"


@pytest.mark.parametrize("foreign", ["pool", "user", "number"])
def test_an_entry_of_another_pool_player_or_number_than_its_request_is_refused(foreign):
    request = RequestFactory(paid=True)
    values = {"request": request.pk, "pool": request.pool_id, "user": request.user_id, "number": request.number}
    values[foreign] = {"pool": PoolFactory().pk, "user": UserFactory().pk, "number": 2}[foreign]
    assert refused(INSERT_ENTRY, values) == "entry_needs_payment"


def test_a_second_entry_of_one_request_is_refused():
    entry = EntryFactory()
    values = {"request": entry.request_id, "pool": entry.pool_id, "user": entry.user_id, "number": entry.number}
    assert refused(INSERT_ENTRY, values) == "entries_entry_request_id_key"


def test_an_entry_does_not_move_to_an_unpaid_request():
    entry, other = EntryFactory(), RequestFactory(approved=True)
    assert change("entries_entry", entry, f"request_id = {other.pk}") == "entry_needs_payment"


OUT = "eliminated_round_number = 1, eliminated_code = 'pick_lost'"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (f"status = 'eliminated', {OUT}", "status = 'active', eliminated_round_number = NULL, eliminated_code = ''"),
        (f"status = 'eliminated', {OUT}", "status = 'winner'"),
        ("status = 'winner'", "status = 'active'"),
        ("status = 'void'", "status = 'active'"),
        ("status = 'void'", "status = 'winner'"),
    ],
)
def test_an_entry_that_has_ended_never_comes_back(first, then):
    entry = EntryFactory()
    execute(f"UPDATE entries_entry SET {first} WHERE id = %s", [entry.pk])
    assert change("entries_entry", entry, then) == "status_map"


def test_a_settlement_correction_alone_may_revive_an_entry():
    entry = EntryFactory()
    execute(f"UPDATE entries_entry SET status = 'eliminated', {OUT} WHERE id = %s", [entry.pk])
    execute("SELECT set_config('outlast.correction', 'on', true)")
    clean = "status = 'active', eliminated_round_number = NULL, eliminated_code = ''"
    execute(f"UPDATE entries_entry SET {clean} WHERE id = %s", [entry.pk])
    assert Entry.objects.get().status == "active"


def test_eliminated_without_a_round_is_refused():
    assert change("entries_entry", EntryFactory(), "status = 'eliminated'") == "entry_eliminated_has_round"


@pytest.mark.parametrize("table", ["entries_request", "entries_entry"])
def test_rows_are_never_deleted(table):
    EntryFactory()
    assert refused(f"DELETE FROM {table}") == "never_deleted"


@pytest.mark.parametrize("table", ["entries_request", "entries_entry"])
def test_tables_are_never_truncated(table):
    EntryFactory()
    # Else PostgreSQL itself refuses, for the foreign keys it has still to check.
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert refused(f"TRUNCATE {table} CASCADE") == "never_truncated"


@pytest.mark.parametrize("table", ["entries_requestchange", "entries_entrychange"])
@pytest.mark.parametrize(
    ("attack", "guard"),
    [
        ("UPDATE {} SET reason = 'nothing to see'", "append_only"),
        ("UPDATE {} SET actor_id = NULL", "append_only"),
        ("DELETE FROM {}", "append_only"),
        ("TRUNCATE {}", "append_only_truncate"),
    ],
)
def test_history_is_never_rewritten(table, attack, guard):
    EntryFactory()
    assert refused(attack.format(table)) == guard


def test_raw_sql_leaves_its_rows_of_history_too():
    request = RequestFactory(approved=True)
    execute("SELECT set_config('outlast.actor', '7', true), set_config('outlast.reason', 'by hand', true)")
    execute("UPDATE entries_request SET status = 'withdrawn', payment_status = 'not_due' WHERE id = %s", [request.pk])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT from_status, to_status, actor_id, reason FROM entries_requestchange WHERE subject_id = %s"
            " ORDER BY id DESC LIMIT 1",
            [request.pk],
        )
        assert cursor.fetchone() == ("approved", "withdrawn", 7, "by hand")


def test_pgtrigger_ignore_opens_nothing():
    import pgtrigger

    request = RequestFactory()
    with pgtrigger.ignore():
        assert refused("DELETE FROM entries_request WHERE id = %s", [request.pk]) == "never_deleted"
