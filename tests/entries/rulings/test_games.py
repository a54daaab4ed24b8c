"""Rulings about games: what becomes of picks, and that all is as before when they are reversed."""

from datetime import timedelta

import pytest

from config.clock import database_now
from config.errors import Conflict, DomainError, Malformed, NotFound
from entries.models import Entry, Ruling
from entries.services.rulings import confirm_ruling, preview_ruling
from entries.services.settlement import settle_competition
from pools.models import Game, Pool
from pools.services.results import record_result
from tests.factories.pools import PoolFactory, finish, lock_round
from tests.support.playing import enter, play
from tests.support.ruling import fate, game_of, propose, reverse, rule, state_of

pytestmark = pytest.mark.django_db


def settle(pool):
    return settle_competition(competition_id=pool.competition_id).difference


def test_a_game_not_played_is_graded_by_the_pools_rule():
    """PIT of round 12 in 2020: moved to a Wednesday, and whoever had picked it was out in that round."""
    pool = PoolFactory(rules={"cancelled_game": "loss"})
    picked, other = enter(pool, "ANT"), enter(pool, "CAT")
    lock_round(pool.competition.rounds.get(number=1))
    game = game_of(pool, 1, "ANT")
    ruling = rule("game", game=game, verdict="not_played")
    assert fate(picked)[:4] == ("eliminated", 0, 1, "game_cancelled")
    assert fate(other)[0] == "active"
    game.refresh_from_db()
    assert (game.status, game.home_score, game.is_ruled, game.review) == ("postponed", None, True, "")
    assert ruling.difference["eliminated"] == 1
    assert ruling.difference["pools"] == {str(pool.pk): {"eliminated": 1}}


@pytest.mark.parametrize(("policy", "ends"), [("loss", "eliminated"), ("win", "active"), ("void", "active")])
def test_the_same_ruling_is_graded_by_each_pool_for_itself(policy, ends):
    first = PoolFactory(rules={"cancelled_game": policy})
    second = PoolFactory(competition=first.competition, rules={"cancelled_game": "loss"})
    here, there = enter(first, "ANT"), enter(second, "ANT")
    enter(first, "CAT"), enter(second, "CAT")
    lock_round(first.competition.rounds.get(number=1))
    rule("game", game=game_of(first, 1, "ANT"), verdict="not_played", status="cancelled")
    assert (fate(here)[0], fate(there)[0]) == (ends, "eliminated")


def test_a_game_that_stands_closes_its_review_and_counts_when_its_result_comes(moderator):
    pool = PoolFactory()
    picked = enter(pool, "ANT")
    enter(pool, "CAT")
    lock_round(pool.competition.rounds.get(number=1))
    game = game_of(pool, 1, "ANT")
    Game.objects.filter(pk=game.pk).update(status="postponed", review="The schedule has it on Tuesday now.")
    settle(pool)
    tuesday = database_now() + timedelta(days=2)
    rule("game", game=game, verdict="stands", kickoff_at=tuesday.isoformat())
    game.refresh_from_db()
    assert (game.status, game.is_ruled, game.review, game.kickoff_at) == ("scheduled", True, "", tuesday)
    assert fate(picked)[0] == "active"
    record_result(game_id=game.pk, status="final", home_score=3, away_score=6, by=None)
    settle(pool)
    assert fate(picked)[:4] == ("eliminated", 0, 1, "pick_lost")


def test_nothing_but_a_first_result_changes_what_a_ruling_decided(moderator):
    pool = PoolFactory()
    enter(pool, "ANT"), enter(pool, "CAT")
    lock_round(pool.competition.rounds.get(number=1))
    stands, off = game_of(pool, 1, "ANT"), game_of(pool, 1, "CAT")
    rule("game", game=stands, verdict="stands")
    rule("game", game=off, verdict="not_played")
    for by in (moderator, None):
        for game, status in ((stands, "cancelled"), (stands, "postponed"), (off, "scheduled")):
            with pytest.raises(Conflict) as refusal:
                record_result(game_id=game.pk, status=status, by=by)
            assert refusal.value.code == "CORRECTION_NEEDS_RULING"
        with pytest.raises(Conflict, match="is as a ruling decided"):
            record_result(game_id=off.pk, status="final", home_score=1, away_score=0, by=by)
    assert record_result(game_id=stands.pk, status="in_progress", by=None)
    assert record_result(game_id=stands.pk, status="final", home_score=1, away_score=0, by=moderator)


def test_a_moved_game_counts_in_its_new_round_and_not_in_the_old(moderator):
    pool = PoolFactory(rules={"cancelled_game": "loss"})
    early, late = enter(pool, "ANT"), enter(pool, "CAT")
    lock_round(pool.competition.rounds.get(number=1))
    game, kickoff = game_of(pool, 1, "ANT"), database_now() + timedelta(days=9)
    rule("game", game=game, verdict="moved", to_round=2, kickoff_at=kickoff.isoformat())
    game.refresh_from_db()
    assert (game.round.number, game.kickoff_at, game.status) == (2, kickoff, "scheduled")
    assert fate(early)[:4] == ("eliminated", 0, 1, "game_cancelled")
    assert fate(late)[0] == "active"


