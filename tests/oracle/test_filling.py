"""Rules 17 and 20 to 23: whom a missed pick is filled in for, and with what."""

import pytest

from tests.oracle import Book, Entry, Reprieve, fill_in, fill_in_all
from tests.oracle.notation import LONG_AFTER, choose, league, pool

# Favoured at the lock: A by 9, whose game starts then; later E by 7, D by 3.5, G by 3.5 (and later).
ROUND = "A - B +9, C - D @10 +-3.5, E - F @20 +7, G - H @30 +3.5, I - J @30 +0, K - L @30"


def made(this, players, number=1, now=LONG_AFTER):
    return [(entry.id, pick.slot, pick.team, pick.source) for entry, pick in fill_in(players, this, number, now)]


def teams(this, players, number=1, now=LONG_AFTER):
    return [pick.team for _, pick in fill_in(players, this, number, now)]


def test_the_largest_favourite_that_had_not_started_at_the_lock():
    this = league(ROUND)
    players = pool(this, ".", "C", missed_pick="favourite")
    assert made(this, players) == [(1, 1, "E", "favourite")]
    assert made(this, players, now=99) == []


def test_equal_favourites_by_earlier_kickoff_then_by_the_game_first_listed():
    this = league("A - B +3, C - D @20 +3, E - F @10 +3, G - H @10 +3")
    assert teams(this, pool(this, ".", missed_pick="favourite")) == ["E"]


def test_where_every_game_kicks_off_at_the_lock_all_of_them_are_open():
    this = league("A - B +3, C - D +5")
    assert teams(this, pool(this, ".", missed_pick="favourite")) == ["C"]


def test_before_a_fixed_lock_nothing_has_started():
    this = league(ROUND)
    this.fixed_locks[1] = 90
    assert teams(this, pool(this, ".", missed_pick="favourite"), now=90) == ["A"]


@pytest.mark.parametrize("trouble", ["cancelled", "postponed"])
def test_neither_cancelled_nor_postponed_games_nor_those_without_a_favourite(trouble):
    this = league(ROUND)
    for each in this.games[2:4]:
        each.report(trouble)
    assert teams(this, pool(this, ".", missed_pick="favourite")) == ["D"]
    this.games[1].report(trouble)
    assert teams(this, pool(this, ".", missed_pick="favourite")) == []


def test_the_players_own_list_in_its_order_and_only_where_allowed():
    this = league("E - F, A - B", ROUND.replace("A - B +9", "A - M +9"))
    players = pool(this, "E .", missed_pick="fallback")
    players.entries[0].fallback = ["E", "A", "Z", "L", "D"]  # used; starts at the lock; no such team; then L
    assert made(this, players, 2) == [(1, 1, "L", "fallback")]


@pytest.mark.parametrize(("then", "expected"), [("favourite", ["E"]), ("strike", []), ("eliminate", [])])
def test_after_the_list_comes_what_missed_pick_then_says(then, expected):
    this = league(ROUND)
    players = pool(this, ".", missed_pick="fallback", missed_pick_then=then)
    players.entries[0].fallback = ["A"]
    assert teams(this, players) == expected


def test_a_team_that_plays_twice_goes_by_its_first_game_that_can_be_had():
    this = league("A - B, C - D @10 +1, E - F @20 +3, C - B @30 +9")
    favourite = pool(this, ".", missed_pick="favourite")
    listed = pool(this, ".", missed_pick="fallback")
    listed.entries[0].fallback = ["C"]
    assert teams(this, favourite) == ["E"]
    assert [pick.game for _, pick in fill_in(listed, this, 1, LONG_AFTER)] == [2]
    this.games[1].report("cancelled")
    assert teams(this, favourite) == ["C"]
    assert [pick.game for _, pick in fill_in(listed, this, 1, LONG_AFTER)] == [4]


@pytest.mark.parametrize("missed_pick", ["eliminate", "strike"])
def test_other_policies_fill_in_nothing(missed_pick):
    this = league(ROUND)
    players = pool(this, ".", missed_pick=missed_pick, missed_pick_then="favourite")
    players.entries[0].fallback = ["E"]
    assert made(this, players) == []


