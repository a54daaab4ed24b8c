"""The list of countries comes from the time zone data."""

from accounts.countries import countries


def test_there_are_the_249_of_the_standard():
    assert len(countries()) == 249


def test_codes_are_two_capitals_with_a_name():
    assert all(len(code) == 2 and code.isascii() and code.isupper() and name for code, name in countries().items())
    assert countries()["US"] == "United States"
    assert "UK" not in countries()
    assert "XK" not in countries()
