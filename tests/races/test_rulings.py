"""Rulings beside other rulings, settlements and players: one comes true, nothing deadlocks, no team is used twice."""

import threading
from functools import partial

import pytest
from django.db import connection, transaction
from django.urls import reverse

from config.locks import advisory_lock
from entries.models import Entry, Pick, Ruling, Settlement
from entries.queries.reveal import revealed_rounds
from entries.services.picks import save_pick
from entries.services.rulings import confirm_ruling, propose_reversal, rehearse_ruling, withdraw_ruling
from entries.services.settlement import settle_competition
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, kick_off, lock_round, play_round
from tests.support.playing import enter, play
from tests.support.ruling import fate, game_of, propose, rule
from tests.support.threads import again_and_again, codes, run_together, successes, until_somebody_waits
from tests.support.weekend import game, weekly_pool

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(db):
    """Three who run pools; their permissions are read before the race."""
    found = [ModeratorFactory() for _ in range(3)]
    for person in found:
        assert person.has_perm("entries.change_ruling")
    return found


def played_pool():
    """Round 1 is played and settled; one entry missed it, two won it."""
    pool = PoolFactory()
    missed, won, also = enter(pool), enter(pool, "ANT"), enter(pool, "CAT")
    play(pool, 1)
    return pool, missed, won, also


def correction(pool, by):
    return propose("game", by=by, game=game_of(pool, 1, "ANT"), verdict="score", home_score=0, away_score=7)


def test_two_confirmers_at_once_confirm_once(people):
    proposer, *others = people

    @again_and_again
    def race():
        pool, _, won, _ = played_pool()
        proposal = correction(pool, proposer)
        outcomes = run_together([lambda by=by: confirm_ruling(ruling=proposal, by=by) for by in others])
        assert (len(successes(outcomes)), codes(outcomes)) == (1, ["INVALID_TRANSITION"])
        assert Settlement.objects.filter(ruling=proposal).count() == 1
        assert fate(won)[0] == "eliminated"

    race()


def test_one_confirms_while_another_withdraws(people):
    proposer, *others = people
    seen = set()

    @again_and_again
    def race():
        pool, _, won, _ = played_pool()
        proposal = correction(pool, proposer)
        calls = [
            lambda: confirm_ruling(ruling=proposal, by=others[0]),
            lambda: withdraw_ruling(ruling=proposal, by=others[1]),
        ]
        outcomes = run_together(calls)
        assert (len(successes(outcomes)), codes(outcomes)) == (1, ["INVALID_TRANSITION"])
        [status] = Ruling.objects.filter(pk=proposal.pk).values_list("status", flat=True)
        assert (status, fate(won)[0]) in {("confirmed", "eliminated"), ("withdrawn", "active")}
        seen.add(status)

    race()
    assert seen


def test_two_proposals_of_the_same_at_once_come_true_once(people):
    proposer, *others = people

    @again_and_again
    def race():
        pool, *_ = played_pool()
        twice = [correction(pool, proposer) for _ in range(2)]
        calls = [lambda i=i: confirm_ruling(ruling=twice[i], by=others[i]) for i in range(2)]
        outcomes = run_together(calls)
        assert (len(successes(outcomes)), codes(outcomes)) == (1, ["RULING_STALE"])

    race()


def test_two_reversals_at_once_undo_once(people):
    proposer, *others = people

    @again_and_again
    def race():
        _pool, _, won, _ = played_pool()
        done = rule("disqualify", entry=won)
        twice = [propose_reversal(ruling=done, by=proposer, reason="No.") for _ in range(2)]
        calls = [lambda i=i: confirm_ruling(ruling=twice[i], by=others[i]) for i in range(2)]
        outcomes = run_together(calls)
        assert (len(successes(outcomes)), codes(outcomes)) == (1, ["RULING_STALE"])
        assert fate(won)[0] == "active"

    race()


