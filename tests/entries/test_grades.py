"""The result that people read beside a pick, under every rule that decides it, and which rounds an entry played."""

import pytest

from entries.models import Reprieve, Ruling
from entries.queries.picks import picks_of
from pools.models import Game, GameStatus, Round
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, finish, game_of, league, lock_round
from tests.support.calls import call
from tests.support.playing import enter

CODES = ("ANT", "BAT", "CAT", "DOG")


def entry_under(*codes, **rules):
    return enter(PoolFactory(competition=league(rounds=4, codes=CODES), rules=rules), *codes)


def results(entry) -> list[tuple[int, str]]:
    return [(line.round, line.result) for line in picks_of(entry, viewer_id=entry.user_id)]


def round_(number=1) -> Round:
    return Round.objects.get(number=number)


def status(code, to, **fields) -> None:
    Game.objects.filter(pk=game_of(round_(), code).pk).update(status=to, **fields)


@pytest.mark.parametrize(("score", "result"), [((3, 0), "won"), ((0, 3), "lost")])
def test_a_final_game_is_won_or_lost(db, score, result):
    entry = entry_under("ANT")
    lock_round(round_())
    finish(game_of(round_(), "ANT"), *score)

    assert results(entry) == [(1, result)]


@pytest.mark.parametrize(("tie", "result"), [("loss", "tied"), ("win", "tied"), ("void", "void")])
def test_a_tie_is_told_as_such_unless_it_counts_for_nothing(db, tie, result):
    entry = entry_under("ANT", tie=tie)
    lock_round(round_())
    finish(game_of(round_(), "ANT"), 0, 0)

    assert results(entry) == [(1, result)]


RULED = [("loss", "lost"), ("win", "won"), ("void", "void"), ("repick", "void")]


@pytest.mark.parametrize("off", [GameStatus.CANCELLED, GameStatus.POSTPONED])
@pytest.mark.parametrize(("rule", "result"), RULED)
def test_a_game_that_is_off_is_what_the_rules_make_of_it(db, rule, result, off):
    entry = entry_under("ANT", cancelled_game=rule)
    lock_round(round_())
    status("ANT", off)

    assert results(entry) == [(1, result)]


@pytest.mark.parametrize(("rule", "result"), RULED)
def test_a_game_that_has_left_the_round_is_not_judged_by_its_score(db, rule, result):
    entry = entry_under("ANT", cancelled_game=rule)
    lock_round(round_())
    game = finish(game_of(round_(), "ANT"), 0, 9)
    Game.objects.filter(pk=game.pk).update(round=round_(2))

    assert results(entry)[0] == (1, result)


@pytest.mark.parametrize("now", [GameStatus.SCHEDULED, GameStatus.IN_PROGRESS])
def test_everything_else_is_pending(db, now):
    entry = entry_under("ANT")
    lock_round(round_())
    status("ANT", now, home_score=7, away_score=0)

    assert results(entry) == [(1, "pending")]


def test_what_has_not_locked_is_pending_whatever_its_game(db):
    entry = entry_under("ANT")
    status("ANT", GameStatus.CANCELLED)

    assert results(entry) == [(1, "pending")]


def test_all_doors_tell_the_same_result(api, db):
    entry = entry_under("ANT", tie="void")
    lock_round(round_())
    finish(game_of(round_(), "ANT"), 1, 1)
    pool = f"/pools/{entry.pool_id}"

    told = [
        call(api(entry.user), "GET", f"/entries/{entry.pk}/picks")[1][0]["result"],
        call(api(), "GET", f"{pool}/standings")[1][0]["picks"][0]["result"],
        call(api(), "GET", f"{pool}/rounds/1/distribution")[1][0]["result"],
        call(api(), "GET", f"{pool}/rounds/1/report.json")[1]["entries"][0]["result"],
    ]

    assert told == ["void"] * 4


# --- Which rounds an entry played -------------------------------------------------------------------------------


def test_a_late_entry_has_missed_nothing_of_what_was_before_it(api, db):
    pool = PoolFactory(competition=league(rounds=4, codes=CODES))
    late = EntryFactory(in_pool=pool, first_round_number=2)
    lock_round(round_(1)), lock_round(round_(2))

    assert results(late) == [(2, "missed")]
    assert call(api(), "GET", f"/pools/{pool.pk}/rounds/1/report.json")[1]["entries"] == []
    assert len(call(api(), "GET", f"/pools/{pool.pk}/rounds/2/report.json")[1]["entries"]) == 1


def test_a_late_entry_cannot_pick_for_a_round_before_its_first(api, db):
    late = EntryFactory(in_pool=PoolFactory(), first_round_number=2)

    path = f"/entries/{late.pk}/picks"
    assert call(api(late.user), "PUT", f"{path}/1", {"team": "ANT"}) == (422, "ROUND_NOT_OPEN")
    assert call(api(late.user), "PUT", f"{path}/2", {"team": "ANT"})[0] == 200


def test_an_entry_that_came_back_has_not_missed_the_rounds_it_sat_out(api, db):
    entry = entry_under("BAT", "ANT")
    ruling = Ruling.objects.create(
        kind="reinstate", competition=entry.pool.competition, pool=entry.pool, entry=entry, reason="a wrong score",
        proposed_by=ModeratorFactory(),
    )  # fmt: skip
    Reprieve.objects.create(entry=entry, ruling=ruling, from_round_number=1, before_round_number=4)
    for number in (1, 2, 3, 4):
        lock_round(round_(number))

    assert results(entry) == [(1, "pending"), (4, "missed")]
    assert call(api(entry.user), "GET", f"/entries/{entry.pk}")[1]["teams_used"] == ["BAT"]
    lines = [
        call(api(), "GET", f"/pools/{entry.pool_id}/rounds/{number}/report.json")[1]["entries"] for number in (1, 2, 4)
    ]
    assert [len(entries) for entries in lines] == [1, 0, 1]
