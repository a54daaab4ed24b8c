"""CSV cells that spreadsheets cannot mistake for formulas."""

import csv
import io

import pytest

from config.cells import cell, csv_lines


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@A1", "\tA1", "\rA1", " =1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201"]
)
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(("text", "safe"), [("\t=1", "'\t'=1"), ("a;=1", "a;'=1"), ("a\n-1", "a\n'-1")])
def test_so_does_one_that_goes_on_like_a_formula_where_a_cell_may_begin(text, safe):
    assert cell(text) == safe


@pytest.mark.parametrize("value", ["Ada", "1-1", "a=b", "", None, -1, 0, 7.5])
def test_anything_else_stays_as_it_is(value):
    assert cell(value) == value


def test_lines_come_one_at_a_time_and_read_back_as_they_were():
    asked = []

    def rows():
        for number in range(3):
            asked.append(number)
            yield [number, 'a "quoted", text', None, "=1"]

    lines = csv_lines(["a", "b", "c", "d"], rows())
    assert (next(lines), asked) == ("a,b,c,d\r\n", [])
    assert (next(lines), asked) == ('0,"a ""quoted"", text",,\'=1\r\n', [0])
    rest = "".join(lines)
    assert list(csv.reader(io.StringIO(rest))) == [[str(n), 'a "quoted", text', "", "'=1"] for n in (1, 2)]