def test_a_ruling_and_settlements_at_once_come_to_the_same_end(people):
    proposer, confirmer, _ = people

    @again_and_again
    def race():
        pool, missed, won, also = played_pool()
        proposal = propose("pick", by=proposer, entry=missed, round=1, teams=["ANT"])
        play_round(pool.competition.rounds.get(number=2), winners=set())
        settle = partial(settle_competition, competition_id=pool.competition_id)
        outcomes = run_together([settle, lambda: confirm_ruling(ruling=proposal, by=confirmer), settle])
        assert codes(outcomes) == []
        # All three missed round 2: nobody is left, and whoever fell in it shares.
        assert [fate(entry)[0] for entry in (missed, won, also)] == ["winner"] * 3
        assert settle_competition(competition_id=pool.competition_id).difference.is_nothing

    race()


def test_a_late_pick_and_the_players_own_for_the_next_round_never_use_a_team_twice(people):
    proposer, confirmer, _ = people
    seen = set()

    @again_and_again
    def race():
        pool = PoolFactory()
        entry = enter(pool, "BAT")
        enter(pool, "CAT")
        lock_round(pool.competition.rounds.get(number=1))
        proposal = propose("pick", by=proposer, entry=entry, round=1, teams=["ANT"])
        calls = [
            lambda: confirm_ruling(ruling=proposal, by=confirmer),
            lambda: save_pick(entry_id=entry.pk, user=entry.user, round_number=2, teams=["ANT"]),
        ]
        outcomes = run_together(calls if len(seen) % 2 else calls[::-1])
        assert codes(outcomes) in ([], ["TEAM_ALREADY_USED"])
        assert list(Pick.objects.filter(entry=entry).values_list("round__number", "team__code")) == [(1, "ANT")]
        seen.add(tuple(codes(outcomes)))

    race()


def test_players_pick_on_while_a_ruling_settles(people):
    proposer, confirmer, _ = people

    @again_and_again
    def race():
        pool = PoolFactory()
        entries = [enter(pool, "ANT") for _ in range(3)] + [enter(pool, "CAT"), enter(pool, "BAT")]
        play(pool, 1)
        proposal = correction(pool, proposer)
        saves = [
            lambda entry=entry: save_pick(entry_id=entry.pk, user=entry.user, round_number=2, teams=["DOG"])
            for entry in entries
        ]
        outcomes = run_together([lambda: confirm_ruling(ruling=proposal, by=confirmer), *saves])
        assert outcomes[0].error is None
        assert set(codes(outcomes)) <= {"ENTRY_NOT_ACTIVE", "ROUND_NOT_OPEN"}
        # DOG lost nothing yet; whoever picked it stood when it was saved, and the fates are those of round 1.
        assert [fate(entry)[0] for entry in entries] == ["eliminated"] * 3 + ["active"] * 2
        assert Entry.objects.filter(pool=pool, picks__team__code="DOG").count() == len(successes(outcomes)) - 1

    race()


@pytest.mark.parametrize("way", ["look", "confirm", "settle", "look at settling"])
def test_who_waits_for_a_settlement_keeps_no_player_from_a_pick(people, client, way):
    """A game of a round that is played for days has just begun: what reveals it holds the whole round for a moment."""
    pool = weekly_pool()
    entry = EntryFactory(in_pool=pool)
    about = {"kind": "game", "game_id": game("ANT").pk, "details": {"verdict": "not_played"}}
    proposal = propose("game", by=people[0], game=game("ANT"), verdict="not_played")
    kick_off(game("ANT"))
    revealed_rounds(pool.competition_id)
    kick_off(game("CAT"))
    client.force_login(people[1])
    settled = threading.Event()

    def settle():
        with transaction.atomic():
            advisory_lock("settle", pool.competition_id)
            settled.wait(20)

    def rule_on_it():
        wait_for_lock.wait(20)
        if way == "confirm":
            return confirm_ruling(ruling=proposal, by=people[1])
        if way == "look":
            return rehearse_ruling(by=people[1], **about)
        what = {"competition": pool.competition_id, "what": "settle" if way == "settle" else ""}
        return client.post(reverse("admin:entries_settlement_settle"), what)

    def choose():
        try:
            wait_for_lock.set()
            until_somebody_waits()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["ELK"])
        finally:
            settled.set()

    wait_for_lock = threading.Event()
    assert [outcome.error for outcome in run_together([settle, rule_on_it, choose])] == [None] * 3
