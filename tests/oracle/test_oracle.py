"""The cases any grader must pass, with their numbers; so that the oracle is trusted by reading."""

import copy

import pytest

from tests.oracle import Reprieve, grade, taken_back, worth_of
from tests.oracle.notation import LONG_AFTER, choose, game, league, pool, told


def fates(this, players, now=LONG_AFTER):
    return told(grade(players, this, now))


def test_case_1_who_won_is_in_and_who_lost_stays_out():
    this = league("A 3-1 C, B 3-1 D", "A 3-1 D, B 1-3 C", "A - C, B - D")
    players = pool(this, "A D", "B B", "B A", "A A", reuse_limit=9)
    choose(this, players.entries[0], 2, "A")
    choose(this, players.entries[1], 2, "B")
    assert fates(this, players, now=200) == ["active", "pick_lost 2", "active", "active"]
    assert fates(this, players, now=300) == ["active", "pick_lost 2", "active", "active"]


@pytest.mark.parametrize(
    ("all_out", "expected"),
    [
        ("split", ["winner 15"] * 4),
        ("revive", ["active"] * 4),
        ("tiebreak", ["winner 60"] + ["pick_lost 1"] * 3),
    ],
)
def test_case_2_all_out_in_one_round_goes_by_the_rule(all_out, expected):
    this = league("A 1-3 C, B 0-9 D", "A - C, B - D")
    players = pool(this, "A", "B", "B", "B", fee=15, all_out=all_out)
    assert fates(this, players, now=150) == expected


@pytest.mark.parametrize(
    ("tie", "fate", "worth"), [("loss", "pick_tied 1", "lost"), ("win", "active", "won"), ("void", "active", "void")]
)
def test_case_3_a_tie_goes_by_the_rule(tie, fate, worth):
    this = league("A 2-2 B, C 3-1 D", "A - B, C - D")
    players = pool(this, "A", "C", "C", tie=tie, strikes=0)
    assert fates(this, players) == [fate, "active", "active"]
    assert worth_of(players, this, players.entries[0].picks[0], LONG_AFTER).result == worth


@pytest.mark.parametrize(
    ("missed_pick", "strikes", "fate"),
    [("eliminate", 1, "no_pick 1"), ("strike", 1, "active/1"), ("strike", 0, "no_pick 1")],
)
def test_case_4_no_pick_goes_by_the_rule(missed_pick, strikes, fate):
    this = league("A 3-1 B", "A - B")
    players = pool(this, ".", "A", "A", missed_pick=missed_pick, strikes=strikes)
    assert fates(this, players) == [fate, "active", "active"]


@pytest.mark.parametrize(
    ("results", "fate"),
    [
        ("W L L L", "pick_lost 4/2"),
        ("W L L W L", "pick_lost 5/2"),
        ("W L W W L L", "pick_lost 6/2"),
        ("L L L W W W", "pick_lost 3/2"),
    ],
)
def test_case_5_two_strikes(results, fate):
    rounds = ["A 3-1 B" if result == "W" else "A 1-3 B" for result in results.split()]
    this = league(*rounds, "A - B")
    # Two others win every round by whatever side wins, so that the pool goes on.
    winner = " ".join("A" if result == "W" else "B" for result in results.split())
    players = pool(this, " ".join("A" * len(rounds)), winner, winner, strikes=2)
    assert fates(this, players)[0] == fate


def test_case_6_eliminations_show_before_monday_but_no_winner_and_no_all_out_rule():
    this = league("A 3-1 B, C - D @80", "A - B, C - D")
    players = pool(this, "B", "B", "A", all_out="revive")
    assert fates(this, players, now=190) == ["pick_lost 1", "pick_lost 1", "active"]
    everybody = pool(this, "B", "B", all_out="revive")
    assert fates(this, everybody, now=190) == ["pick_lost 1", "pick_lost 1"]

    game(this, 1, "C").report("final", 1, 0)

    assert fates(this, players, now=190) == ["pick_lost 1", "pick_lost 1", "winner 300"]
    assert fates(this, everybody, now=190) == ["active", "active"]


def test_case_7_the_last_two_entries_may_be_one_players_and_play_on():
    this = league("A 3-1 B, C 3-1 D", "A 3-1 B, C - D")
    players = pool(this, "A", "C", "B")
    assert fates(this, players, now=150) == ["active", "active", "pick_lost 1"]


