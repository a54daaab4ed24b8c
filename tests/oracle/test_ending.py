"""Rules 24 to 28: who is alive after a round, everybody out, how a pool ends, and margins."""

import pytest

from tests.oracle import Reprieve, grade
from tests.oracle.notation import LONG_AFTER, league, pool, told
from tests.oracle.prizes import margin_of
from tests.oracle.worth import View


def fates(this, players, now=LONG_AFTER):
    return told(grade(players, this, now))


def ended(this, players, now=LONG_AFTER):
    return grade(players, this, now).ended_round


def test_a_pool_ends_with_the_first_complete_round_that_leaves_one_and_later_rounds_are_nobodys():
    this = league("A 3-1 B", "A 1-3 B", "A - B")
    players = pool(this, "A A", "B")
    assert (ended(this, players), fates(this, players)) == (1, ["winner 200", "pick_lost 1"])


def test_a_pool_ends_with_its_last_round_and_those_left_share():
    this = league("A 3-1 B", "A 3-1 B")
    players = pool(this, "A A", "A A", "A B")
    assert (ended(this, players), fates(this, players)) == (2, ["winner 150", "winner 150", "pick_lost 2"])


def test_no_pool_ends_over_a_gap():
    this = league("A - B, C 3-1 D", "A 1-3 B, C 3-1 D", "A 1-3 B")
    players = pool(this, "C A", "A C", "A C")
    assert ended(this, players) is None
    assert fates(this, players, now=250) == ["pick_lost 2", "active", "active"]
    this.games[0].report("final", 0, 1)
    assert (ended(this, players), fates(this, players)[0]) == (1, "winner 300")


def test_void_places_count_nowhere():
    this = league("A 3-1 B", "A - B")
    players = pool(this, "A", "A", "B")
    players.entries[0].is_void = True
    assert (ended(this, players), fates(this, players)) == (1, ["void", "winner 300", "pick_lost 1"])
    players.entries[1].is_void = True
    assert fates(this, players) == ["void", "void", "winner 300"]
    players.entries[2].is_void = True
    assert (ended(this, players), fates(this, players)) == (None, ["void"] * 3)


def test_split_is_among_those_who_submitted_or_all_who_fell_where_nobody_had():
    this = league("A 3-1 B", "A 1-3 B", "A - B")
    players = pool(this, "A A", "A .", "A A", "B")
    assert fates(this, players) == ["winner 200", "no_pick 2", "winner 200", "pick_lost 1"]
    nobody = pool(this, "A .", "A .", "B")
    assert fates(this, nobody) == ["winner 150", "winner 150", "pick_lost 1"]


def test_revive_costs_nobody_a_strike_and_the_pool_goes_on():
    this = league("A 1-3 B", "A 1-3 B", "A 3-1 B", "A - B")
    players = pool(this, "A A A", "A A A", "A . A", strikes=1, all_out="revive", missed_pick="eliminate")
    assert fates(this, players, now=350) == ["active/1"] * 3


def test_after_a_revived_last_round_all_of_them_win():
    this = league("A 3-1 B", "A 1-3 B")
    assert fates(this, pool(this, "A A", "A .", all_out="revive")) == ["winner 100", "winner 100"]


def test_a_latecomer_does_not_undo_a_round_that_was_revived():
    this = league("A 1-3 B", "A - B", "A - B")
    players = pool(this, "A", "A", "B", all_out="revive", late_entry_until=2)
    players.entries[2].first_round, players.entries[2].picks = 2, []
    assert fates(this, players, now=150) == ["active"] * 3
    players.books = pool(this, late_entry_until=2).books
    assert fates(this, players, now=150) == ["pick_lost 1", "pick_lost 1", "active"]


def test_tiebreak_when_all_are_out_goes_by_margin_among_those_who_submitted():
    this = league("A 9-1 B, C 3-1 D", "A 1-3 B, C 1-9 D")
    players = pool(this, "A A", "A C", "C A", "C .", all_out="tiebreak")
    # Margins: 8-2, 8-8, 2-2, and 2 of one who had not submitted.
    assert fates(this, players) == ["winner 400", "pick_lost 2", "pick_lost 2", "no_pick 2"]


def test_equal_margins_share():
    this = league("A 3-1 B, C 3-1 D", "A 1-3 B, C 1-3 D")
    assert fates(this, pool(this, "A A", "C C", all_out="tiebreak")) == ["winner 100", "winner 100"]


def test_last_round_tiebreak_takes_the_highest_margin_and_the_others_are_out_in_it():
    this = league("A 9-1 B, C 3-1 D", "A 3-1 B, C 3-1 D")
    players = pool(this, "A C", "C A", "A C", last_round="tiebreak")
    assert fates(this, players) == ["winner 150", "tiebreak 2", "winner 150"]
    assert grade(players, this, LONG_AFTER).fates[2].rules_version == 1


def test_last_round_tiebreak_has_nothing_to_say_of_an_earlier_end():
    this = league("A 9-1 B, C 3-1 D", "A 3-1 B, C - D")
    players = pool(this, "A", "B", last_round="tiebreak")
    assert fates(this, players) == ["winner 200", "pick_lost 1"]


def test_the_margin_counts_losses_below_zero_and_only_final_games_of_the_picks_round():
    this = league("A 9-1 B, C 3-1 D", "A 1-4 B, C x D", "A - B, C 9-1 D", "A 5-0 B, C - D")
    players = pool(this, "A+C A+C C A", reuse_limit=4, picks_per_round=2)
    entry, view = players.entries[0], View(players, this, LONG_AFTER)
    assert [margin_of(view, entry, number) for number in (1, 2, 3, 4)] == [10, 7, 15, 20]
    this.move(this.games[0], 2, now=LONG_AFTER)
    assert margin_of(view, entry, 4) == 12


def test_nobody_wins_before_the_lock_of_late_entry_until():
    this = league("A 3-1 B", "A 1-3 B", "A - B", "A - B")
    players = pool(this, "A A", "B", late_entry_until=3)
    assert (ended(this, players, now=299), ended(this, players, now=300)) == (None, 1)
    assert fates(this, players, now=299) == ["pick_lost 2", "pick_lost 1"]
    # The first round that left one is the end, whatever that one did meanwhile.
    assert fates(this, players, now=300) == ["winner 200", "pick_lost 1"]


def test_after_a_round_of_buying_back_nobody_wins_before_the_next_has_locked():
    this = league("A 3-1 B", "A - B", "A - B")
    players = pool(this, "A A", "B", buy_back_until=1, buy_back_limit=1)
    assert (ended(this, players, now=199), ended(this, players, now=200)) == (None, 1)
    players.entries[1].reprieves.append(Reprieve(1, 2))
    assert ended(this, players, now=200) is None
    this.games[1].report("final", 3, 1)
    assert fates(this, players, now=250) == ["winner 200", "no_pick 2"]


def test_the_last_round_ends_a_pool_whatever_windows_it_names():
    this = league("A 3-1 B", "A 3-1 B")
    assert ended(this, pool(this, "A A", "A A", buy_back_until=2, buy_back_limit=1)) == 2


@pytest.mark.parametrize("all_out", ["split", "tiebreak", "revive"])
def test_a_pool_without_anybody_ends_only_with_its_last_round_and_no_winner(all_out):
    this = league("A 3-1 B", "A - B")
    nobody = pool(this, all_out=all_out)
    assert ended(this, nobody) is None
    this.games[1].report("final", 3, 1)
    assert ended(this, nobody) == 2
