"""What the database itself refuses, whoever asks: each attack is raw SQL."""

import pytest
from django.db import DatabaseError, connection, transaction

from payments.models import PaymentChange, Receipt, ReceiptChange
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, payment_for, unapplied_money

pytestmark = pytest.mark.django_db(transaction=True)


def attack(sql, *parameters):
    """Run it in a transaction of its own; the constraint or trigger that refused it."""
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
    return refusal.value.__cause__.diag.constraint_name or refusal.value.__cause__.sqlstate


@pytest.fixture
def payment(unpaid):
    return payment_for(unpaid)


@pytest.fixture
def receipt(unpaid):
    paid_entry(unpaid)
    return Receipt.objects.get()


class TestPayments:
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("amount_cents", 1),
            ("currency", "eur"),
            ("livemode", True),
            ("provider", "manual"),
            ("ref", "00000000-0000-0000-0000-000000000001"),
        ],
    )
    def test_what_it_is_for_and_how_much_never_changes(self, payment, column, value):
        assert attack(f"UPDATE payments_payment SET {column} = %s", value) == "payment_amount_fixed"

    def test_it_never_moves_to_another_request(self, payment):
        other = RequestFactory(approved=True)

        assert attack("UPDATE payments_payment SET request_id = %s", other.pk) == "payment_amount_fixed"

    @pytest.mark.parametrize("amount", [0, -1])
    def test_it_is_about_something(self, payment, amount):
        sql = (
            "INSERT INTO payments_payment (ref, request_id, provider, status, amount_cents, currency, livemode,"
            " provider_reference, client_secret, checkout_url, key_number, failure)"
            " SELECT gen_random_uuid(), request_id, provider, 'cancelled', %s, currency, livemode, '', '', '', 1, ''"
            " FROM payments_payment"
        )
        assert attack(sql, amount) in ("payment_amount_positive", "payments_payment_amount_cents_check")

    def test_two_live_ones_for_one_request_cannot_be(self, payment):
        sql = (
            "INSERT INTO payments_payment (ref, request_id, provider, status, amount_cents, currency, livemode,"
            " provider_reference, client_secret, checkout_url, key_number, failure)"
            " SELECT gen_random_uuid(), request_id, provider, 'intent', 5000, currency, livemode, '', '', '', 1, ''"
            " FROM payments_payment"
        )
        assert attack(sql) == "payment_one_live_per_request"

    def test_one_session_is_of_one_payment(self, payment):
        payment_for(RequestFactory(approved=True), provider_reference="cs_other")

        sql = "UPDATE payments_payment SET provider_reference = 'cs_other'"
        assert attack(sql) == "payment_reference_unique"

    def test_an_unknown_status_cannot_be(self, payment):
        assert attack("UPDATE payments_payment SET status = 'paid'") in ("payment_status_known", "status_map")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("open", "intent"),
            ("open", "unknown"),
            ("processing", "open"),
            ("failed", "open"),
            ("cancelled", "open"),
            ("cancelled", "failed"),
        ],
    )
    def test_the_status_moves_only_along_its_map(self, unpaid, old, new):
        payment_for(unpaid, status=old)

        assert attack("UPDATE payments_payment SET status = %s", new) == "status_map"

    @pytest.mark.parametrize("new", ["open", "failed", "cancelled", "intent"])
    def test_success_is_the_end(self, receipt, new):
        assert attack("UPDATE payments_payment SET status = %s", new) == "status_map"

    def test_without_a_receipt_there_is_no_success(self, payment):
        assert attack("UPDATE payments_payment SET status = 'succeeded'") == "payment_needs_receipt"

    def test_it_is_never_deleted(self, payment):
        assert attack("DELETE FROM payments_payment") == "never_deleted"
        assert attack("TRUNCATE payments_payment CASCADE") in ("never_truncated", "append_only_truncate")

    def test_a_change_by_raw_sql_is_recorded_too(self, payment):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE payments_payment SET status = 'cancelled'")

        last = PaymentChange.objects.order_by("-id").first()
        assert (last.from_status, last.to_status, last.actor_id) == ("open", "cancelled", None)


