"""The rules as players read them."""

import itertools
from pathlib import Path

import pytest

from pools.models import Pool, Rules
from pools.services.rules import changed_sentences, check_rules, sentences
from pools.services.rules.words import rounds_in_words
from pools.services.rules.words_of_prizes import percent
from tests.pools.rules.test_switches import COMPANY, EVERY_VALUE


def pool(**fields) -> Pool:
    return Pool(**{"name": "Main", "first_round_number": 1, "last_round_number": 18, "entry_fee_cents": 5000, **fields})


def rules_with(*, version=1, effective=1, **switches) -> Rules:
    values = check_rules(switches, last_round=18)
    return Rules(pool=pool(), version=version, effective_round_number=effective, **values)


def text(pool_=None, **switches) -> list[str]:
    return sentences(rules_with(**switches), pool_ or pool())


def expected() -> dict[str, list[str]]:
    """Sentences by switches, from `sentences.txt`."""
    found: dict[str, list[str]] = {}
    for paragraph in (Path(__file__).parent / "sentences.txt").read_text().split("\n\n")[1:]:
        switches, *said = [line.strip() for line in paragraph.strip().splitlines()]
        found[switches] = said
    return found


EXPECTED = expected()
DEFAULT = EXPECTED.pop("(default)")


def test_the_default_rules_in_full():
    assert text() == DEFAULT


@pytest.mark.parametrize("switches", EXPECTED)
def test_a_switch_is_said_in_its_sentences(switches):
    said = text(**dict(switch.split("=") for switch in switches.split()))
    assert set(EXPECTED[switches]) <= set(said) - set(DEFAULT)


@pytest.mark.parametrize("key", EVERY_VALUE)
def test_each_value_of_each_switch_reads_differently(key):
    texts = []
    for value in EVERY_VALUE[key]:
        company = {**COMPANY.get(key, {})}
        if key in ("buy_back_until", "payout_table", "payout") and value in (None, [], "equal"):
            company = {}
        if key == "buy_back_limit" and not value:
            company = {}
        texts.append(tuple(text(**company, **{key: value})))
    assert len(set(texts)) == len(texts)


CHOICES = {
    "lock": ["round", "game"],
    "strikes": [0, 2],
    "missed_pick": ["eliminate", "strike", "favourite", "fallback"],
    "picks_per_round": [1, 2],
    "late_entry_until": [None, 3],
    "buy_back_until": [None, 4],
    "payout": ["equal", "table"],
    "all_out": ["split", "revive", "tiebreak"],
    "last_round": ["split", "tiebreak"],
}


def test_every_combination_reads_well():
    for values in itertools.product(*CHOICES.values()):
        switches = dict(zip(CHOICES, values, strict=True))
        switches["buy_back_limit"] = 1 if switches["buy_back_until"] else 0
        switches["payout_table"] = [10_000] if switches["payout"] == "table" else []
        said = sentences(Rules(version=1, effective_round_number=1, **switches), pool())
        assert len(set(said)) == len(said)
        for sentence in said:
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            assert not {"None", "[]", "True", "False"} & set(sentence.replace(".", "").split())
        # The margin is defined exactly where something is decided by it.
        assert ("tiebreak" in values) == any(sentence.startswith("The margin of") for sentence in said)


def test_a_free_pool_of_one_round_in_another_currency():
    said = text(
        pool(entry_fee_cents=0, currency="jpy", last_round_number=1, max_entries_per_user=1), house_fee_bp=10_000
    )
    assert "The pool plays round 1 alone." in said
    assert "An entry is free." in said
    assert (
        "Of every fee paid for an entry the house keeps 100 %, rounded down to 1 JPY; the rest is in the pot." in said
    )
    assert "Two entries of one player may use the same team." not in said


def test_money_has_the_decimals_of_its_currency():
    assert "An entry costs 5.000 KWD." in text(pool(currency="kwd"))
    assert "An entry costs 5,000 JPY." in text(pool(currency="jpy"))


def test_a_later_version_says_from_when_it_governs():
    assert sentences(rules_with(version=3, effective=7), pool())[-1] == "This is version 3; it governs from round 7 on."


def test_what_two_versions_say_differently():
    gone, new = changed_sentences(rules_with(), rules_with(version=2, effective=5, tie="win"), pool())
    assert (gone, new) == (["A tie is a loss."], ["A tie counts as won."])


@pytest.mark.parametrize(("points", "said"), [(1, "0.01 %"), (250, "2.5 %"), (1000, "10 %"), (10_000, "100 %")])
def test_basis_points_are_said_as_percent(points, said):
    assert percent(points) == said


def test_rounds_are_listed():
    assert [rounds_in_words(numbers) for numbers in ([3], [3, 5], [3, 5, 7])] == [
        "round 3", "rounds 3 and 5", "rounds 3, 5 and 7",
    ]  # fmt: skip