def test_both_picks_of_a_two_pick_round_are_filled_in_but_never_both_sides_of_a_game():
    this = league(ROUND)
    players = pool(this, ".", "F", "D+F", missed_pick="fallback", missed_pick_then="favourite", picks_per_round=2)
    for entry in players.entries:
        entry.fallback = ["C", "E", "F"]
    assert made(this, players) == [
        (1, 1, "C", "fallback"), (1, 2, "E", "fallback"), (2, 2, "C", "fallback"),
    ]  # fmt: skip


def test_only_those_who_are_still_in_and_play_the_round():
    this = league("A 3-1 B", ROUND)
    players = pool(this, "A", "B", "A", "B", "A", missed_pick="favourite")
    players.entries[2].is_void = True
    players.entries[3].reprieves.append(Reprieve(1, 3))
    players.entries[4].first_round = 3
    assert [entry for entry, *_ in made(this, players, 2)] == [1]
    players.entries[3].reprieves = [Reprieve(1, 2)]
    assert [entry for entry, *_ in made(this, players, 2)] == [1, 4]


def test_a_correction_that_revives_fills_in_for_the_rounds_since():
    this = league("A 1-3 B, C 3-1 D", ROUND, "C - D, E - F @10 +3, G - H @10 +2")
    players = pool(this, "A", "C", "C", missed_pick="favourite")
    fill_in_all(players, this, LONG_AFTER)
    assert players.entries[0].picks_of(2) == []

    this.games[0].report("final", 3, 1)
    made = fill_in_all(players, this, LONG_AFTER)

    assert [(entry.id, pick.round, pick.team) for entry, pick in made] == [(1, 2, "E"), (1, 3, "G")]


@pytest.mark.parametrize(
    ("limit", "reset", "expected"), [(1, None, ["D"]), (2, None, ["E"]), (1, 2, ["D"]), (1, 3, ["E"])]
)
def test_a_team_is_used_as_often_as_the_limit_and_the_count_starts_again(limit, reset, expected):
    """E was used before the round, or ahead for a later one: both are uses on their side of the reset."""
    this = league("E 3-1 F, C 3-1 D", ROUND, "E - F, C - D")
    players = pool(this, "E . E" if reset is None else "C . E", "C A", missed_pick="favourite")
    if (limit, reset) == (2, None):
        choose(this, players.entries[0], 3)
    players.books = [Book(missed_pick="favourite", reuse_limit=limit, reuse_reset_round=reset)]
    assert teams(this, players, 2) == expected


@pytest.mark.parametrize(("tie", "expected"), [("loss", []), ("win", ["D"]), ("void", ["E"])])
def test_a_void_pick_is_not_a_use(tie, expected):
    this = league("E 2-2 F, G 3-1 H", ROUND)
    players = pool(this, "E", "G", "G", missed_pick="favourite", tie=tie)
    assert [team for entry, _, team, _ in made(this, players, 2) if entry == 1] == expected


def test_a_team_that_plays_twice_is_filled_in_with_and_rated_by_its_first_game():
    this = league("A - B, C - D @10 +2, E - F @10 +3, C - G @20 +9")
    assert made(this, pool(this, ".", missed_pick="favourite"))[0][2] == "E"
    players = pool(this, ".", missed_pick="fallback")
    players.entries[0].fallback = ["C"]
    assert fill_in(players, this, 1, LONG_AFTER)[0][1].game == 2


def test_what_could_not_be_filled_in_at_the_first_look_stays_missing():
    this = league("E 3-1 F, C 3-1 D", "E - F @10 +3, C - D")
    players = pool(this, "E", "C C", missed_pick="favourite", tie="void")
    assert fill_in_all(players, this, LONG_AFTER) == []
    this.games[0].report("final", 2, 2)
    assert fill_in_all(players, this, LONG_AFTER) == []
    players.entries[0].tried.clear()
    assert [pick.team for _, pick in fill_in_all(players, this, LONG_AFTER)] == ["E"]


def test_the_list_is_the_one_of_the_lock():
    this = league("A - B, C - D @10, E - F @10")
    players = pool(this, ".", missed_pick="fallback")
    players.entries[0].fallback, players.entries[0].lists = ["C"], [(50, ["D"]), (100, ["E"]), (101, ["F"])]
    assert teams(this, players) == ["E"]


def test_nobody_is_filled_in_for_after_the_end():
    this = league("A 3-1 B", ROUND)
    players = pool(this, "A", "B", missed_pick="favourite")
    assert made(this, players, 2) == []
    players.entries.append(Entry(3))
    assert fill_in(players, this, 2, now=199) == []
