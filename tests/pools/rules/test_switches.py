"""Which values each switch takes, from JSON, forms and command lines."""

import pytest

from config.errors import Malformed
from pools.models import Rules
from pools.services.rules import SWITCHES, check_rules, shown


def faults(rules, **options):
    with pytest.raises(Malformed) as refusal:
        check_rules(rules, **options)
    return refusal.value.details


# What a value needs beside it, to mean anything.
COMPANY = {
    "missed_pick_then": {"missed_pick": "fallback"},
    "late_entry_strikes": {"late_entry_until": 2, "strikes": 1},
    "late_entry_until": {},
    "buy_back_until": {"buy_back_limit": 1},
    "buy_back_limit": {"buy_back_until": 2},
    "buy_back_fee_cents": {"buy_back_until": 2, "buy_back_limit": 1},
    "payout": {"payout_table": [10_000]},
    "payout_table": {"payout": "table"},
}
EVERY_VALUE = {
    "lock": ["round", "game"],
    "strikes": [0, 1, 2, 20],
    "tie": ["loss", "win", "void"],
    "missed_pick": ["eliminate", "strike", "favourite", "fallback"],
    "missed_pick_then": ["eliminate", "strike", "favourite"],
    "cancelled_game": ["loss", "win", "void", "repick"],
    "picks_per_round": [1, 2],
    "two_pick_rounds": [[], [2], [1, 2, 3]],
    "reuse_limit": [1, 2, 100],
    "reuse_reset_round": [None, 2, 18],
    "all_out": ["split", "revive", "tiebreak"],
    "last_round": ["split", "tiebreak"],
    "late_entry_until": [None, 1, 2, 18],
    "late_entry_strikes": [False, True],
    "buy_back_until": [None, 1, 17],
    "buy_back_limit": [0, 1, 100],
    "buy_back_fee_cents": [0, 1, 100_000_000],
    "payout": ["equal", "table"],
    "payout_table": [[], [10_000], [5000, 5000], [6000, 3000, 1000], [100] * 100],
    "house_fee_bp": [0, 250, 10_000],
}


def test_every_column_of_the_rules_is_a_switch_with_its_default():
    assert set(SWITCHES) == set(Rules.KEYS) == set(EVERY_VALUE)
    row = Rules()
    assert check_rules({}) == {key: getattr(row, key) for key in Rules.KEYS}


def test_the_default_of_a_list_is_nobodys_own():
    check_rules({})["two_pick_rounds"].append(1)
    assert check_rules({})["two_pick_rounds"] == []


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in EVERY_VALUE.items() for value in values])
def test_every_value_is_accepted_as_it_is_and_as_text(key, value):
    default = SWITCHES[key].default
    company = {} if value == default and key != "buy_back_fee_cents" else COMPANY.get(key, {})
    assert check_rules({**company, key: value}, last_round=18)[key] == value
    assert check_rules({**company, key: shown(value)}, last_round=18)[key] == value


def test_a_list_of_rounds_is_kept_in_the_order_of_play():
    assert check_rules({"two_pick_rounds": "13, 12"})["two_pick_rounds"] == [12, 13]


def test_a_table_keeps_its_order():
    table = check_rules({"payout": "table", "payout_table": " 6000 ,3000,1000"})["payout_table"]
    assert table == [6000, 3000, 1000]


def test_a_number_with_nothing_behind_its_point_is_whole_as_everywhere_in_json():
    table = {"payout": "table", "payout_table": [6000.0, 4000.0]}
    read = check_rules({**table, "strikes": 16.0, "late_entry_until": 2.0}, last_round=18)
    assert (read["strikes"], read["late_entry_until"], read["payout_table"]) == (16, 2, [6000, 4000])
    assert [type(read["strikes"]), *map(type, read["payout_table"])] == [int, int, int]
    assert faults({"strikes": 1e300}) == {"rules.strikes": ["Must be a whole number from 0 to 20."]}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("lock", "week", "Must be one of round, game."),
        ("strikes", "x", "Must be a whole number from 0 to 20."),
        ("strikes", True, "Must be a whole number from 0 to 20."),
        ("strikes", 1.5, "Must be a whole number from 0 to 20."),
        ("strikes", -1, "Must be a whole number from 0 to 20."),
        ("strikes", 21, "Must be from 0 to 20."),
        ("strikes", None, "Must be a whole number from 0 to 20."),
        ("strikes", "٣", "Must be a whole number from 0 to 20."),
        ("tie", "draw", "Must be one of loss, win, void."),
        ("tie", None, "Must be one of loss, win, void."),
        ("tie", ["win"], "Must be one of loss, win, void."),
        ("missed_pick", "skip", "Must be one of eliminate, strike, favourite, fallback."),
        ("missed_pick_then", "fallback", "Must be one of eliminate, strike, favourite."),
        ("cancelled_game", "", "Must be one of loss, win, void, repick."),
        ("picks_per_round", 3, "Must be from 1 to 2."),
        ("picks_per_round", 0, "Must be from 1 to 2."),
        ("two_pick_rounds", "1,x", "Must be a whole number from 1 to 1000."),
        ("two_pick_rounds", [1] * 101, "Must have at most 100 items."),
        ("two_pick_rounds", {"1": 2}, "Must be a whole number from 1 to 1000."),
        ("two_pick_rounds", [0], "Must be from 1 to 1000."),
        ("reuse_limit", 0, "Must be from 1 to 100."),
        ("reuse_limit", 101, "Must be from 1 to 100."),
        ("reuse_reset_round", "never", "Must be a whole number from 1 to 1000."),
        ("all_out", "rollover", "Must be one of split, revive, tiebreak."),
        ("last_round", "revive", "Must be one of split, tiebreak."),
        ("late_entry_until", 0, "Must be from 1 to 1000."),
        ("late_entry_strikes", "perhaps", "Must be true or false."),
        ("late_entry_strikes", 1, "Must be true or false."),
        ("late_entry_strikes", None, "Must be true or false."),
        ("buy_back_until", -1, "Must be a whole number from 1 to 1000."),
        ("buy_back_limit", 101, "Must be from 0 to 100."),
        ("buy_back_fee_cents", 100_000_001, "Must be from 0 to 100000000."),
        ("payout", "winner", "Must be one of equal, table."),
        ("payout_table", [10_001], "Must be from 1 to 10000."),
        ("payout_table", [10_000, 0], "Must be from 1 to 10000."),
        ("house_fee_bp", 10_001, "Must be from 0 to 10000."),
        ("house_fee_bp", "9" * 5000, "Must be a whole number from 0 to 10000."),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(key, value, message):
    assert faults({key: value}) == {f"rules.{key}": [message]}


def test_every_switch_refuses_something_and_says_what_it_takes():
    for key, switch in SWITCHES.items():
        assert faults({key: {"no": "value"}}).keys() == {f"rules.{key}"}
        assert switch.says.endswith(".")
        assert switch.takes


def test_an_unknown_switch_is_refused_not_ignored():
    assert list(faults({"stirkes": 1})) == ["rules.stirkes"]


def test_all_faults_are_told_at_once():
    assert set(faults({"tie": "maybe", "strikes": "x", "colour": "red"})) == {
        "rules.tie",
        "rules.strikes",
        "rules.colour",
    }


def test_a_value_is_shown_as_it_is_written():
    assert [shown(value) for value in (None, [], [1, 2], True, 0, "win")] == ["none", "none", "1,2", "true", "0", "win"]
