"""Finance reports: what stands in them, that two libraries read the same, and that no text becomes a formula."""

import csv
import io
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from openpyxl.utils.escape import unescape

from config.clock import database_now
from config.errors import DomainError
from entries.models import Entry, EntryStatus, PaymentStatus
from payments.models import Payment, Receipt
from payments.reports import REPORTS, Narrowing
from payments.reports.base import Column, Kind, Report
from payments.reports.csv_file import write_csv
from payments.reports.xlsx_file import write_xlsx
from payments.services.exports import FileFormat, export_report, exported_file
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry, payment_for, unapplied_money
from tests.factories.pools import PoolFactory

pytestmark = pytest.mark.django_db(transaction=True)

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠A1",
    '=HYPERLINK("http://example.test","x")',
    "a;=1+1",
    "a\n=1+1",
]
HARMLESS = ["Ann", "a-b", "a=b", "O'Brien", "3 < 4", 'say "hi"', "a, b", "ünï ☃", "http://example.test", "007"]


def rows(kind, file_format=FileFormat.CSV, **narrowing):
    """The report read back by another library than wrote it, as dicts of texts and numbers."""
    with exported_file(kind=kind, narrowing=Narrowing(**narrowing), file_format=file_format) as file:
        return from_csv(file.read()) if file_format is FileFormat.CSV else from_xlsx(file)


def from_csv(raw):
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def from_xlsx(file):
    book = openpyxl.load_workbook(file, read_only=True)
    found = []
    for sheet in book:
        heading, *lines = sheet.iter_rows(values_only=True)
        found += [dict(zip(heading, line, strict=True)) for line in lines]
    return found


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
        assert (row["received"], row["received_minor"], row["received_currency"]) == ("50.00", "5000", "usd")
        assert (row["charge"], row["source"]) == (receipt.charge_id, "webhook")
        assert row["received_at"] == receipt.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def test_money_that_waits_stands_with_its_reason(self, unpaid):
        unapplied_money(unpaid, because="wrong_amount", amount_cents=4999)

        (row,) = rows("payments")

        assert (row["receipt_status"], row["unapplied_because"], row["entry"]) == ("unapplied", "wrong_amount", "")
        assert (row["amount_minor"], row["received_minor"]) == ("5000", "4999")

    def test_money_given_back_is_told(self, unpaid):
        receipt = unapplied_money(unpaid)
        receipt.status = "returned"
        receipt.save(update_fields=["status"])

        assert rows("payments")[0]["refunded_minor"] == "5000"

    def test_one_without_money_stands_too(self, unpaid):
        payment_for(unpaid)

        (row,) = rows("payments")

        assert (row["status"], row["receipt"], row["received"], row["received_at"]) == ("pending", "", "", "")

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

        for kind in REPORTS:
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
            ("journal", {}, "kind"),
            ("entries", {"pool_id": 77}, "pool"),
            ("entries", {"first_day": date(2026, 2, 2), "last_day": date(2026, 2, 1)}, "to"),
        ],
    )
    def test_what_makes_no_sense_is_refused_by_name(self, kind, narrowing, field):
        with pytest.raises(DomainError) as refusal:
            export_report(kind=kind, narrowing=Narrowing(**narrowing), file_format=FileFormat.CSV, file=io.BytesIO())

        assert list(refusal.value.details) == [field]


class TestFormulas:
    """Whatever a player calls himself, a spreadsheet shows it and runs nothing."""

    @pytest.mark.parametrize("name", FORMULAS)
    def test_in_csv_it_begins_no_cell(self, name):
        paid_entry(RequestFactory(approved=True, user=UserFactory(display_name=name)))

        for kind in ("payments", "entries"):
            player = rows(kind)[0]["player"]
            # As a spreadsheet of any country would cut it up.
            for separator in (";", "\t", "\n", "\r"):
                for cell in player.split(separator):
                    assert not cell.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")), (name, player)
            assert player.replace("'", "") == name

    @pytest.mark.parametrize("name", [*FORMULAS, *HARMLESS])
    def test_in_xlsx_it_is_text(self, name):
        paid_entry(RequestFactory(approved=True, user=UserFactory(display_name=name)))

        with exported_file(kind="entries", narrowing=Narrowing(), file_format=FileFormat.XLSX) as file:
            sheet = openpyxl.load_workbook(file).active
            cells = {sheet.cell(1, n).value: sheet.cell(2, n) for n in range(1, sheet.max_column + 1)}

        assert cells["player"].data_type == "s"
        assert cells["player"].hyperlink is None
        assert unescape(cells["player"].value) == name

    @pytest.mark.parametrize("name", HARMLESS)
    def test_harmless_names_stay_as_they_are(self, name):
        paid_entry(RequestFactory(approved=True, user=UserFactory(display_name=name)))

        assert rows("entries")[0]["player"] == name

    def test_control_characters_do_not_break_the_spreadsheet(self):
        paid_entry(RequestFactory(approved=True, user=UserFactory(display_name="a\x0b\x01b")))

        assert rows("entries", FileFormat.XLSX)[0]["player"] == "ab"

    def test_numbers_are_never_touched(self):
        report = Report("x", "X", "", (Column("money", Kind.MONEY), Column("number", Kind.NUMBER)), "")
        file = io.BytesIO()
        assert write_csv(report, [(Decimal("-5.00"), -7)], file) == 1
        assert file.getvalue() == b"money,number\r\n-5.00,-7\r\n"
        book = io.BytesIO()
        assert write_xlsx(report, [(Decimal("-5.00"), -7)], book) == 1
        assert from_xlsx(book) == [{"money": -5, "number": -7}]


