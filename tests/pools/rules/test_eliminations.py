"""Why an entry is out, in one sentence."""

import pytest

from pools.models import Rules
from pools.services.rules import check_rules, elimination_sentence


def sentence(code, round_number=4, version=2, **switches) -> str:
    values = check_rules(switches, last_round=18)
    return elimination_sentence(
        code=code, round_number=round_number, rules=Rules(version=version, effective_round_number=1, **values)
    )


@pytest.mark.parametrize(
    ("code", "switches", "said"),
    [
        ("pick_lost", {}, "the pick lost; the first loss eliminates"),
        ("pick_lost", {"strikes": 1}, "the pick lost; one loss is survived, and this was one more"),
        ("pick_lost", {"strikes": 3}, "the pick lost; three losses are survived, and this was one more"),
        ("pick_lost", {"two_pick_rounds": [4]}, "one of its picks lost; the first loss eliminates"),
        ("pick_lost", {"two_pick_rounds": [5]}, "the pick lost; the first loss eliminates"),
        ("pick_tied", {}, "the pick tied, and a tie is a loss; the first loss eliminates"),
        (
            "game_cancelled",
            {"picks_per_round": 2},
            "the game of one of its picks was not played in its round, which is a loss; the first loss eliminates",
        ),
        ("no_pick", {}, "no pick was made; that eliminates"),
        ("no_pick", {"strikes": 1}, "no pick was made; a missing pick eliminates whatever strikes are left"),
        ("no_pick", {"missed_pick": "strike"}, "no pick was made; the first loss eliminates"),
        (
            "no_pick",
            {"missed_pick": "strike", "strikes": 1, "picks_per_round": 2},
            "a pick was missing; one loss is survived, and this was one more",
        ),
        (
            "no_pick",
            {"missed_pick": "favourite"},
            "no pick was made, and no favourite was left to fill in; that eliminates",
        ),
        (
            "no_pick",
            {"missed_pick": "fallback"},
            "no pick was made, and the fallback list was used up; that eliminates",
        ),
        (
            "no_pick",
            {"missed_pick": "fallback", "missed_pick_then": "strike", "strikes": 2},
            "no pick was made, and the fallback list was used up; two losses are survived, and this was one more",
        ),
        (
            "no_pick",
            {"missed_pick": "fallback", "missed_pick_then": "favourite", "strikes": 2},
            (
                "no pick was made, and fallback list and favourites were used up; a missing pick eliminates whatever"
                " strikes are left"
            ),
        ),
        (
            "tiebreak",
            {"last_round": "tiebreak"},
            "it was still in, but another entry had a higher margin",
        ),
    ],
)
def test_an_elimination_quotes_what_happened_and_the_rule(code, switches, said):
    assert sentence(code, **switches) == f"Round 4: {said} (rules, version 2)."


def test_an_unknown_code_is_not_made_up():
    with pytest.raises(KeyError):
        sentence("bad_luck")
