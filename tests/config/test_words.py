"""Names of the code as people read them."""

import pytest

from config.words import Words, spoken, told


class Mood(Words):
    VERY_GOOD = "very_good"
    BAD = "bad", "Bad, and Getting Worse"


def test_labels_begin_a_sentence_unless_they_are_given():
    assert Mood.choices == [("very_good", "Very good"), ("bad", "Bad, and Getting Worse")]
    assert Mood.VERY_GOOD.label == "Very good"


@pytest.mark.parametrize(
    ("text", "read"), [("wrong_amount", "wrong amount"), ("paid", "paid"), ("See a_b.", "See a_b."), ("", "")]
)
def test_codes_are_spoken_and_what_people_wrote_is_not(text, read):
    assert spoken(text) == read


@pytest.mark.parametrize(
    ("details", "currency", "read"),
    [
        ({"amount_cents": 5000}, "usd", {"amount": "50.00 USD"}),
        ({"amount_cents": 5000, "currency": "jpy"}, "usd", {"amount": "5,000 JPY"}),
        ({"amount_cents": 5000}, "", {"amount cents": "5000"}),
        ({"is_paid": False, "entry_id": 7, "note": None}, "", {"is paid": "no", "entry": "7"}),
        ({"due_at": "2026-11-30T23:59:59+00:00"}, "", {"due at": "2026-11-30 23:59"}),
        ({"because": "partly_lost"}, "", {"because": "partly lost"}),
    ],
)
def test_facts_are_told(details, currency, read):
    assert told(details, currency) == read
