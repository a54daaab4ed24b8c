"""Disqualification and reinstatement."""

import pytest

from config.clock import database_now
from config.errors import Conflict, DomainError, Malformed, NotFound, Refused
from entries.models import Entry, PaymentStatus, Pick, Reprieve, Request
from entries.services.rulings import confirm_ruling
from entries.services.settlement import settle_competition
from pools.models import Pool
from tests.factories.pools import PoolFactory, finish, lock_round, play_round
from tests.support.playing import enter, play, void
from tests.support.ruling import fate, game_of, propose, reverse, rule, state_of

pytestmark = pytest.mark.django_db


def three_rounds(**rules):
    """A winner over three rounds, one who fell in round 2, one who fell in round 1."""
    pool = PoolFactory(rules=rules)
    winner, second, first = enter(pool, "ANT", "CAT", "BAT"), enter(pool, "CAT", "BAT"), enter(pool, "BAT")
    return pool, winner, second, first


def test_a_disqualified_entry_is_void_and_keeps_picks_and_fee():
    pool, winner, second, _ = three_rounds()
    play(pool, 1)
    rule("disqualify", entry=second)
    assert fate(second)[0] == "void"
    assert Pick.objects.filter(entry=second).count() == 2
    assert Request.objects.get(pk=second.request_id).payment_status == "completed"
    # It was one of the last two: the other one has won, and with it the fee of the one that is gone.
    assert (fate(winner)[0], fate(winner)[5]) == ("winner", 15000)


def test_a_disqualified_winner_loses_title_and_money():
    pool, winner, second, first = three_rounds()
    play(pool, 1)
    play(pool, 2)
    assert fate(winner)[5] == 15000
    before = state_of(pool)
    ruling = rule("disqualify", entry=winner)
    assert (fate(winner)[0], fate(winner)[5]) == ("void", None)
    assert (fate(second)[0], fate(second)[5]) == ("winner", 15000)
    numbers = ruling.difference["pools"][str(pool.pk)]
    assert (numbers["voided"], numbers["unseated"], numbers["winners"]) == (1, 1, 1)
    assert (numbers["lost_cents"], numbers["gained_cents"]) == (15000, 15000)
    reverse(ruling)
    assert state_of(pool) == before
    assert fate(first)[:4] == ("eliminated", 0, 1, "pick_lost")


@pytest.mark.parametrize("status", ["active", "eliminated"])
def test_a_disqualification_is_undone_without_a_trace(status):
    pool, winner, _second, first = three_rounds()
    enter(pool, "ANT", "DOG")
    enter(pool, "ANT", "CAT")
    play(pool, 1)
    before = state_of(pool)
    entry = {"active": winner, "eliminated": first}[status]
    assert fate(entry)[0] == status
    ruling = rule("disqualify", entry=entry)
    assert state_of(pool) != before
    undone = reverse(ruling)
    assert state_of(pool) == before
    assert ruling.difference["pools"] == {str(pool.pk): {"voided": 1}}
    assert undone.difference["pools"] == {str(pool.pk): {"returned": 1}}


def test_what_happened_meanwhile_counts_when_a_disqualification_is_undone():
    pool, winner, second, _ = three_rounds()
    enter(pool, "ANT", "CAT"), enter(pool, "ANT", "CAT")
    play(pool, 1)
    ruling = rule("disqualify", entry=second)
    play(pool, 2)
    reverse(ruling)
    assert fate(second)[:4] == ("eliminated", 0, 2, "pick_lost")
    assert fate(winner)[0] == "active"


def test_a_void_entry_is_not_disqualified_again():
    _pool, winner, _, _ = three_rounds()
    void(winner)
    with pytest.raises(Refused, match="is void"):
        propose("disqualify", entry=winner)


def test_a_place_whose_fee_was_given_back_does_not_return():
    _pool, winner, _, _ = three_rounds()
    ruling = rule("disqualify", entry=winner)
    Request.objects.filter(pk=winner.request_id).update(payment_status=PaymentStatus.REFUNDED)
    with pytest.raises(Conflict, match="given back"):
        reverse(ruling)


def test_a_disqualification_takes_no_details():
    _pool, winner, _, _ = three_rounds()
    with pytest.raises(Malformed):
        propose("disqualify", entry=winner, round=1)


def test_a_reinstated_entry_plays_again_from_the_next_round_that_has_not_locked():
    pool, _winner, _second, first = three_rounds()
    enter(pool, "ANT", "CAT")
    play(pool, 1)
    assert fate(first)[0] == "eliminated"
    before = state_of(pool)
    ruling = rule("reinstate", entry=first)
    assert (ruling.details, fate(first)[0]) == ({"from": 1, "resumes": 2}, "active")
    reprieve = Reprieve.objects.get(ruling=ruling)
    assert (reprieve.from_round_number, reprieve.before_round_number) == (1, 2)
    reversal = reverse(ruling)
    reprieve.refresh_from_db()
    assert reprieve.revoked_by == reversal
    assert state_of(pool) == before


