"""Importing entries into pools with other switches: two picks, used teams, late picks, games that lock alone."""

from datetime import timedelta

import pytest

from entries.models import Entry, Pick
from entries.services.imports import RowFile, import_entries
from entries.services.picks import save_pick
from pools.models import Game, GameStatus, Round
from tests.factories.pools import PoolFactory, finish, game_of, kick_off, league, lock_round

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


@pytest.fixture
def bring(db, tmp_path):
    """Import these lines into the pool."""

    def run(pool, *lines: str):
        path = tmp_path / "picks.csv"
        path.write_text("".join(f"{line}\n" for line in ("entry,owner,round,team", *lines)), encoding="utf-8")
        return import_entries(pool=pool, rows=RowFile(path))

    return run


def pool_under(**rules):
    return PoolFactory(competition=league(rounds=4, codes=CODES), rules=rules)


def refusals(result) -> dict[int, str]:
    return {refusal.line: refusal.reason for refusal in result.refused}


def picks(reference="7-1") -> list[tuple[int, int, str]]:
    found = Pick.objects.filter(entry__reference=reference).order_by("round__number", "slot")
    return list(found.values_list("round__number", "slot", "team__code"))


def round_(number=1) -> Round:
    return Round.objects.get(number=number)


# --- Two picks --------------------------------------------------------------------------------------------------


def test_a_two_pick_round_takes_two_lines_in_the_order_of_the_file(bring):
    pool = pool_under(two_pick_rounds=[1])

    result = bring(pool, "7-1,Ada,1,CAT", "7-1,Ada,1,ANT", "7-1,Ada,2,BAT")

    assert result.refused == []
    assert picks() == [(1, 1, "CAT"), (1, 2, "ANT"), (2, 1, "BAT")]


def test_a_third_line_and_a_team_twice_are_refused(bring):
    pool = pool_under(picks_per_round=2, reuse_limit=2)
    lines = ("7-1,Ada,1,CAT", "7-1,Ada,1,CAT", "7-1,Ada,1,ANT", "7-1,Ada,1,ELK")
    expected = {
        3: "CAT is picked already by this entry for round 1",
        5: "third pick of this entry for round 1",
    }

    assert refusals(bring(pool, *lines)) == expected
    assert picks() == [(1, 1, "CAT"), (1, 2, "ANT")]
    again = bring(pool, *lines)
    assert (again.picks, again.unchanged, refusals(again)) == (0, 2, expected)


def test_a_second_pick_takes_the_slot_that_is_free(bring):
    pool = pool_under(picks_per_round=2)
    bring(pool, "7-1,Ada,1,CAT", "7-1,Ada,1,ANT")
    Pick.objects.filter(slot=1).delete()

    assert bring(pool, "7-1,Ada,1,ELK").picks == 1
    assert picks() == [(1, 1, "ELK"), (1, 2, "ANT")]


# --- Used teams -------------------------------------------------------------------------------------------------


def test_a_team_lands_as_often_as_it_may_be_used_earlier_rounds_first(bring):
    pool = pool_under(reuse_limit=2)

    result = bring(pool, "7-1,Ada,4,ANT", "7-1,Ada,3,ANT", "7-1,Ada,1,ANT")

    assert refusals(result) == {2: "ANT is used already by this entry"}
    assert [number for number, _, _ in picks()] == [1, 3]


def test_the_count_begins_again_at_the_reset_round(bring):
    pool = pool_under(reuse_reset_round=3)

    result = bring(pool, "7-1,Ada,1,ANT", "7-1,Ada,2,ANT", "7-1,Ada,3,ANT", "7-1,Ada,4,ANT")

    assert sorted(refusals(result)) == [3, 5]
    assert [number for number, _, _ in picks()] == [1, 3]


def test_uses_that_stand_here_count_with_those_of_the_file(bring):
    pool = pool_under(reuse_limit=2)
    bring(pool, "7-1,Ada,1,ANT")
    entry = Entry.objects.select_related("user").get()
    save_pick(entry_id=entry.pk, user=entry.user, round_number=2, teams=["ANT"])

    assert refusals(bring(pool, "7-1,Ada,1,ANT", "7-1,Ada,3,ANT")) == {3: "ANT is used already by this entry"}


@pytest.mark.parametrize(("tie", "landed"), [("void", 2), ("loss", 1), ("win", 1)])
def test_a_void_pick_is_no_use(bring, tie, landed):
    pool = pool_under(tie=tie)
    lock_round(round_(1))
    finish(game_of(round_(1), "ANT"), 7, 7)

    assert bring(pool, "7-1,Ada,1,ANT", "7-1,Ada,2,ANT").picks == landed


def test_a_void_pick_lands_beside_the_use_that_came_after_it_whatever_the_order(bring):
    pool = pool_under(cancelled_game="void")
    for number in (1, 2, 3):
        lock_round(round_(number))
    Game.objects.filter(pk=game_of(round_(2), "ANT").pk).update(status=GameStatus.CANCELLED)

    assert bring(pool, "7-1,Ada,3,ANT", "7-1,Ada,2,ANT").refused == []
    assert [number for number, _, _ in picks()] == [2, 3]


# --- Late picks -------------------------------------------------------------------------------------------------

LATE = "round 1 has locked: a late pick takes a ruling"


def test_an_entry_that_plays_here_gets_no_late_pick(bring):
    pool = pool_under()
    bring(pool, "7-1,Ada,2,ANT")
    lock_round(round_(1))

    result = bring(pool, "7-1,Ada,1,BAT", "7-1,Ada,2,ANT", "7-1,Ada,3,CAT", "7-2,Ada,1,BAT")

    assert refusals(result) == {2: LATE}
    assert (picks(), picks("7-2")) == ([(2, 1, "ANT"), (3, 1, "CAT")], [(1, 1, "BAT")])


def test_what_stands_in_a_locked_round_is_no_fault(bring):
    pool = pool_under()
    lock_round(round_(1))
    bring(pool, "7-1,Ada,1,ANT")

    again = bring(pool, "7-1,Ada,1,ANT", "7-1,Ada,1,BAT")

    assert (again.unchanged, refusals(again)) == (1, {3: "second pick of this entry for round 1"})


def test_a_second_pick_of_a_locked_round_is_late_too(bring):
    pool = pool_under(picks_per_round=2)
    bring(pool, "7-1,Ada,1,ANT")
    lock_round(round_(1))

    assert refusals(bring(pool, "7-1,Ada,1,ANT", "7-1,Ada,1,CAT")) == {3: LATE}


def test_where_each_game_locks_for_itself_its_own_lock_counts(bring):
    pool = pool_under(lock="game", picks_per_round=2)
    bring(pool, "7-1,Ada,2,ANT", "8-1,Bob,2,ANT")
    kick_off(game_of(round_(1), "ANT"))
    kick_off(game_of(round_(1), "CAT"), ahead=timedelta(days=1))

    result = bring(pool, "7-1,Ada,1,BAT", "8-1,Bob,1,CAT")

    assert refusals(result) == {2: LATE}
    assert picks("8-1") == [(1, 1, "CAT"), (2, 1, "ANT")]
