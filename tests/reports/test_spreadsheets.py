"""What other programs than ours make of the files: no text has become a formula, and every number is itself."""

import csv
import io
from decimal import Decimal

import openpyxl
import pytest
from openpyxl.utils.escape import unescape

from payments.exports.csv_file import write_csv
from payments.exports.xlsx_file import Look, write_xlsx
from payments.models import FileFormat
from payments.reports import REPORTS
from payments.reports.base import Kind, Report, code, money, number, text
from tests.reports.golden import AGREED, FOLDER, options_of, written
from tests.support.libreoffice import needs_libreoffice, opened

BEGINNINGS = ("=1+1", "+1+1", "-1+1", "@SUM(1;1)", "＝1+1", "＋1", "－1", "＠A1", '=HYPERLINK("http://x.test";"y")')
NASTY = (
    *BEGINNINGS,
    *(f"{before}{name}" for before in ("\t", "\r", "\n", "\r\n", " ", "\x00") for name in ("=1+1", "+1", "@A1")),
    *(f"a{separator}{name}" for separator in (";", ",", "\t", "\n", "\r") for name in ("=1+1", "-1")),
    '"=1+1"', "'=1+1", '";=1+1;"', "=cmd|' /C calc'!A0", "=", "+", "-", "@", ";=", "\t", "http://example.test", "007",
    "1e9", "2026-01-01", "TRUE",
)  # fmt: skip
AMOUNTS = (Decimal("-5.00"), Decimal("0.01"), Decimal("90071992547409.91"), Decimal("1.005"), Decimal(-3000))
NASTY_REPORT = Report(
    "nasty", "Nasty: [a]/b?", "", (text("name"), code("id"), *money("amount"), code("currency"), number("n")), "",
)  # fmt: skip


def nasty_rows():
    """Each nasty text beside numbers that must stay what they are."""
    for place, name in enumerate(NASTY):
        amount = AMOUNTS[place % len(AMOUNTS)]
        yield name, f"{place:03}", amount, int(amount * 100), "usd", -place


def is_formula(value) -> bool:
    """Whether a spreadsheet that ignores what came before would run it."""
    return str(value).lstrip(" \x00").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


def shown(value: str) -> str:
    """The text without what XML has no place for, and without what tells lines apart: that is the program's taste."""
    return "".join(letter for letter in value if letter >= " ").strip()


class TestOpenpyxl:
    def test_nasty_texts_are_texts(self):
        file = io.BytesIO()
        write_xlsx(NASTY_REPORT, nasty_rows(), file, look=Look())

        _, *lines = openpyxl.load_workbook(file).active.iter_rows()

        assert [cell.data_type for row in lines for cell in row[:2]] == ["s"] * 2 * len(NASTY)
        assert [shown(unescape(row[0].value)) for row in lines] == [shown(name) for name in NASTY]
        assert [row[2].value for row in lines] == [float(row[2]) for row in nasty_rows()]
        assert [row[5].value for row in lines] == [row[5] for row in nasty_rows()]


class TestCsv:
    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    def test_no_cell_begins_like_a_formula_however_it_is_cut_up(self, separator):
        file = io.BytesIO()
        write_csv(NASTY_REPORT, nasty_rows(), file)

        for row in csv.reader(io.StringIO(file.getvalue().decode(), newline=""), delimiter=separator):
            for cell in row:
                assert not is_formula(cell) or cell.lstrip("-").replace(".", "").replace(",", "").isdigit(), cell

    def test_numbers_are_themselves(self):
        file = io.BytesIO()
        write_csv(NASTY_REPORT, nasty_rows(), file)

        rows = list(csv.DictReader(io.StringIO(file.getvalue().decode(), newline="")))

        assert [Decimal(row["amount"]) for row in rows] == [row[2] for row in nasty_rows()]
        assert [int(row["n"]) for row in rows] == [row[5] for row in nasty_rows()]


@pytest.mark.slow
class TestLibreOffice:
    """As a person sees it who opens the file: with LibreOffice, of whatever country, formulas switched on."""

    def test_it_runs_what_is_not_made_harmless(self, tmp_path):
        """Or else nothing below would prove anything."""
        needs_libreoffice()
        path = tmp_path / "careless.csv"
        path.write_text("name,n\r\n=1+1,2\r\n")

        (_, row) = opened(tmp_path, path, separator=",")["careless"]

        assert (row[0].formula, row[0].value) == ("of:=1+1", 2.0)

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_no_text_of_a_csv_file_is_run(self, separator, tmp_path):
        needs_libreoffice()
        path = tmp_path / "nasty.csv"
        with path.open("wb") as file:
            write_csv(NASTY_REPORT, nasty_rows(), file)

        found = opened(tmp_path, path, *sorted(FOLDER.glob("*.csv")), separator=separator)

        assert set(found) >= {"nasty", *AGREED}
        # A line of somebody else's CSV that is one number, or one text, is nobody's formula.
        formulas = {name: [cell for row in rows for cell in row if cell.formula] for name, rows in found.items()}
        assert {name: cells for name, cells in formulas.items() if cells} == {}

    def test_spreadsheets_have_no_formula_and_right_numbers(self, story, tmp_path):
        needs_libreoffice()
        files = [self.spreadsheet(kind, story, tmp_path) for kind in AGREED]
        nasty = tmp_path / "nasty.xlsx"
        with nasty.open("wb") as file:
            write_xlsx(NASTY_REPORT, nasty_rows(), file, look=Look())

        found = opened(tmp_path, nasty, *files)

        assert [cell for rows in found.values() for row in rows for cell in row if cell.formula] == []
        for kind in AGREED:
            agreed = csv.reader(io.StringIO((FOLDER / f"{kind}.csv").read_bytes().decode(), newline=""))
            self.compare(REPORTS[kind], list(agreed), found[kind])
        assert [shown(str(row[0].value)) for row in found["nasty"][1:]] == [shown(name) for name in NASTY]
        assert [row[2].value for row in found["nasty"][1:]] == [float(row[2]) for row in nasty_rows()]

    def spreadsheet(self, kind, story, folder):
        path = folder / f"{kind}.xlsx"
        path.write_bytes(written(kind, FileFormat.XLSX, options=options_of(kind)))
        return path

    def compare(self, report, agreed, found):
        """Every number is a number, and itself; every text is a text, and itself but for the apostrophe."""
        assert len(agreed) == len(found)
        for left, right in zip(agreed[1:], found[1:], strict=True):
            for column, cell, here in zip(report.columns, left, right, strict=False):
                if not cell:
                    assert here.kind == "", (column.name, here)
                elif column.kind in (Kind.MONEY, Kind.NUMBER):
                    assert (here.kind, here.value) == ("float", float(cell)), column.name
                else:
                    assert here.kind == "string", (column.name, here)
                    assert shown(str(here.value)).replace("'", "") == shown(cell).replace("'", ""), column.name