def test_a_reinstated_entry_is_graded_by_the_rounds_it_plays_again():
    pool, _, _second, first = three_rounds()
    enter(pool, "ANT", "CAT")
    play(pool, 1)
    rule("reinstate", entry=first)
    play(pool, 2)
    assert fate(first)[:4] == ("eliminated", 0, 2, "no_pick")
    again = rule("reinstate", entry=first, resumes=3)
    assert (again.details, fate(first)[0]) == ({"from": 2, "resumes": 3}, "active")


def test_a_reinstatement_can_take_a_title_away():
    pool, winner, second, _ = three_rounds()
    play(pool, 1)
    play(pool, 2)
    before = state_of(pool)
    assert before["pool"] == ("finished", 2)
    ruling = rule("reinstate", entry=second)
    assert (fate(winner)[0], fate(second)[0]) == ("active", "active")
    assert Pool.objects.get(pk=pool.pk).status == "running"
    reverse(ruling)
    assert state_of(pool) == before


def test_only_an_entry_that_is_out_is_reinstated():
    pool, winner, _second, _first = three_rounds()
    play(pool, 1)
    with pytest.raises(Conflict, match="only one that is out"):
        propose("reinstate", entry=winner)
    void(winner)
    with pytest.raises(Refused, match="is void"):
        propose("reinstate", entry=winner)


def test_an_entry_that_lost_the_tiebreak_lost_no_round():
    pool = PoolFactory(last_round_number=1, rules={"last_round": "tiebreak"})
    high, low = enter(pool, "ANT"), enter(pool, "CAT")
    round_ = pool.competition.rounds.get(number=1)
    play_round(round_, winners=set())
    finish(game_of(pool, 1, "ANT"), 30, 0)
    settle_competition(competition_id=pool.competition_id)
    assert (fate(high)[0], fate(low)[3]) == ("winner", "tiebreak")
    with pytest.raises(Refused, match="lost the tiebreak"):
        propose("reinstate", entry=low)


@pytest.mark.parametrize("resumes", [1, 4, 0, "2"])
def test_it_resumes_in_a_later_round_of_the_pool(resumes):
    pool, _, _, first = three_rounds()
    play(pool, 1)
    with pytest.raises(Malformed) as refusal:
        propose("reinstate", entry=first, resumes=resumes)
    assert list(refusal.value.details) == ["details.resumes"]


def test_without_a_round_left_one_has_to_be_named():
    pool, _, _, first = three_rounds()
    play(pool, 1)
    for number in (2, 3):
        lock_round(pool.competition.rounds.get(number=number))
    with pytest.raises(Malformed, match="Every round has locked"):
        propose("reinstate", entry=first)
    assert propose("reinstate", entry=first, resumes=2).details == {"from": 1, "resumes": 2}


def test_a_reinstatement_is_stale_once_its_round_has_locked(colleague):
    pool, _, _, first = three_rounds()
    play(pool, 1)
    proposal = propose("reinstate", entry=first)
    pool.competition.games.filter(round__number=2).update(kickoff_at=database_now())
    with pytest.raises(Conflict, match="has locked since this was proposed") as refusal:
        confirm_ruling(ruling=proposal, by=colleague)
    assert refusal.value.code == "RULING_STALE"


def test_a_reinstatement_is_stale_once_the_entry_fell_elsewhere(colleague):
    pool, _, second, _first = three_rounds()
    enter(pool, "ANT", "CAT"), enter(pool, "ANT", "CAT")
    play(pool, 1)
    play(pool, 2)
    proposal = propose("reinstate", entry=second)
    assert proposal.details["from"] == 2
    rule("game", game=game_of(pool, 1, "CAT"), verdict="score", home_score=0, away_score=1)
    assert fate(second)[2] == 1
    with pytest.raises(Conflict, match="fell in round 1 by now"):
        confirm_ruling(ruling=proposal, by=colleague)


def test_a_reinstatement_of_an_entry_that_lives_by_now_is_stale(colleague):
    pool, _winner, _, first = three_rounds()
    enter(pool, "ANT", "CAT")
    play(pool, 1)
    proposal = propose("reinstate", entry=first)
    rule("game", game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=1)
    assert fate(first)[0] == "active"
    with pytest.raises(Conflict, match="only one that is out"):
        confirm_ruling(ruling=proposal, by=colleague)


@pytest.mark.parametrize("kind", ["pick", "disqualify", "reinstate"])
def test_entries_of_a_cancelled_pool_are_left_alone(kind):
    pool, _winner, _, first = three_rounds()
    play(pool, 1)
    Pool.objects.filter(pk=pool.pk).update(status="cancelled")
    details = {"pick": {"round": 1, "teams": ["DOG"]}}.get(kind, {})
    with pytest.raises(DomainError) as refusal:
        propose(kind, entry=first, **details)
    assert refusal.value.code == "POOL_CLOSED"


def test_an_unknown_entry_is_not_found(moderator):
    with pytest.raises(NotFound):
        propose("disqualify", by=moderator)
    assert not Entry.objects.exists()