def test_case_8_asking_twice_says_the_same():
    this = league("A 3-1 B, C 3-1 D", "A 3-1 B, C 1-3 D")
    players = pool(this, "A C", "C A", "B")
    first = grade(players, this, LONG_AFTER)
    assert grade(copy.deepcopy(players), copy.deepcopy(this), LONG_AFTER) == first == grade(players, this, LONG_AFTER)


def test_case_9_a_correction_revives_exactly_those_and_takes_the_title_away_again():
    this = league("A 3-1 B, C 3-1 D", "A - B, C - D")
    players = pool(this, "B", "A", "D", "D")
    assert fates(this, players) == ["pick_lost 1", "winner 400", "pick_lost 1", "pick_lost 1"]

    game(this, 1, "C").report("final", 1, 3)
    assert fates(this, players) == ["pick_lost 1", "active", "active", "active"]

    game(this, 1, "C").report("final", 3, 1)
    assert fates(this, players) == ["pick_lost 1", "winner 400", "pick_lost 1", "pick_lost 1"]


def test_case_10_what_is_not_final_with_scores_is_pending_and_a_moved_game_is_never_a_tie():
    this = league("A - B, C 3-1 D", "A - C, B - D")
    players = pool(this, "A", "C", "C", tie="win", cancelled_game="loss")
    assert fates(this, players, now=150) == ["active"] * 3

    moved = game(this, 1, "A")
    this.reschedule(moved, 220, now=150)
    this.move(moved, 2, now=150)
    moved.report("final", 0, 0)

    assert fates(this, players, now=150) == ["game_cancelled 1", "active", "active"]


@pytest.mark.parametrize(("picks", "fate"), [("A+C", "active"), ("A+D", "active/1"), ("B+D", "active/1")])
def test_case_11_a_two_pick_round_costs_one_loss_at_most(picks, fate):
    this = league("A 3-1 B, C 3-1 D", "A - B, C - D")
    players = pool(this, picks, "A+C", "A+C", two_pick_rounds=(1,), strikes=1)
    assert fates(this, players)[0] == fate


def test_case_12_at_the_lock_a_pick_is_fixed_and_a_fixed_lock_never_keeps_a_kickoff_open():
    this = league("A x B, C - D")
    players = pool(this, "A", cancelled_game="repick")
    assert len(taken_back(players, this, now=99)) == 1
    assert taken_back(players, this, now=100) == []

    this.fixed_locks[1] = 90
    assert taken_back(players, this, now=90) == []
    this.fixed_locks[1] = 110
    assert taken_back(players, this, now=100) == []


def test_case_13_both_entries_of_a_player_may_use_one_team():
    this = league("A 3-1 B", "A - B")
    assert fates(this, pool(this, "A", "A")) == ["active", "active"]


def test_case_15_a_pick_ahead_is_worth_nothing_once_its_entry_is_out():
    this = league("A 1-3 B, C 3-1 D", "C 3-1 D", "A - B, C - D")
    players = pool(this, "A C", "B C", "C C", reuse_limit=2)
    assert fates(this, players) == ["pick_lost 1", "active", "active"]


def test_case_17_under_lock_game_each_pick_is_looked_at_from_its_own_kickoff():
    this = league("A 1-3 B, C 1-3 D @30", "A - B, C - D")
    players = pool(this, "A", "C", "B", "B", lock="game")
    assert fates(this, players, now=99) == ["active"] * 4
    assert fates(this, players, now=100) == ["pick_lost 1", "active", "active", "active"]
    assert fates(this, players, now=130) == ["pick_lost 1", "pick_lost 1", "active", "active"]


def test_a_reinstatement_spares_what_it_covers_and_nothing_else():
    this = league("A 1-3 B, C 3-1 D", "A 3-1 B, C 3-1 D", "A 1-3 B, C 3-1 D", "A - B")
    players = pool(this, "A . A", "C C C", "C C C")
    players.entries[0].reprieves.append(Reprieve(1, 3))
    assert fates(this, players, now=250) == ["active"] * 3
    assert fates(this, players, now=350) == ["pick_lost 3", "active", "active"]
    players.entries[0].reprieves[0].is_revoked = True
    assert fates(this, players, now=350) == ["pick_lost 1", "active", "active"]
