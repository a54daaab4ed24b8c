"""Numbers of rows in texts that anybody may have written."""

import pytest

from config.row_numbers import row_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("0012", 12), ("9" * 18, 10**18 - 1)])
def test_a_number_is_read(text, number):
    assert row_number(text) == number


@pytest.mark.parametrize(
    "text", [None, "", " ", "-1", "+1", "1.0", "1_000", "abc", "1\x00", "٣", "²", "9" * 19, "9" * 5000], ids=ascii
)
def test_what_no_row_is_called_is_none(text):
    assert row_number(text) is None
