"""Which switches a pool can have."""

import pytest

from config.errors import Malformed
from pools.models import Rules
from pools.services.rules import SWITCHES, check_rules


def faults(rules, **options):
    with pytest.raises(Malformed) as refusal:
        check_rules(rules, **options)
    return refusal.value.details


def test_every_column_of_the_rules_is_a_switch_with_its_default():
    assert set(SWITCHES) == set(Rules.KEYS)
    row = Rules()
    assert check_rules({}) == {key: getattr(row, key) for key in Rules.KEYS}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("strikes", 0), ("strikes", 1), ("strikes", 2), ("tie", "loss"), ("tie", "win"), ("missed_pick", "eliminate"),
        ("missed_pick", "strike"), ("cancelled_game", "loss"), ("cancelled_game", "win"), ("all_out", "split"),
        ("all_out", "revive"), ("house_fee_bp", 0), ("house_fee_bp", 10_000),
    ],
)  # fmt: skip
def test_what_settlement_honours_is_accepted(key, value):
    assert check_rules({key: value})[key] == value


@pytest.mark.parametrize(
    ("key", "value", "available"),
    [
        ("lock", "game", "round"), ("tie", "void", "loss, win"), ("missed_pick", "favourite", "eliminate, strike"),
        ("missed_pick", "fallback", "eliminate, strike"), ("cancelled_game", "void", "loss, win"),
        ("cancelled_game", "repick", "loss, win"), ("picks_per_round", 2, "1"), ("two_pick_rounds", [2], "none"),
        ("reuse_limit", 2, "1"), ("reuse_reset_round", 2, "none"), ("all_out", "tiebreak", "split, revive"),
        ("last_round", "tiebreak", "split"), ("late_entry_until", 2, "none"), ("buy_back_until", 2, "none"),
    ],
)  # fmt: skip
def test_what_settlement_does_not_honour_yet_is_refused_by_name(key, value, available):
    assert faults({key: value}, last_round=3) == {
        f"rules.{key}": [f"`{value}` is not available yet; available: {available}."]
    }


@pytest.mark.parametrize(
    ("rules", "key", "reason"),
    [
        ({"missed_pick_then": "strike"}, "missed_pick_then", "missed_pick is not `fallback`"),
        ({"late_entry_strikes": True}, "late_entry_strikes", "late_entry_until is not given"),
        ({"buy_back_limit": 1}, "buy_back_limit", "buy_back_until is not given"),
        ({"buy_back_fee_cents": 500}, "buy_back_fee_cents", "buy_back_until is not given"),
        ({"payout": "table"}, "payout_table", "payout=table needs it"),
        ({"payout_table": [10_000]}, "payout_table", "Comes with payout=table"),
        ({"payout": "table", "payout_table": [6000, 3000]}, "payout_table", "must add up to 10000"),
        ({"late_entry_until": 9}, "late_entry_until", "does not play round 9"),
        ({"buy_back_until": 1}, "buy_back_until", "does not play round 1"),
        ({"two_pick_rounds": [3, 9]}, "two_pick_rounds", "a round that the pool does not play"),
    ],
)
def test_a_contradiction_is_refused_with_its_reason(rules, key, reason):
    assert reason in " ".join(faults(rules, first_round=2, last_round=5)[f"rules.{key}"])


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("strikes", "x", "Must be a whole number from 0 to 20."),
        ("strikes", True, "Must be a whole number from 0 to 20."),
        ("strikes", 1.5, "Must be a whole number from 0 to 20."),
        ("strikes", -1, "Must be a whole number from 0 to 20."),
        ("strikes", 21, "Must be from 0 to 20."),
        ("strikes", None, "Must be a whole number from 0 to 20."),
        ("tie", "draw", "Must be one of loss, win, void."),
        ("tie", None, "Must be one of loss, win, void."),
        ("tie", ["win"], "Must be one of loss, win, void."),
        ("late_entry_strikes", "perhaps", "Must be true or false."),
        ("late_entry_strikes", 2, "Must be true or false."),
        ("house_fee_bp", 10_001, "Must be from 0 to 10000."),
        ("two_pick_rounds", "1,x", "Must be a whole number from 1 to 1000."),
        ("two_pick_rounds", [1] * 101, "Must have at most 100 items."),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(key, value, message):
    assert faults({key: value}) == {f"rules.{key}": [message]}


def test_an_unknown_switch_is_refused_not_ignored():
    assert list(faults({"stirkes": 1})) == ["rules.stirkes"]


def test_all_faults_are_told_at_once():
    assert set(faults({"tie": "void", "strikes": "x", "colour": "red"})) == {
        "rules.tie",
        "rules.strikes",
        "rules.colour",
    }


def test_text_of_a_command_line_is_read():
    rules = check_rules(
        {"strikes": "2", "late_entry_strikes": "false", "late_entry_until": "none", "two_pick_rounds": ""}
    )
    assert (rules["strikes"], rules["late_entry_strikes"], rules["late_entry_until"]) == (2, False, None)
    assert rules["two_pick_rounds"] == []
