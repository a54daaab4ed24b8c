"""Money stays whole: formats by exponent, splits that add up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.money import (
    charge_fault,
    exponent,
    format_amount,
    in_minor_units,
    smallest_charge,
    split_by_weight,
    to_decimal,
)
from tests.support.properties import UNHURRIED


@pytest.mark.parametrize(("currency", "places"), [("usd", 2), ("USD", 2), ("jpy", 0), ("kwd", 3)])
def test_each_currency_has_its_own_number_of_places(currency, places):
    assert exponent(currency) == places


@pytest.mark.parametrize(("currency", "minor"), [("usd", 5050), ("jpy", 50), ("kwd", 50_500)])
def test_a_limit_for_every_currency_is_in_hundredths_of_its_unit(currency, minor):
    assert in_minor_units(5050, currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(5000, "usd", "50.00 USD"), (5, "usd", "0.05 USD"), (-5, "eur", "-0.05 EUR"), (5000, "jpy", "5,000 JPY"),
     (1234567, "kwd", "1,234.567 KWD"), (0, "usd", "0.00 USD")],
)  # fmt: skip
def test_amounts_are_formatted_by_their_currency(minor, currency, text):
    assert format_amount(minor, currency) == text


def test_a_decimal_is_exact():
    assert to_decimal(9007199254740993, "usd") == Decimal("90071992547409.93")


@pytest.mark.parametrize(
    ("currency", "least"),
    [("usd", 50), ("USD", 50), ("gbp", 30), ("jpy", 50), ("huf", 17500), ("krw", 50), ("zar", 50), ("kwd", 500)],
)
def test_each_currency_has_a_smallest_charge(currency, least):
    assert smallest_charge(currency) == least
    assert charge_fault(least, currency) == charge_fault(0, currency) == ""
    assert charge_fault(least - 1, currency).startswith(f"Must be 0, or at least {least} (")
    assert charge_fault(1, currency) != ""


def test_three_decimals_are_charged_in_two():
    assert charge_fault(1230, "kwd") == ""
    assert charge_fault(1234, "kwd") == "Must end in 0: KWD is charged in hundredths."
    assert charge_fault(1234, "usd") == charge_fault(1234, "jpy") == ""


def test_odd_cents_go_to_the_first():
    assert split_by_weight(100, [1, 1, 1]) == [34, 33, 33]


def test_a_weighted_split_gives_odd_cents_to_the_largest_remainders():
    assert split_by_weight(100, [1, 1, 4]) == [17, 17, 66]
    assert split_by_weight(10, [6, 3, 1]) == [6, 3, 1]


@UNHURRIED
@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any))
def test_the_parts_always_add_up_and_none_is_a_cent_off(total, weights):
    parts = split_by_weight(total, weights)

    assert sum(parts) == total
    assert all(abs(part - total * weight / sum(weights)) < 1.001 for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, []), (1, [0, 0]), (1, [2, -1])])
def test_a_split_that_makes_no_sense_is_refused(total, weights):
    with pytest.raises(ValueError, match="split"):
        split_by_weight(total, weights)
