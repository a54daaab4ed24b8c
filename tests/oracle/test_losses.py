"""Rules 12 to 16 and 32 to 34: what a round costs, what eliminates, coming in late and coming back."""

import pytest

from tests.oracle import Book, Reprieve, grade
from tests.oracle.notation import LONG_AFTER, league, pool, told


def fates(this, players, now=LONG_AFTER):
    return told(grade(players, this, now))


ROUND = "A 3-1 B, C 2-2 D, E x F, G 3-1 H"


@pytest.mark.parametrize(
    ("picks", "code"),
    [("B+D", "pick_lost"), ("D+B", "pick_tied"), ("E+B", "game_cancelled"), ("A+D", "pick_tied")],
)
def test_the_code_is_that_of_the_lost_pick_in_the_lowest_slot(picks, code):
    this = league(ROUND, "A - B")
    players = pool(this, picks, "A+G", "A+G", picks_per_round=2)
    assert fates(this, players, now=150)[0] == f"{code} 1"


@pytest.mark.parametrize(
    ("rules", "fate"),
    [
        ({"missed_pick": "eliminate"}, "no_pick 1"),
        ({"missed_pick": "eliminate", "strikes": 2}, "no_pick 1"),
        ({"missed_pick": "favourite", "strikes": 2}, "no_pick 1"),
        ({"missed_pick": "fallback", "strikes": 2}, "no_pick 1"),
        ({"missed_pick": "fallback", "missed_pick_then": "favourite", "strikes": 2}, "no_pick 1"),
        ({"missed_pick": "fallback", "missed_pick_then": "strike"}, "pick_lost 1"),
        ({"missed_pick": "strike"}, "pick_lost 1"),
        ({"missed_pick": "strike", "strikes": 1}, "active/1"),
    ],
)
def test_a_missing_pick_that_eliminates_comes_before_a_lost_one_and_an_ordinary_one_after(rules, fate):
    this = league(ROUND, "A - B")
    players = pool(this, "B", "A+G", "A+G", picks_per_round=2, **rules)
    assert fates(this, players, now=150)[0] == fate


def test_a_missing_pick_counts_only_when_the_round_is_closed_and_has_begun():
    this = league("A - B, C 3-1 D @30", "A - B")
    players = pool(this, ".", "C", "C", lock="game")
    assert fates(this, players, now=129)[0] == "active"
    assert fates(this, players, now=130)[0] == "no_pick 1"
    this.games[1].report("scheduled")
    assert fates(this, players, now=130)[0] == "active"


def test_the_strikes_are_those_of_the_rules_of_the_round_and_the_version_is_quoted():
    this = league(*["A 1-3 B, C 3-1 D"] * 4, "A - B")
    players = pool(this, "A A A A", "C C C C", "C C C C")
    players.books = [Book(1, 1, strikes=1), Book(2, 2, strikes=3), Book(3, 4, strikes=0)]
    assert fates(this, players, now=350)[0] == "active/3"
    assert fates(this, players)[0] == "pick_lost 4/3"
    assert grade(players, this, LONG_AFTER).fates[1].rules_version == 3


def test_losses_count_in_play_order_whatever_is_still_pending_before_them():
    this = league("A - B, C 3-1 D", "A 1-3 B, C 3-1 D", "A 1-3 B, C 3-1 D", "A - B")
    players = pool(this, "A A A", "C C C", "C C C", strikes=1)
    assert fates(this, players, now=350)[0] == "pick_lost 3/1"
    this.games[0].report("final", 0, 1)
    assert fates(this, players, now=350)[0] == "pick_lost 2/1"


def test_a_void_pick_costs_nothing_and_is_not_missing():
    this = league(ROUND, "A - B")
    players = pool(this, "E+A", "A+G", picks_per_round=2, cancelled_game="void")
    assert fates(this, players, now=150) == ["active", "active"]


def test_a_latecomer_has_not_missed_the_rounds_before():
    this = league("A 3-1 B", "A 3-1 B", "A - B")
    players = pool(this, "A A", ". A", late_entry_until=2)
    players.entries[1].first_round = 2
    assert fates(this, players, now=250) == ["active", "active"]


def test_a_latecomer_may_bear_a_strike_for_each_of_them():
    this = league("A 3-1 B", "A 3-1 B", "A 3-1 B", "A 3-1 B", "A - B")
    rules = {"late_entry_until": 3, "late_entry_strikes": True}
    players = pool(this, "A A A A", "A A A A", ". . A B", **rules, strikes=2)
    players.entries[2].first_round = 3
    assert fates(this, players, now=350) == ["active", "active", "active/2"]
    assert fates(this, players, now=450) == ["active", "active", "pick_lost 4/2"]


def test_who_bought_back_keeps_its_earlier_strikes_and_plays_again_from_its_return():
    this = league(*["A 1-3 B, C 3-1 D"] * 5, "A - B")
    players = pool(this, "A A . A A", "C C C C C", "C C C C C", strikes=1, buy_back_until=2, buy_back_limit=1)
    assert fates(this, players)[0] == "pick_lost 2/1"
    players.entries[0].reprieves.append(Reprieve(2, 4))
    assert fates(this, players, now=350)[0] == "active/1"
    assert fates(this, players)[0] == "pick_lost 4/1"


def test_through_a_round_is_as_if_the_later_ones_had_not_been_looked_at():
    this = league(*["A 1-3 B, C 3-1 D"] * 3)
    players = pool(this, "C A", "A", "C C C", "C C A")
    assert told(grade(players, this, LONG_AFTER, through=1)) == ["active", "pick_lost 1", "active", "active"]
    assert told(grade(players, this, LONG_AFTER, through=2)) == ["pick_lost 2", "pick_lost 1", "active", "active"]
    assert told(grade(players, this, LONG_AFTER))[2] == "winner 400"
