"""Rules 1 to 5: when a lock has passed, and when a round is revealed, closed, begun and complete."""

import pytest

from tests.oracle import Book
from tests.oracle.notation import LONG_AFTER, choose, game, league, pool
from tests.oracle.worth import View


def view(this, now, **rules):
    return View(pool(this, **rules), this, now)


def test_a_round_locks_with_its_first_kickoff_or_its_fixed_lock_where_that_is_earlier():
    this = league("A - B @20, C - D @10")
    assert this.lock_of(1) == 110
    this.fixed_locks[1] = 105
    assert this.lock_of(1) == 105
    this.fixed_locks[1] = 115
    assert this.lock_of(1) == 110


def test_until_it_has_passed_a_lock_follows_the_games():
    this = league("A - B, C - D @10", "A - C")
    this.reschedule(game(this, 1, "A"), 130, now=50)
    assert this.lock_of(1) == 110
    this.move(game(this, 1, "C"), 2, now=50)
    assert (this.lock_of(1), this.lock_of(2)) == (130, 110)
    this.move(game(this, 1, "A"), 2, now=50)
    assert this.lock_of(1) is None


def test_once_passed_a_lock_moves_earlier_at_most():
    this = league("A - B, C - D @10", "A - C")
    first = game(this, 1, "A")
    this.reschedule(first, 150, now=100)
    assert (this.lock_of(1), first.locks_at, first.kickoff) == (100, 100, 150)
    this.move(first, 2, now=101)
    assert this.lock_of(1) == 100
    this.reschedule(game(this, 1, "C"), 90, now=101)
    assert this.lock_of(1) == 90


@pytest.mark.parametrize(("lock", "closes"), [("round", 100), ("game", 130)])
def test_a_round_closes_with_its_lock_or_with_the_last_of_its_games(lock, closes):
    this = league("A - B, C - D @30, E x F @40")
    assert not view(this, closes - 1, lock=lock).is_closed(1)
    assert view(this, closes, lock=lock).is_closed(1)


def test_a_round_all_of_whose_games_are_off_still_waits_for_its_lock():
    this = league("A x B, C p D @30")
    assert not view(this, 99, lock="game").is_complete(1)
    assert view(this, 100, lock="game").is_complete(1)


def test_a_round_has_begun_with_one_outcome_and_is_complete_with_all():
    this = league("A - B, C - D @30, E - F @30")
    assert not view(this, 140).has_begun(1)
    game(this, 1, "C").report("postponed")
    assert (view(this, 99).has_begun(1), view(this, 140).has_begun(1)) == (False, True)
    game(this, 1, "A").report("in_progress")
    game(this, 1, "E").report("final", 1, 0)
    assert not view(this, 140).is_complete(1)
    game(this, 1, "A").report("cancelled")
    assert view(this, 140).is_complete(1)


def test_a_round_whose_games_have_all_left_is_complete_without_ever_having_begun():
    this = league("A - B", "C - D")
    this.move(game(this, 1, "A"), 2, now=100)
    assert (view(this, 100).is_complete(1), view(this, 100).has_begun(1)) == (True, False)


def test_a_round_that_never_had_a_lock_is_never_closed():
    this = league("", "A 1-0 B")
    assert not view(this, LONG_AFTER).is_closed(1)


def test_a_fixed_lock_reveals_the_round_under_both_policies_but_fixes_no_pick_under_lock_game():
    this = league("A x B @10, C - D @30")
    this.fixed_locks[1] = 100
    for lock in ("round", "game"):
        assert (view(this, 99, lock=lock).is_revealed(1), view(this, 100, lock=lock).is_revealed(1)) == (False, True)
    players = pool(this, "A", lock="game")
    assert View(players, this, 109).worth_of(players.entries[0].picks[0]).result == "pending"
    assert View(players, this, 110).worth_of(players.entries[0].picks[0]).result == "lost"


def test_under_lock_game_a_pick_whose_game_has_left_is_looked_at_when_the_round_closes():
    this = league("A - B @5, C - D @30, E - F", "A - C")
    players = pool(this, "A", lock="game")
    this.move(game(this, 1, "A"), 2, now=50)
    pick = players.entries[0].picks[0]
    assert View(players, this, 129).worth_of(pick).result == "pending"
    assert View(players, this, 130).worth_of(pick).code == "game_cancelled"


def test_a_round_is_governed_by_the_newest_version_that_is_effective_by_then():
    players = pool(league("A - B", "A - B", "A - B"))
    players.books = [Book(1, 1), Book(2, 3, strikes=1), Book(3, 2, strikes=2)]
    assert [players.book_of(number).version for number in (1, 2, 3)] == [1, 3, 3]


@pytest.mark.parametrize(("policy", "result"), [("loss", "lost"), ("win", "won"), ("void", "void"), ("repick", "void")])
@pytest.mark.parametrize("trouble", ["cancelled", "postponed", "moved", "moved and played"])
def test_a_game_that_is_not_played_in_its_round_goes_by_cancelled_game(trouble, policy, result):
    this = league("A - B, C - D", "E - F")
    players = pool(this, "A", cancelled_game=policy)
    troubled = game(this, 1, "A")
    if trouble.startswith("moved"):
        this.move(troubled, 2, now=100)
        troubled.report("final" if "played" in trouble else "scheduled", 1, 0)
    else:
        troubled.report(trouble)
    worth = View(players, this, 100).worth_of(players.entries[0].picks[0])
    assert (worth.result, worth.code) == (result, "game_cancelled" if result == "lost" else "")


def test_a_pick_that_can_still_be_changed_is_worth_nothing_yet():
    this = league("A x B, C - D")
    players = pool(this)
    players.entries.append(pool(this, "A").entries[0])
    choose(this, players.entries[0], 1, "A")
    assert View(players, this, 99).worth_of(players.entries[0].picks[0]).result == "pending"