class TestReceipts:
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("amount_cents", 1),
            ("currency", "eur"),
            ("charge_id", "ch_other"),
            ("livemode", True),
            ("provider", "manual"),
        ],
    )
    def test_money_that_came_is_never_edited(self, receipt, column, value):
        assert attack(f"UPDATE payments_receipt SET {column} = %s", value) == "receipt_fixed"

    def test_one_charge_is_booked_once(self, receipt):
        assert attack(copy_of_the_receipt("'unapplied', NULL, 'duplicate'")) == "receipt_charge_unique"

    def test_money_that_counts_has_an_entry(self, receipt):
        sql = copy_of_the_receipt("'allocated', NULL, ''", charge="'ch_new'")
        assert attack(sql) == "receipt_allocated_has_entry"

    def test_money_that_waits_has_a_reason(self, receipt):
        sql = copy_of_the_receipt("'unapplied', NULL, ''", charge="'ch_new'")
        assert attack(sql) == "receipt_unapplied_has_reason"

    def test_one_request_is_paid_once(self, receipt):
        sql = copy_of_the_receipt("'allocated', entry_id, ''", charge="'ch_new'")
        assert attack(sql) == "receipt_one_per_request"

    def test_money_does_not_pay_somebody_else_s_entry(self, receipt):
        waiting = unapplied_money()

        sql = "UPDATE payments_receipt SET status = 'allocated', unapplied_because = '', entry_id = %s WHERE id = %s"
        assert attack(sql, receipt.entry_id, waiting.pk) == "receipt_of_its_request"

    def test_test_money_and_real_money_never_meet(self, receipt):
        sql = copy_of_the_receipt("'unapplied', NULL, 'too_late'", charge="'ch_new'", livemode="true")
        assert attack(sql) == "receipt_of_its_payment"

    def test_money_that_counts_cannot_wait_again(self, receipt):
        sql = "UPDATE payments_receipt SET status = 'unapplied', entry_id = NULL, unapplied_because = 'x'"
        assert attack(sql) == "status_map"

    def test_money_given_back_cannot_count_again(self, receipt):
        receipt.status = "returned"
        receipt.save(update_fields=["status"])

        assert attack("UPDATE payments_receipt SET status = 'allocated'") == "status_map"

    def test_it_is_never_deleted(self, receipt):
        assert attack("DELETE FROM payments_receipt") == "never_deleted"
        assert attack("TRUNCATE payments_receipt CASCADE") == "never_truncated"

    def test_an_entry_s_money_cannot_be_taken_from_under_it(self, receipt):
        assert attack("UPDATE entries_request SET payment_status = 'refunded'") == "request_has_entry"


@pytest.mark.parametrize("table", ["payments_paymentchange", "payments_receiptchange"])
class TestHistory:
    @pytest.mark.parametrize("sql", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
    def test_it_is_only_ever_added_to(self, receipt, table, sql):
        assert PaymentChange.objects.exists()
        assert ReceiptChange.objects.exists()
        assert attack(sql.format(table)) in ("append_only", "append_only_truncate")


class TestWebhooks:
    def test_one_event_is_one_row(self, db):
        sql = (
            "INSERT INTO payments_webhookevent (provider, event_id, event_type, object_id, livemode, payload,"
            " deliveries, status, ignored_because, attempts, error)"
            " SELECT 'stripe', 'evt_1', 'x', '', false, '{}', 1, 'received', '', 0, '' FROM generate_series(1, 2)"
        )
        assert attack(sql) == "webhook_event_unique"


def copy_of_the_receipt(rest, *, charge="charge_id", livemode="livemode"):
    """An INSERT that copies the one receipt with another status, entry and reason."""
    return (
        "INSERT INTO payments_receipt (payment_id, provider, charge_id, livemode, amount_cents, currency, status,"
        " entry_id, unapplied_because, source, received_at)"
        f" SELECT payment_id, provider, {charge}, {livemode}, amount_cents, currency, {rest}, source, received_at"
        " FROM payments_receipt"
    )
