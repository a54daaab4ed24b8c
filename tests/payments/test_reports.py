"""Finance reports: what stands in them, and for which pool and days."""

import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.errors import DomainError
from entries.models import Entry, EntryStatus, PaymentStatus
from payments.exports.writing import export_report
from payments.models import FileFormat, Payment, Receipt
from payments.reports import REPORTS, Narrowing
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry, payment_for, refund_of, unapplied_money
from tests.factories.pools import PoolFactory
from tests.support.reports import rows

pytestmark = pytest.mark.django_db(transaction=True)


def made(model, row, at):
    model.objects.filter(pk=row.pk).update(created_at=at)


class TestPayments:
    def test_a_paid_one_stands_with_its_receipt_and_entry(self, player, unpaid):
        entry = paid_entry(unpaid)
        payment, receipt = Payment.objects.get(), Receipt.objects.get()

        (row,) = rows("payments")

        assert (row["payment"], row["status"], row["player"]) == (str(payment.pk), "succeeded", player.display_name)
        assert (row["amount"], row["amount_minor"], row["currency"]) == ("50.00", "5000", "usd")
        assert (row["refunded"], row["refunded_minor"]) == ("0.00", "0")
        assert (row["receipt"], row["receipt_status"], row["entry"]) == (str(receipt.pk), "allocated", str(entry.pk))
        assert (row["gross"], row["gross_minor"], row["gross_currency"]) == ("50.00", "5000", "usd")
        assert (row["charge"], row["source"]) == (receipt.charge_id, "webhook")
        assert row["received_at"] == receipt.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def test_money_that_waits_stands_with_its_reason(self, unpaid):
        unapplied_money(unpaid, because="wrong_amount", amount_cents=4999)

        (row,) = rows("payments")

        assert (row["receipt_status"], row["unapplied_because"], row["entry"]) == ("unapplied", "wrong_amount", "")
        assert (row["amount_minor"], row["gross_minor"]) == ("5000", "4999")

    def test_money_given_back_is_told(self, unpaid):
        receipt = unapplied_money(unpaid)
        refund_of(receipt)

        assert rows("payments")[0]["refunded_minor"] == "5000"

    def test_one_without_money_stands_too(self, unpaid):
        payment_for(unpaid)

        (row,) = rows("payments")

        assert (row["status"], row["receipt"], row["gross"], row["received_at"]) == ("pending", "", "", "")

    @pytest.mark.parametrize(
        ("currency", "minor", "shown"), [("jpy", 5000, "5000"), ("usd", 5005, "50.05"), ("kwd", 5010, "5.010")]
    )
    def test_an_amount_has_the_decimals_of_its_currency(self, currency, minor, shown):
        pool = PoolFactory(entry_fee_cents=minor, currency=currency)
        paid_entry(RequestFactory(approved=True, pool=pool))

        (row,) = rows("payments")
        (same,) = rows("payments", FileFormat.XLSX)

        assert (row["amount"], row["amount_minor"]) == (shown, str(minor))
        assert (same["amount"], same["amount_minor"]) == (float(shown), minor)

    def test_the_sum_agrees_to_the_cent(self):
        for cents in (1, 99, 100, 12345, 999_999):
            paid_entry(RequestFactory(approved=True, pool=PoolFactory(entry_fee_cents=cents)))

        assert sum(int(row["amount_minor"]) for row in rows("payments")) == 1_012_544
        assert round(sum(row["amount"] for row in rows("payments", FileFormat.XLSX)), 2) == 10_125.44


class TestEntries:
    def test_the_first_columns_are_those_of_the_contract(self):
        assert [column.name for column in REPORTS["entries"].columns][:7] == [
            "reference",
            "player",
            "number",
            "status",
            "eliminated_round",
            "eliminated_reason",
            "strikes",
        ]

    def test_an_entry_stands_with_its_fate_and_its_money(self, unpaid, player):
        entry = paid_entry(unpaid)
        Entry.objects.filter(pk=entry.pk).update(
            status=EntryStatus.ELIMINATED, eliminated_round_number=3, eliminated_code="pick_lost", strikes=1
        )

        (row,) = rows("entries")

        assert (row["reference"], row["player"], row["number"]) == ("", player.display_name, "1")
        assert (row["status"], row["eliminated_round"], row["eliminated_reason"]) == ("eliminated", "3", "pick_lost")
        assert (row["strikes"], row["paid_by"], row["fee"]) == ("1", "receipt", "50.00")
        assert row["receipt"] == str(Receipt.objects.get().pk)

    def test_an_imported_entry_has_its_own_name_and_its_waiver(self, admin_user):
        request = RequestFactory(
            approved=True, payment_status=PaymentStatus.COMPLETED, waived_by=admin_user, waiver_reason="paid elsewhere"
        )
        Entry.objects.create(request=request, pool=request.pool, user=request.user, number=1, reference="Lucky Dog-7")

        (row,) = rows("entries")

        assert row["reference"] == "Lucky Dog-7"
        assert (row["paid_by"], row["waived_by"]) == ("waiver", admin_user.display_name)
        assert row["waiver_reason"] == "paid elsewhere"

    def test_a_living_one_has_no_round_and_no_reason(self):
        EntryFactory()

        (row,) = rows("entries")

        assert (row["status"], row["eliminated_round"], row["eliminated_reason"]) == ("active", "", "")