def test_a_moved_game_is_back_where_it_was_after_the_reversal():
    pool = PoolFactory(rules={"cancelled_game": "loss"})
    enter(pool, "ANT"), enter(pool, "CAT")
    lock_round(pool.competition.rounds.get(number=1))
    settle(pool)
    before = state_of(pool)
    ruling = rule(
        "game",
        game=game_of(pool, 1, "ANT"),
        verdict="moved",
        to_round=2,
        kickoff_at=(database_now() + timedelta(days=6)).isoformat(),
    )
    assert state_of(pool) != before
    reverse(ruling)
    assert state_of(pool) == before


def test_another_score_revives_eliminates_and_moves_titles_and_money():
    """Case 9: exactly those entries, and the title of a wrongly declared winner."""
    pool = PoolFactory(entry_fee_cents=5000)
    ant, bat, cat = enter(pool, "ANT"), enter(pool, "BAT"), enter(pool, "DOG")
    play(pool, 1)
    assert [fate(entry)[0] for entry in (ant, bat, cat)] == ["winner", "eliminated", "eliminated"]
    assert fate(ant)[5] == 15000
    ruling = rule("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)
    assert [fate(entry)[0] for entry in (ant, bat, cat)] == ["eliminated", "winner", "eliminated"]
    assert (fate(ant)[5], fate(bat)[5]) == (None, 15000)
    assert ruling.difference["pools"][str(pool.pk)] == {
        "eliminated": 1, "revived": 1, "winners": 1, "unseated": 1, "gained_cents": 15000, "lost_cents": 15000,
    }  # fmt: skip
    assert settle(pool).is_nothing


def test_correcting_back_restores_the_first_state_exactly():
    pool = PoolFactory(rules={"strikes": 1})
    for codes in (("ANT", "CAT"), ("BAT", "CAT"), ("BAT", "DOG"), ("CAT", "DOG"), ("DOG", "BAT")):
        enter(pool, *codes)
    play(pool, 1)
    play(pool, 2)
    before = state_of(pool)
    first = rule("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)
    changed = state_of(pool)
    assert changed["entries"] != before["entries"]
    reverse(first)
    assert state_of(pool) == before
    # The other way back: the right score said again, by a ruling of its own.
    again = rule("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)
    assert state_of(pool) == changed
    rule("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=20, away_score=10)
    assert state_of(pool)["entries"] == before["entries"]
    assert state_of(pool)["pool"] == before["pool"]
    with pytest.raises(Conflict, match="reverse it first"):
        reverse(again)


def test_a_finished_pool_is_opened_again_by_a_correction_and_finished_by_its_reversal():
    pool = PoolFactory(rules={"cancelled_game": "win"})
    enter(pool, "ANT", "CAT"), enter(pool, "BAT", "DOG")
    play(pool, 1)
    before = state_of(pool)
    assert before["pool"] == ("finished", 1)
    ruling = rule("game", game=game_of(pool, 1, "ANT"), verdict="not_played")
    assert state_of(pool)["pool"] == ("running", None)
    assert ruling.difference["pools_reopened"] == 1
    reverse(ruling)
    assert state_of(pool) == before


@pytest.mark.parametrize("verdict", ["not_played", "score", "stands"])
def test_the_preview_says_what_confirming_does_and_changes_nothing(verdict, moderator, colleague):
    pool = PoolFactory(rules={"cancelled_game": "win"})
    for codes in (("ANT",), ("BAT",), ("BAT",), ("DOG",)):
        enter(pool, *codes)
    play(pool, 1)
    said = {"score": {"home_score": 1, "away_score": 2}}.get(verdict, {})
    proposal = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict=verdict, **said)
    before = state_of(pool)
    preview = preview_ruling(ruling=proposal, by=colleague)
    assert state_of(pool) == before
    assert Ruling.objects.get(pk=proposal.pk).status == "proposed"
    told = {line.entry_id: line for line in _lines(preview)}
    confirmed = confirm_ruling(ruling=proposal, by=colleague)
    assert {k: v for k, v in confirmed.difference.items() if k in preview.tally.numbers()} == preview.tally.numbers()
    for old in before["entries"]:
        now = Entry.objects.get(pk=old["pk"])
        if (old["status"], old["prize_cents"]) == (now.status, now.prize_cents):
            assert old["pk"] not in told
        else:
            line = told.pop(old["pk"])
            assert (line.from_status, line.to_status) == (old["status"], now.status)
            assert (line.from_prize_cents, line.to_prize_cents) == (old["prize_cents"], now.prize_cents)
    assert told == {}


def _lines(preview):
    tally = preview.tally
    return [*tally.fallen, *tally.revived, *tally.titles, *tally.others]


def test_only_the_first_lines_are_listed_but_all_are_counted(moderator, colleague):
    pool = PoolFactory()
    for _ in range(5):
        enter(pool, "ANT")
    enter(pool, "BAT"), enter(pool, "CAT")
    play(pool, 1)
    proposal = propose("game", by=moderator, game=game_of(pool, 1, "ANT"), verdict="score", home_score=1, away_score=2)
    preview = preview_ruling(ruling=proposal, by=colleague, listed=2)
    assert (len(preview.tally.fallen), preview.tally.counts["fallen"], preview.tally.total.eliminated) == (2, 5, 5)


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({}, "verdict"),
        ({"verdict": "lost"}, "verdict"),
        ({"verdict": "score", "home_score": 1}, "away_score"),
        ({"verdict": "score", "home_score": -1, "away_score": 0}, "home_score"),
        ({"verdict": "score", "home_score": True, "away_score": 0}, "home_score"),
        ({"verdict": "moved"}, "to_round"),
        ({"verdict": "moved", "to_round": 99, "kickoff_at": "2099-01-01T00:00:00Z"}, "to_round"),
        ({"verdict": "moved", "to_round": 2}, "kickoff_at"),
        ({"verdict": "moved", "to_round": 2, "kickoff_at": "soon"}, "kickoff_at"),
        ({"verdict": "moved", "to_round": 2, "kickoff_at": "2099-01-01T00:00:00"}, "kickoff_at"),
        ({"verdict": "not_played", "status": "final"}, "status"),
        ({"verdict": "not_played", "home_score": 1}, "home_score"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_field(details, field):
    pool = PoolFactory()
    lock_round(pool.competition.rounds.get(number=1))
    with pytest.raises(Malformed) as refusal:
        propose("game", game=game_of(pool, 1, "ANT"), **details)
    assert list(refusal.value.details) == [f"details.{field}"]
    assert not Ruling.objects.exists()


def test_an_unknown_game_is_not_found(moderator):
    with pytest.raises(NotFound):
        propose("game", by=moderator, verdict="stands")


def test_a_score_before_the_lock_is_refused():
    with pytest.raises(Conflict, match="has not locked"):
        propose("game", game=game_of(PoolFactory(), 1, "ANT"), verdict="score", home_score=1, away_score=0)


def test_a_game_is_not_moved_into_a_round_that_has_locked():
    pool = PoolFactory()
    for number in (1, 2):
        lock_round(pool.competition.rounds.get(number=number))
    with pytest.raises(DomainError) as refusal:
        propose("game", game=game_of(pool, 1, "ANT"), verdict="moved", to_round=2, kickoff_at="2099-01-01T00:00:00Z")
    assert refusal.value.code == "DEADLINE_PASSED"


# --- The world moves on ------------------------------------------------------------------------------------------


def test_a_proposal_about_a_game_that_left_its_round_is_stale(colleague):
    pool = PoolFactory()
    game = game_of(pool, 1, "ANT")
    proposal = propose("game", game=game, verdict="not_played")
    Game.objects.filter(pk=game.pk).update(round=pool.competition.rounds.get(number=2))
    with pytest.raises(Conflict, match="is in round 2 now") as refusal:
        confirm_ruling(ruling=proposal, by=colleague)
    assert refusal.value.code == "RULING_STALE"
    assert Ruling.objects.get(pk=proposal.pk).status == "proposed"


def test_what_another_ruling_has_decided_already_is_stale(colleague):
    pool = PoolFactory()
    lock_round(pool.competition.rounds.get(number=1))
    game = game_of(pool, 1, "ANT")
    twice = [propose("game", game=game, verdict="score", home_score=1, away_score=0) for _ in range(2)]
    confirm_ruling(ruling=twice[0], by=colleague)
    with pytest.raises(Conflict, match="decided that already"):
        confirm_ruling(ruling=twice[1], by=colleague)


def test_the_reversal_of_a_game_that_changed_since_is_refused():
    pool = PoolFactory()
    lock_round(pool.competition.rounds.get(number=1))
    game = game_of(pool, 1, "ANT")
    Game.objects.filter(pk=game.pk).update(status="postponed")
    ruling = rule("game", game=game, verdict="stands")
    finish(game, 1, 0)
    with pytest.raises(Conflict, match="has changed since: status"):
        reverse(ruling)


def test_a_result_that_came_after_the_game_stood_outlives_the_reversal():
    pool = PoolFactory()
    lock_round(pool.competition.rounds.get(number=1))
    game = game_of(pool, 1, "ANT")
    ruling = rule("game", game=game, verdict="stands")
    finish(Game.objects.get(pk=game.pk), 1, 0)
    reverse(ruling)
    game.refresh_from_db()
    assert (game.status, game.home_score, game.is_ruled) == ("final", 1, False)


def test_a_pool_that_was_cancelled_is_left_alone():
    pool = PoolFactory()
    enter(pool, "ANT")
    lock_round(pool.competition.rounds.get(number=1))
    Pool.objects.filter(pk=pool.pk).update(status="cancelled")
    ruling = rule("game", game=game_of(pool, 1, "ANT"), verdict="not_played")
    assert ruling.difference == {"pools": {}}