class TestFiles:
    def test_csv_is_as_the_rfc_says(self):
        paid_entry(RequestFactory(approved=True, user=UserFactory(display_name='a "b", c\nd')))

        with exported_file(kind="entries", narrowing=Narrowing(), file_format=FileFormat.CSV) as file:
            raw = file.read()

        assert raw.startswith(b"reference,player,number,")
        assert raw.endswith(b"\r\n")
        assert b'"a ""b"", c\nd"' in raw
        assert rows("entries")[0]["player"] == 'a "b", c\nd'

    def test_both_forms_say_the_same(self):
        paid_entry()
        unapplied_money()

        for kind in REPORTS:
            plain = rows(kind)
            same = [
                {name: "" if value is None else value for name, value in row.items()}
                for row in rows(kind, FileFormat.XLSX)
            ]
            assert len(plain) == len(same) > 0
            for left, right in zip(plain, same, strict=True):
                assert list(left) == list(right)
                for name, value in left.items():
                    assert value == str(right[name]) or float(value) == right[name], name

    def test_amounts_are_numbers_with_their_decimals_and_ids_are_text(self):
        paid_entry()

        with exported_file(kind="payments", narrowing=Narrowing(), file_format=FileFormat.XLSX) as file:
            sheet = openpyxl.load_workbook(file).active
            cells = {sheet.cell(1, n).value: sheet.cell(2, n) for n in range(1, sheet.max_column + 1)}

        assert (cells["amount"].data_type, cells["amount"].number_format) == ("n", "#,##0.00")
        assert cells["amount_minor"].value == 5000
        assert cells["payment"].data_type == "s"

    def test_a_full_sheet_is_followed_by_another(self, monkeypatch):
        monkeypatch.setattr("payments.reports.xlsx_file.MOST_ROWS", 3)
        report = Report("x", "Lines", "", (Column("line", Kind.NUMBER),), "")
        file = io.BytesIO()

        write_xlsx(report, [(n,) for n in range(5)], file)

        book = openpyxl.load_workbook(file)
        assert book.sheetnames == ["Lines", "Lines 2", "Lines 3"]
        assert [row["line"] for row in from_xlsx(file)] == [0, 1, 2, 3, 4]

    def test_memory_does_not_grow_with_the_rows(self, tmp_path):
        """A quarter of a million rows, from the database to the file, in a process of its own."""
        program = """
            import io, resource, sys
            import django
            django.setup()
            from django.db import connection
            from payments.reports import Narrowing
            from payments.reports.base import Report, code, number, text
            from payments.services import exports
            report = Report("big", "Big", "", (code("id"), text("name"), number("n")),
                "SELECT i::text, 'name ' || i, i FROM generate_series(1, 250000) i")
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            with open(sys.argv[1], "w+b") as file, exports.rows_of(report, Narrowing()) as rows:
                count = exports.WRITERS[exports.FileFormat(sys.argv[2])](report, rows, file)
            print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """
        root = Path(__file__).resolve().parents[2]
        for file_format in FileFormat:
            run = subprocess.run(
                [sys.executable, "-c", dedent(program), str(tmp_path / "report"), file_format],
                cwd=root,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
                capture_output=True,
                text=True,
                check=True,
            )
            count, kilobytes = map(int, run.stdout.split()[-2:])
            assert count == 250_000
            assert kilobytes < 40_000


class TestCommand:
    def test_it_writes_a_file_and_says_how_much(self, tmp_path):
        paid_entry()
        out = io.StringIO()

        call_command("export_report", "entries", "-o", str(tmp_path / "entries.csv"), stdout=out)

        assert out.getvalue() == f"1 rows in {tmp_path / 'entries.csv'}\n"
        assert len(from_csv((tmp_path / "entries.csv").read_bytes())) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["entries.csv"]

    def test_the_ending_says_the_format_and_an_option_overrules_it(self, tmp_path):
        call_command("export_report", "payments", "-o", str(tmp_path / "a.xlsx"), stdout=io.StringIO())
        call_command(
            "export_report", "payments", "--format", "xlsx", "-o", str(tmp_path / "b.dat"), stdout=io.StringIO()
        )

        for name in ("a.xlsx", "b.dat"):
            assert (tmp_path / name).read_bytes().startswith(b"PK")

    def test_it_is_narrowed_by_options(self, tmp_path):
        entry = paid_entry()
        paid_entry()
        today = database_now().date()

        file = tmp_path / "entries.csv"
        call_command(
            "export_report", "entries", "--pool", str(entry.pool_id), "--from", str(today - timedelta(days=1)),
            "--to", str(today + timedelta(days=1)), "-o", str(file), stdout=io.StringIO(),
        )  # fmt: skip

        assert [row["pool"] for row in from_csv(file.read_bytes())] == [str(entry.pool_id)]

    def test_a_dash_is_the_standard_output(self, capfdbinary):
        paid_entry()

        call_command("export_report", "entries", "-o", "-")

        assert len(from_csv(capfdbinary.readouterr().out)) == 1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["journal", "-o", "x"], "invalid choice: 'journal'"),
            (["entries"], "the following arguments are required: -o/--output"),
            (["entries", "--pool", "77", "-o", "x"], "There is no pool 77."),
            (["entries", "--pool", "77", "-o", "-"], "There is no pool 77."),
            (["entries", "--from", "31.1.2026", "-o", "x"], "'31.1.2026' is not a day such as 2026-01-31"),
            (["entries", "--from", "2026-02-01", "--to", "2026-01-01", "-o", "x"], "2026-01-01 is before 2026-02-01."),
            (["entries", "-o", "/no/such/folder/x.csv"], "/no/such/folder/x.csv cannot be written"),
        ],
    )
    def test_mistakes_are_named(self, arguments, message, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        with pytest.raises(CommandError, match=message.replace("(", r"\(")):
            call_command("export_report", *arguments)

        assert list(tmp_path.iterdir()) == []