class TestPoolSummary:
    def test_a_pool_stands_with_its_people_and_its_money(self):
        pool = PoolFactory(entry_fee_cents=1001, rules={"house_fee_bp": 1000})
        for _ in range(3):
            paid_entry(RequestFactory(approved=True, pool=pool))
        Entry.objects.filter(pk=Entry.objects.first().pk).update(
            status=EntryStatus.ELIMINATED, eliminated_round_number=1, eliminated_code="no_pick"
        )
        RequestFactory(pool=pool)
        unapplied_money(RequestFactory(approved=True, pool=pool))

        (row,) = rows("pool_summary")

        assert (row["pool_name"], row["status"], row["fee_minor"]) == (pool.name, "open", "1001")
        assert (row["requests_pending"], row["requests_unpaid"]) == ("1", "1")
        assert (row["entries_total"], row["entries_active"], row["entries_eliminated"]) == ("3", "2", "1")
        assert (row["collected_minor"], row["unapplied_minor"], row["returned_minor"]) == ("3003", "1001", "0")
        assert (row["house_fee_minor"], row["pot_minor"], row["pot"]) == ("300", "2703", "27.03")

    def test_an_empty_pool_stands_with_noughts(self):
        PoolFactory(capacity=None)

        (row,) = rows("pool_summary")

        assert (row["entries_total"], row["capacity"], row["pot"], row["collected"]) == ("0", "", "0.00", "0.00")


class TestNarrowing:
    def test_of_one_pool(self):
        wanted = paid_entry()
        paid_entry()

        for kind in ("payments", "entries", "pool_summary"):
            (row,) = rows(kind, pool_id=wanted.pool_id)
            assert row["pool"] == str(wanted.pool_id)

    def test_by_days_of_the_finance_zone_both_included(self, settings):
        settings.FINANCE_TIME_ZONE = ZoneInfo("America/New_York")
        entry = paid_entry()
        # 23:30 on 31 January in New York is 1 February in UTC.
        made(Entry, entry, datetime(2026, 2, 1, 4, 30, tzinfo=UTC))

        (row,) = rows("entries", first_day=date(2026, 1, 31), last_day=date(2026, 1, 31))

        assert (row["finance_date"], row["created_at"]) == ("2026-01-31", "2026-02-01T04:30:00Z")
        assert rows("entries", first_day=date(2026, 2, 1)) == []
        assert rows("entries", last_day=date(2026, 1, 30)) == []

    def test_a_day_that_is_an_hour_longer_is_whole(self, settings):
        settings.FINANCE_TIME_ZONE = ZoneInfo("America/New_York")
        clocks_go_back = date(2026, 11, 1)
        start = datetime(2026, 11, 1, 4, tzinfo=UTC)
        for hours in (0, 24.99):
            made(Entry, paid_entry(), start + timedelta(hours=hours))
        for hours in (-0.01, 25):
            made(Entry, paid_entry(), start + timedelta(hours=hours))

        assert len(rows("entries", first_day=clocks_go_back, last_day=clocks_go_back)) == 2

    def test_payments_count_by_the_day_the_money_came(self):
        paid_entry()
        Receipt.objects.update(received_at=datetime(2026, 3, 5, 12, tzinfo=UTC))

        assert len(rows("payments", first_day=date(2026, 3, 5), last_day=date(2026, 3, 5))) == 1

    @pytest.mark.parametrize(
        ("kind", "narrowing", "field"),
        [
            ("nonsense", {}, "kind"),
            ("entries", {"pool_id": 77}, "pool"),
            ("entries", {"first_day": date(2026, 2, 2), "last_day": date(2026, 2, 1)}, "last_day"),
        ],
    )
    def test_what_makes_no_sense_is_refused_by_name(self, kind, narrowing, field):
        with pytest.raises(DomainError) as refusal:
            export_report(kind=kind, narrowing=Narrowing(**narrowing), file_format=FileFormat.CSV, file=io.BytesIO())

        assert list(refusal.value.details) == [field]
