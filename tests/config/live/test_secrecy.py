"""What is told live before a reveal says nothing of a pick, not even that there is one."""

import json
import threading

import pytest
from django.db import connection, connections, transaction

from entries.queries.reveal import revealed_rounds
from entries.services.picks import save_pick
from entries.services.reveal import reveal_due_rounds
from entries.tasks import reveal_due_rounds as sweep
from pools.api.events import PoolSource
from pools.models import EventKind, Game, PoolEvent
from tests.factories.pools import PoolFactory, finish, game_of, league, lock_round
from tests.support.live import heard
from tests.support.playing import enter

# Found in no other text.
SECRET = "QXZJ"
K = EventKind


def make_pool(**rules):
    return PoolFactory(competition=league(rounds=2, codes=(SECRET, "BAT", "CAT", "DOG")), rules=rules)


def without_games(snapshot: dict) -> str:
    """All of it but the games that can be picked, which name every team."""
    for each in snapshot["data"]["rounds"]:
        del each["games"]
    return json.dumps(snapshot)


def counts(snapshot: dict) -> list:
    return [[each[name] for name in ("picks_total", "missed", "alive_after")] for each in snapshot["data"]["rounds"]]


@pytest.mark.slow
def test_saving_changing_and_taking_back_picks_tells_nothing(live):
    pool = make_pool()
    with live.listen(pool) as client:
        [before] = heard(client, 1)
        entry = enter(pool, SECRET)
        save_pick(entry_id=entry.pk, round_number=1, teams=["CAT"], user=entry.user)
        save_pick(entry_id=entry.pk, round_number=1, teams=[SECRET], user=entry.user)
        with live.listen(pool) as other:
            [after] = heard(other, 1)
        with pytest.raises(TimeoutError):
            client.recv(timeout=3)

    assert not PoolEvent.objects.exists()
    assert counts(before) == counts(after) == [[None, None, None]]
    assert SECRET not in without_games(after)


@pytest.mark.slow
def test_a_lock_is_told_at_once_and_the_picks_only_when_the_last_has_landed(live):
    """A transaction that has begun before the deadline, and saves its pick while it passes."""
    pool = make_pool()
    entry = enter(pool, "CAT")
    held, go = threading.Event(), threading.Event()

    def dawdle():
        try:
            with transaction.atomic():
                save_pick(entry_id=entry.pk, round_number=1, teams=[SECRET], user=entry.user)
                held.set()
                go.wait(60)
        finally:
            connections.close_all()

    saver = threading.Thread(target=dawdle)
    with live.listen(pool) as client:
        heard(client, 1)
        saver.start()
        assert held.wait(30)
        lock_round(pool.competition.rounds.get(number=1))
        sweep()
        [locked] = heard(client, 1)
        with live.listen(pool) as late:
            [snapshot] = heard(late, 1)
        reveal_due_rounds()
        with pytest.raises(TimeoutError):
            client.recv(timeout=3)
        go.set()
        saver.join(30)
        sweep()
        [revealed] = heard(client, 1)
        with live.listen(pool) as later:
            [open_now] = heard(later, 1)

    assert (locked["kind"], revealed["kind"]) == (K.ROUND_LOCKED, K.ROUND_REVEALED)
    assert counts(snapshot)[0] == [None, None, None]
    assert SECRET not in json.dumps(locked) + without_games(snapshot)
    assert counts(open_now)[0][0] == 1


@pytest.mark.slow
def test_where_each_game_locks_for_itself_only_its_picks_are_counted(live):
    pool = make_pool(lock="game")
    enter(pool, SECRET), enter(pool, "CAT"), enter(pool, "DOG")
    first = pool.competition.rounds.get(number=1)
    game = game_of(first, SECRET)
    Game.objects.filter(pk=game.pk).update(kickoff_at=first.locks_at - (first.locks_at - game.kickoff_at))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pools_game SET kickoff_at = clock_timestamp() - interval '1 minute' WHERE id = %s", [game.pk]
        )
    revealed_rounds(pool.competition_id)

    with live.listen(pool) as client:
        [snapshot] = heard(client, 1)

    assert counts(snapshot)[0][:2] == [1, None]
    assert [each.data["home"] for each in PoolEvent.objects.filter(kind=K.GAME_LOCKED)] == [SECRET]


@pytest.mark.django_db
def test_a_snapshot_is_what_a_stranger_reads(api):
    pool = make_pool()
    enter(pool, SECRET)
    lock_round(pool.competition.rounds.get(number=1))
    revealed_rounds(pool.competition_id)
    finish(game_of(pool.competition.rounds.get(number=1), SECRET), 1, 0)

    shown = json.loads(json.dumps(PoolSource().snapshot(pool.pk).data))

    stranger = api()
    assert shown["pool"] == stranger.get(f"/api/v1/pools/{pool.pk}").json()["data"]
    rounds = {each["number"]: each for each in stranger.get(f"/api/v1/pools/{pool.pk}/rounds").json()["data"]}
    assert shown["rounds"] == [rounds[1], rounds[2]]
