"""What the database itself refuses of refunds, whoever asks: each attack is raw SQL."""

import pytest

from payments.models import Receipt, RefundChange
from tests.factories.payments import paid_entry, refund_of, unapplied_money
from tests.payments.test_guards import attack

pytestmark = pytest.mark.django_db(transaction=True)

INSERT = (
    "INSERT INTO payments_refund (ref, receipt_id, provider, livemode, amount_cents, currency, status, origin,"
    " taken_from, reason, provider_reference, key_number, failure, pending_reason, replaces_id, needs_approval,"
    " requested_by_id, approved_by_id)"
    " SELECT gen_random_uuid(), id, {provider}, {livemode}, {amount}, {currency}, '{status}', '{origin}',"
    " '{taken_from}', '{reason}', '', 1, '', '', {replaces}, {needs}, {by}, {approved} FROM payments_receipt"
    " ORDER BY id LIMIT 1"
)
PLAIN = {
    "provider": "provider", "livemode": "livemode", "amount": 5000, "currency": "currency", "status": "sending",
    "origin": "auto", "taken_from": "unapplied", "reason": "x", "replaces": "NULL", "needs": "false", "by": "NULL",
    "approved": "NULL",
}  # fmt: skip


def adding(**changes):
    """What refuses a refund of the first receipt."""
    return attack(INSERT.format(**(PLAIN | changes)))


@pytest.fixture
def receipt(unpaid):
    return unapplied_money(unpaid)


class TestMaking:
    def test_more_than_came_cannot_go_back(self, receipt):
        assert adding(amount=5001) == "refund_within_receipt"

    def test_nor_can_it_in_parts(self, receipt):
        refund_of(receipt, amount_cents=3000, status="succeeded")
        refund_of(receipt, amount_cents=1999, status="requested")

        assert adding(amount=2) == "refund_within_receipt"

    @pytest.mark.parametrize("change", [{"currency": "'eur'"}, {"livemode": "true"}, {"provider": "'manual'"}])
    def test_it_is_of_the_receipt_s_money(self, receipt, change):
        assert adding(**change) == "refund_of_its_receipt"

    @pytest.mark.parametrize("amount", [0, -1])
    def test_nothing_is_no_refund(self, receipt, amount):
        assert adding(amount=amount) in ("refund_amount_positive", "payments_refund_amount_cents_check")

    @pytest.mark.parametrize("status", ["unknown", "pending", "succeeded", "failed", "cancelled"])
    def test_it_begins_as_a_wish_or_a_decision(self, receipt, status):
        assert adding(status=status) == "refund_begins"

    def test_of_staff_it_has_a_name_and_a_reason(self, receipt, finance):
        assert adding(origin="staff") == "refund_of_staff_is_named"
        assert adding(origin="staff", by=finance.pk, reason="") == "refund_of_staff_is_named"

    def test_the_two_names_differ(self, receipt, finance):
        given = {"origin": "staff", "by": finance.pk, "approved": finance.pk, "needs": "true"}
        assert adding(**given) == "refund_two_names"

    def test_without_the_second_name_it_does_not_go(self, receipt, finance):
        assert adding(origin="staff", by=finance.pk, needs="true") == "refund_is_approved"


class TestChanging:
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("amount_cents", "1"), ("currency", "'eur'"), ("livemode", "true"), ("provider", "'manual'"),
            ("ref", "gen_random_uuid()"), ("origin", "'dashboard'"), ("taken_from", "'house'"),
            ("needs_approval", "true"), ("provider_reference", "'re_other'"), ("is_paid", "false"),
        ],
    )  # fmt: skip
    def test_what_it_is_never_changes(self, receipt, column, value):
        refund_of(receipt)

        assert attack(f"UPDATE payments_refund SET {column} = {value}") in ("refund_stays", "refund_is_approved")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("succeeded", "sending"), ("succeeded", "cancelled"), ("succeeded", "pending"), ("failed", "sending"),
            ("failed", "succeeded"), ("requested", "succeeded"), ("requested", "failed"), ("pending", "sending"),
        ],
    )  # fmt: skip
    def test_the_status_moves_only_along_its_map(self, receipt, old, new):
        refund_of(receipt, status=old)

        assert attack("UPDATE payments_refund SET status = %s", new) == "status_map"

    def test_a_wish_does_not_go_without_its_second_name(self, receipt, finance):
        given = {"origin": "staff", "requested_by": finance, "reason": "x", "needs_approval": True}
        refund_of(receipt, status="requested", **given)

        assert attack("UPDATE payments_refund SET status = 'sending'") == "refund_is_approved"
        assert (
            attack("UPDATE payments_refund SET status = 'sending', approved_by_id = requested_by_id")
            == "refund_two_names"
        )

    def test_what_failed_is_replaced_once(self, receipt):
        failed = refund_of(receipt, status="failed")
        refund_of(receipt, status="sending", replaces=failed, taken_from="replaced")

        assert adding(replaces=failed.pk, taken_from="replaced", amount=1) in (
            "refund_replaced_once", "refund_within_receipt",
        )  # fmt: skip

    def test_it_is_never_deleted(self, receipt):
        refund_of(receipt)

        assert attack("DELETE FROM payments_refund") == "never_deleted"
        assert attack("TRUNCATE payments_refund CASCADE") in ("never_truncated", "append_only_truncate")

    @pytest.mark.parametrize("sql", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
    def test_its_history_is_only_ever_added_to(self, receipt, sql):
        refund_of(receipt)

        assert RefundChange.objects.exists()
        assert attack(sql.format("payments_refundchange")) in ("append_only", "append_only_truncate")


def test_an_entry_s_money_is_not_said_to_have_no_place(unpaid):
    paid_entry(unpaid)
    receipt = Receipt.objects.get()
    receipt.status = "returning"
    receipt.save(update_fields=["status"])

    assert attack("UPDATE payments_receipt SET status = 'allocated'") == "status_map"
