"""Sentences with facts, in the language of whoever reads them."""

import json
import pickle
from datetime import UTC, date, datetime

import pytest
from django.utils.translation import override

from config.errors import Code, InvalidTransition, Refused
from config.kept_phrases import recipe_of, remade
from config.phrases import Faults, Money, Name, in_language, phrase, phrase_of, shown_amount, tell, tell_of

LOCKED = "Round {round} locked at {at:instant}."
USED = ("This entry has already used {team} in round {rounds}.",
        "This entry has already used {team} in rounds {rounds} and {last}.")  # fmt: skip
AT = datetime(2026, 11, 26, 17, 30, tzinfo=UTC)


def test_what_is_kept_is_the_english_text_whatever_the_language():
    with override("de"):
        said = phrase(LOCKED, round=3, at=AT)
        kept = pickle.loads(pickle.dumps(said))
    assert (str(said), kept, type(kept)) == ("Round 3 locked at 2026-11-26T17:30:00Z.",) * 2 + (str,)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Round 3 locked at 2026-11-26T17:30:00Z."),
        ("de", "Runde 3 hat am 26.11.2026 17:30 UTC geschlossen."),
        ("es", "La ronda 3 se cerró el 26/11/2026 17:30 UTC."),
        ("fr", "Le tour 3 a clôturé le 26/11/2026 17:30 UTC."),
    ],
)
def test_the_whole_sentence_is_said_in_each_language_with_its_instant(language, words):
    refusal = Refused(Code.DEADLINE_PASSED, phrase(LOCKED, round=3, at=AT))
    with override(language):
        assert refusal.sentence == words
    assert refusal.message == "Round 3 locked at 2026-11-26T17:30:00Z."


@pytest.mark.parametrize(
    ("rounds", "words"),
    [
        (("2",), "Dieser Platz hat KC schon in Runde 2 benutzt."),
        (("2", "3", "7"), "Dieser Platz hat KC schon in den Runden 2, 3 und 7 benutzt."),
    ],
)
def test_each_number_has_the_form_of_its_language(rounds, words):
    said = phrase_of(len(rounds), *USED, team="KC", rounds=", ".join(rounds[:-1] or rounds), last=rounds[-1])
    with override("de"):
        assert in_language(said) == words


def test_zero_is_one_in_french_and_many_in_english():
    waits = ("{count} of {total} waits for a ruling.", "{count} of {total} wait for a ruling.")
    assert tell_of(0, *waits, total=2) == "0 of 2 wait for a ruling."
    with override("fr"):
        assert tell_of(0, *waits, total=2) == "0 sur 2 attend une décision."


@pytest.mark.parametrize(
    ("language", "amount", "yen"),
    [("en", "1,234.50 USD", "1,234 JPY"), ("de", "1.234,50 USD", "1.234 JPY"),
     ("fr", "1\xa0234,50 USD", "1\xa0234 JPY")],
)  # fmt: skip
def test_money_keeps_its_digits_and_takes_the_signs_of_the_language(language, amount, yen):
    with override(language):
        assert (shown_amount(123450, "usd"), shown_amount(1234, "jpy")) == (amount, yen)
        assert amount in tell("The player owes {amount}, not {asked}.", amount=Money(123450, "usd"), asked="")


def test_months_and_great_numbers_are_written_as_the_language_does():
    with override("de"):
        assert tell("{first_day:month} is not over.", first_day=date(2026, 10, 1)) == "Oktober 2026 ist nicht vorbei."
        assert "1.000.000 Zeilen" in tell(
            "A printed report has at most {most:,} rows. Narrow it, or take a spreadsheet.", most=1_000_000
        )
    assert tell("{first_day:month} is not over.", first_day=date(2026, 10, 1)) == "October 2026 is not over."


def test_states_are_named_as_columns_name_them():
    refusal = InvalidTransition("request", "rejected", "approved")
    assert refusal.message == "A request that is rejected cannot become approved."
    with override("de"):
        assert refusal.sentence == "Anfrage: Aus „Abgelehnt“ kann nicht „Genehmigt“ werden."


def test_a_fault_of_several_fields_says_each_in_the_language():
    said = phrase("The rules are not possible. {faults}", faults=Faults({"strikes": ["Unknown teams: KC."]}))
    inner = phrase(
        "The rules are not possible. {faults}",
        faults=Faults({"strikes": [phrase("Must be from {low} to {high}.", low=0, high=9)]}),
    )
    assert said == "The rules are not possible. strikes: Unknown teams: KC."
    with override("de"):
        assert in_language(inner) == "Die Regeln sind so nicht möglich. strikes: Muss von 0 bis 9 sein."
    assert inner == "The rules are not possible. strikes: Must be from 0 to 9."


def test_what_the_catalogue_lacks_stays_english_as_a_whole():
    with override("de"):
        assert tell("No catalogue has this: {status}.", status=Name("approved")) == "No catalogue has this: approved."


def test_a_sentence_that_was_kept_with_its_recipe_is_said_in_a_language_later():
    inner = phrase("Round {round} has locked.", round=4)
    said = [
        phrase(LOCKED, round=3, at=AT),
        phrase_of(2, *USED, team="KC", rounds="1", last="2"),
        phrase("{what}: {state}, {money}, {day}. {inner}", what="x", state=Name("rejected"), money=Money(5000, "usd"),
               day=date(2026, 11, 26), inner=inner),
        "The pool is full.",
    ]  # fmt: skip
    kept = [(str(one), json.loads(json.dumps(recipe_of(one)))) for one in said]
    assert kept[-1][1] is None
    for language in ("en", "de", "es", "fr"):
        with override(language):
            assert [in_language(remade(*one)) for one in kept] == [in_language(one) for one in said]


def test_what_was_kept_without_a_recipe_stays_as_it_was_written():
    with override("de"):
        assert in_language(remade("Somebody wrote this.", None)) == "Somebody wrote this."
