"""Every report of the one fixed story, byte by byte; and the same in a spreadsheet."""

import csv
import io

import openpyxl
import pytest

from payments.models import FileFormat
from payments.reports import REPORTS
from payments.reports.base import Kind
from payments.services.books import broken
from tests.reports.golden import AGREED, FOLDER, agrees, options_of, written


def test_the_story_s_books_hold(story):
    assert broken() == {}


@pytest.mark.parametrize("kind", AGREED)
def test_the_file_is_as_it_was_agreed(kind, story):
    raw = written(kind, options=options_of(kind))

    assert raw.count(b"\r\n") > 1, "the story has nothing to show in it"
    assert agrees(f"{kind}.csv", raw)


@pytest.mark.parametrize("kind", AGREED)
def test_the_spreadsheet_says_the_same_and_has_no_formula(kind, story):
    """Read by another library than wrote it: numbers are numbers, texts are texts, to the last letter."""
    book = openpyxl.load_workbook(io.BytesIO(written(kind, FileFormat.XLSX, options=options_of(kind))))

    plain = csv.reader(io.StringIO(written(kind, FileFormat.CSV_RAW, options=options_of(kind)).decode(), newline=""))
    (sheet,) = book.worksheets
    for left, right in zip(plain, sheet.iter_rows(), strict=True):
        for column, cell, here in zip(REPORTS[kind].columns, left, right, strict=True):
            assert here.hyperlink is None
            if here.row > 1 and column.kind in (Kind.MONEY, Kind.NUMBER) and cell:
                assert (here.data_type, float(here.value)) == ("n", float(cell)), column.name
            else:
                assert here.data_type == ("s" if cell else "n"), (column.name, cell)
                assert (here.value or "") == cell


def test_each_file_is_of_a_report_or_a_batch():
    """A report that is gone leaves no file behind."""
    others = {path.stem.partition("-")[0] for path in FOLDER.iterdir()} - set(REPORTS)

    assert others <= {"quickbooks", "xero"}
