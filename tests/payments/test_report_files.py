"""The files of the finance reports: no text becomes a formula, two libraries read the same, memory stays small."""

import hashlib
import io
import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from openpyxl.utils.escape import unescape

from config.clock import database_now
from payments.exports.csv_file import write_csv
from payments.exports.xlsx_file import Look, write_xlsx
from payments.models import Export, FileFormat
from payments.reports.base import Column, Kind, Report
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, unapplied_money
from tests.support.reports import exported, from_csv, from_xlsx, rows

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

        sheet = openpyxl.load_workbook(io.BytesIO(exported("entries", FileFormat.XLSX))).active
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
        write_csv(report, [(Decimal("-5.00"), -7)], file)
        assert file.getvalue() == b"money,number\r\n-5.00,-7\r\n"
        book = io.BytesIO()
        write_xlsx(report, [(Decimal("-5.00"), -7)], book, look=Look())
        assert from_xlsx(book) == [{"money": -5, "number": -7}]


class TestFiles:
    def test_csv_is_as_the_rfc_says(self):
        paid_entry(RequestFactory(approved=True, user=UserFactory(display_name='a "b", c\nd')))

        raw = exported("entries")

        assert raw.startswith(b"reference,player,number,")
        assert raw.endswith(b"\r\n")
        assert b'"a ""b"", c\nd"' in raw
        assert rows("entries")[0]["player"] == 'a "b", c\nd'

    def test_both_forms_say_the_same(self):
        paid_entry()
        unapplied_money()

        for kind in ("payments", "entries", "pool_summary"):
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

        sheet = openpyxl.load_workbook(io.BytesIO(exported("payments", FileFormat.XLSX))).active
        cells = {sheet.cell(1, n).value: sheet.cell(2, n) for n in range(1, sheet.max_column + 1)}

        assert (cells["amount"].data_type, cells["amount"].number_format) == ("n", "#,##0.00")
        assert cells["amount_minor"].value == 5000
        assert cells["payment"].data_type == "s"

    def test_a_full_sheet_is_followed_by_another(self, monkeypatch):
        monkeypatch.setattr("payments.exports.xlsx_file.MOST_ROWS", 3)
        report = Report("x", "Lines", "", (Column("line", Kind.NUMBER),), "")
        file = io.BytesIO()

        write_xlsx(report, [(n,) for n in range(5)], file, look=Look())

        book = openpyxl.load_workbook(file)
        assert book.sheetnames == ["Lines", "Lines 2", "Lines 3"]
        assert [row["line"] for row in from_xlsx(file)] == [0, 1, 2, 3, 4]

    @pytest.mark.slow
    def test_memory_does_not_grow_with_the_rows(self, tmp_path):
        """A quarter of a million rows, from the database to the file, in a process of its own."""
        program = """
            import io, resource, sys
            import django
            django.setup()
            from django.db import connection
            from payments.reports import Narrowing
            from payments.reports.base import Report, code, number, text
            from payments.exports.formats import Sheet
            from payments.exports.writing import write_sheet
            from payments.models import FileFormat
            report = Report("big", "Big", "", (code("id"), text("name"), number("n")),
                "SELECT i::text, 'name ' || i, i FROM generate_series(1, 250000) i", is_live=True)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            with open(sys.argv[1], "w+b") as file:
                written = write_sheet(Sheet(report, Narrowing()), FileFormat(sys.argv[2]), file)
            print(written.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        """
        root = Path(__file__).resolve().parents[2]
        for file_format in set(FileFormat) - {FileFormat.PDF}:
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

    def test_its_options_are_taken_and_a_row_says_what_was_written(self, tmp_path):
        paid_entry()
        for name, options in (("tax_year", ["year=2026"]), ("trial_balance", ["detail=pool", "money=test"])):
            file = tmp_path / f"{name}.jsonl"
            given = [argument for option in options for argument in ("--option", option)]
            call_command("export_report", name, *given, "-o", str(file), stdout=io.StringIO())

            row = Export.objects.latest("pk")
            assert (row.report, row.origin, row.status, row.is_kept) == (name, "command", "done", False)
            assert row.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
            assert row.parameters["options"] == dict(option.split("=") for option in options)
            assert row.bounds["posting"] > 0
        with pytest.raises(CommandError, match="is not an option such as"):
            call_command("export_report", "tax_year", "--option", "2026", "-o", str(file))

    def test_it_is_printed_where_its_name_says_so(self, tmp_path):
        call_command("export_report", "trial_balance", "-o", str(tmp_path / "t.pdf"), stdout=io.StringIO())

        assert (tmp_path / "t.pdf").read_bytes().startswith(b"%PDF")

    def test_a_dash_is_the_standard_output(self, capfdbinary):
        paid_entry()

        call_command("export_report", "entries", "-o", "-")

        assert len(from_csv(capfdbinary.readouterr().out)) == 1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["nonsense", "-o", "x"], "invalid choice: 'nonsense'"),
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
