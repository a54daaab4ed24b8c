"""Rules that cannot be meant are refused with the reason, and nothing else is."""

import itertools

import pytest

from config.errors import Malformed
from pools.models import Round
from pools.services.pools import create_pool
from pools.services.rules import Contest, check_rules, contest_of
from pools.services.rules.contradictions import contradictions
from tests.factories.pools import PoolFactory, league
from tests.pools.rules.test_switches import EVERY_VALUE, faults

BUY_BACK = {"buy_back_until": 3, "buy_back_limit": 1}


@pytest.mark.parametrize(
    ("rules", "key", "reason"),
    [
        (
            {"missed_pick_then": "strike"},
            "missed_pick_then",
            "Says what follows a fallback list, but missed_pick is not `fallback`.",
        ),
        (
            {"missed_pick": "favourite", "missed_pick_then": "favourite"},
            "missed_pick_then",
            "Says what follows a fallback list, but missed_pick is not `fallback`.",
        ),
        (
            {"late_entry_strikes": True},
            "late_entry_strikes",
            "Counts rounds missed by late entries, but late_entry_until is not given.",
        ),
        (
            {"late_entry_strikes": True, "late_entry_until": 4, "strikes": 1},
            "late_entry_strikes",
            "An entry that comes in round 4 would be out at once: it has missed 2 rounds, and strikes is 1.",
        ),
        ({"late_entry_until": 9}, "late_entry_until", "The pool does not play round 9."),
        ({"late_entry_until": 1}, "late_entry_until", "The pool does not play round 1."),
        ({"buy_back_limit": 1}, "buy_back_limit", "Is about buying back in, but buy_back_until is not given."),
        (
            {"buy_back_fee_cents": 500},
            "buy_back_fee_cents",
            "Is about buying back in, but buy_back_until is not given.",
        ),
        (
            {"buy_back_until": 3},
            "buy_back_limit",
            "Lets nobody buy back in, but buy_back_until is given; it must be at least 1.",
        ),
        ({**BUY_BACK, "buy_back_until": 1}, "buy_back_until", "The pool does not play round 1."),
        (
            {**BUY_BACK, "buy_back_until": 5},
            "buy_back_until",
            "Round 5 is the last: whoever falls in it has no round left to come back for.",
        ),
        ({"two_pick_rounds": [3, 9, 1]}, "two_pick_rounds", "The pool does not play round 1, 9."),
        ({"two_pick_rounds": [3, 4, 3]}, "two_pick_rounds", "Names round 3 more than once."),
        (
            {"two_pick_rounds": [3], "picks_per_round": 2},
            "two_pick_rounds",
            "Names rounds of two teams, but picks_per_round asks for two in every round already.",
        ),
        ({"reuse_reset_round": 6}, "reuse_reset_round", "The pool does not play round 6."),
        (
            {"reuse_reset_round": 2},
            "reuse_reset_round",
            "The pool begins with round 2: there is no count to start again.",
        ),
        (
            {"reuse_reset_round": 3, "reuse_limit": 4},
            "reuse_reset_round",
            "With reuse_limit 4 no team is ever used up in 4 rounds: there is no count to start again.",
        ),
        ({"payout": "table"}, "payout_table", "Comes with payout=table, and payout=table needs it."),
        ({"payout_table": [10_000]}, "payout_table", "Comes with payout=table, and payout=table needs it."),
        (
            {"payout": "table", "payout_table": [6000, 3000]},
            "payout_table",
            "The basis points must add up to 10000; these are 9000.",
        ),
        (
            {"payout": "table", "payout_table": [4000, 6000]},
            "payout_table",
            "Pays a later rank more than an earlier one: whoever is ahead would have to lose.",
        ),
    ],
)
def test_a_contradiction_is_refused_with_its_reason(rules, key, reason):
    assert faults(rules, first_round=2, last_round=5) == {f"rules.{key}": [reason]}


@pytest.mark.parametrize(
    "rules",
    [
        {"missed_pick": "strike"},  # without strikes it eliminates
        {"missed_pick": "fallback", "missed_pick_then": "strike"},
        {"lock": "game", "missed_pick": "favourite", "cancelled_game": "repick"},
        {"late_entry_until": 2},  # the first round: nobody is late
        {"late_entry_until": 5},
        {"late_entry_until": 4, "late_entry_strikes": True, "strikes": 2},
        {**BUY_BACK, "buy_back_until": 4},
        {**BUY_BACK, "buy_back_fee_cents": 0},
        {"reuse_reset_round": 3, "reuse_limit": 3},
        {"reuse_limit": 100},
        {"two_pick_rounds": [2, 3, 4, 5]},
        {"strikes": 20, "last_round": "tiebreak"},
        {"all_out": "revive", "last_round": "tiebreak"},
        {"house_fee_bp": 10_000, "payout": "table", "payout_table": [5000, 5000]},
    ],
)
def test_what_the_rule_book_gives_a_meaning_to_is_accepted(rules):
    assert check_rules(rules, first_round=2, last_round=5).items() >= rules.items()


def test_choices_contradict_only_where_the_fallback_list_is_asked_about():
    choices = {key: values for key, values in EVERY_VALUE.items() if isinstance(values[0], str) and key != "payout"}
    refused = set()
    for values in itertools.product(*choices.values()):
        rules = dict(zip(choices, values, strict=True))
        blamed = [key for key, _ in contradictions(check_rules({}) | rules, Contest(1, 18))]
        if blamed:
            refused.add((rules["missed_pick"], rules["missed_pick_then"], *blamed))
    others = ("eliminate", "strike", "favourite")
    assert refused == set(itertools.product(others, ("strike", "favourite"), ("missed_pick_then",)))


def test_several_contradictions_are_told_at_once():
    assert set(faults({"missed_pick_then": "strike", "buy_back_limit": 1, "payout": "table"})) == {
        "rules.missed_pick_then",
        "rules.buy_back_limit",
        "rules.payout_table",
    }


def test_without_a_last_round_only_the_first_one_bounds():
    assert check_rules({"late_entry_until": 999, "reuse_reset_round": 2, "reuse_limit": 100})["late_entry_until"] == 999


def test_rounds_that_are_not_there_are_not_counted():
    contest = Contest(1, 9, (1, 5, 9))
    rules = {"late_entry_until": 9, "late_entry_strikes": True, "strikes": 2}
    assert check_rules(rules, contest=contest)["late_entry_until"] == 9
    assert faults({"late_entry_until": 4}, contest=contest) == {
        "rules.late_entry_until": ["The pool does not play round 4."]
    }


@pytest.mark.django_db
def test_a_pool_is_held_against_its_own_rounds():
    pool = PoolFactory(competition=league(rounds=5), first_round_number=2, last_round_number=4)
    assert contest_of(pool) == Contest(2, 4, (2, 3, 4), "usd")
    Round.objects.create(competition=pool.competition, number=9, name="Final")
    with pytest.raises(Malformed) as refusal:
        create_pool(competition=pool.competition, name="Main", created_by=None, rules={"two_pick_rounds": [7]})
    assert refusal.value.details == {"rules.two_pick_rounds": ["The pool does not play round 7."]}
