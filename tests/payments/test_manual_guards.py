"""What the database itself refuses about money by hand, whoever asks: each attack is raw SQL."""

import pytest
from django.db import connection

from payments.models import ManualRecord, Payment
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.payments.test_guards import attack
from tests.support.by_hand import cash, paid_by_hand, recorded, transfer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def record(unpaid):
    return recorded(unpaid, handover=transfer("bank 1"))


def decide(status, by, reason=""):
    return attack(
        "UPDATE payments_manualrecord SET status = %s, decided_by_id = %s, decided_at = now(), decision_reason = %s",
        status, by.pk, reason,
    )  # fmt: skip


@pytest.mark.parametrize("status", ["confirmed", "rejected"])
def test_nobody_signs_twice(record, status):
    assert decide(status, record.recorded_by) == "manual_two_names"


def test_without_a_second_name_nothing_is_confirmed(record):
    assert attack("UPDATE payments_manualrecord SET status = 'confirmed'") == "manual_two_names"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount_cents", 1),
        ("currency", "eur"),
        ("method", "cash"),
        ("reference", "another"),
        ("note", "another"),
        ("passed_at", "2020-01-01T00:00:00Z"),
        ("recorded_at", "2020-01-01T00:00:00Z"),
    ],
)
def test_what_was_written_never_changes(record, column, value):
    assert attack(f"UPDATE payments_manualrecord SET {column} = %s", value) == "manual_stays"


def test_the_first_name_never_changes(record):
    other = FinanceFactory()

    assert attack("UPDATE payments_manualrecord SET recorded_by_id = %s", other.pk) == "manual_stays"


def test_the_second_name_never_changes(unpaid):
    paid_by_hand(unpaid)

    assert attack("UPDATE payments_manualrecord SET decided_by_id = %s", FinanceFactory().pk) == "manual_stays"


@pytest.mark.parametrize("status", ["recorded", "rejected"])
def test_what_is_confirmed_stays(unpaid, status):
    paid_by_hand(unpaid)

    assert attack("UPDATE payments_manualrecord SET status = %s", status) == "status_map"


@pytest.mark.parametrize("table", ["payments_manualrecord", "payments_evidence", "payments_manualrecordchange"])
def test_nothing_of_it_is_deleted(record, table):
    assert attack(f"DELETE FROM {table}") in ("never_deleted", "append_only")


@pytest.mark.parametrize("change", ["name = 'other.pdf'", "content = ''::bytea", "sha256 = ''", "record_id = 1"])
def test_a_scan_stays_as_it_is(record, change):
    assert attack(f"UPDATE payments_evidence SET {change}") == "append_only"


@pytest.mark.parametrize("size", [0, 5 * 1024 * 1024 + 1])
def test_a_scan_has_a_size(record, size):
    sql = (
        "INSERT INTO payments_evidence (record_id, name, content_type, size, sha256, content, added_by_id)"
        " SELECT record_id, name, content_type, %s, 'another', content, added_by_id FROM payments_evidence"
    )

    assert attack(sql, size) == "evidence_size"


INSERT = (
    "INSERT INTO payments_manualrecord (payment_id, refund_id, payout_id, method, reference, amount_cents, currency,"
    " passed_at, note, status, recorded_by_id, recorded_at, decision_reason)"
    " SELECT {payment}, NULL, NULL, method, {reference}, {amount}, currency, passed_at, '', 'recorded',"
    " recorded_by_id, recorded_at, '' FROM payments_manualrecord"
)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"payment": "NULL"}, "manual_is_about_one_thing"),
        ({"reference": "reference"}, "manual_reference_unique"),
        ({"reference": "''"}, "manual_has_reference"),
        ({"amount": "0"}, "manual_amount_positive"),
    ],
)
def test_a_record_is_whole(record, changes, name):
    other = Payment.objects.create(
        request=RequestFactory(approved=True), provider="manual", status="processing", amount_cents=1, currency="usd"
    )
    given = {"payment": str(other.pk), "reference": "'bank 2'", "amount": "1"} | changes

    assert attack(INSERT.format(**given)) == name


def test_a_payment_has_one_record(record):
    sql = INSERT.format(payment="payment_id", reference="'bank 2'", amount="1")

    assert attack(sql) == "payments_manualrecord_payment_id_key"


RECEIPT = (
    "INSERT INTO payments_receipt (payment_id, provider, charge_id, livemode, amount_cents, currency, status,"
    " unapplied_because, source, received_at)"
    " SELECT id, provider, 'manual_x', livemode, %s, %s, 'unapplied', 'x', 'admin', now() FROM payments_payment"
)


def test_money_by_hand_does_not_count_before_its_second_name(record):
    assert attack(RECEIPT, 5000, "usd") == "receipt_of_two_names"


@pytest.mark.parametrize(("amount", "currency"), [(5001, "usd"), (5000, "eur")])
def test_it_counts_as_what_was_signed_for(unpaid, amount, currency):
    record = recorded(unpaid, handover=cash())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_manualrecord SET status = 'confirmed', decided_by_id = %s, decided_at = now()",
            [FinanceFactory().pk],
        )

    assert attack(RECEIPT, amount, currency) == "receipt_of_two_names"
    assert ManualRecord.objects.get() == record
