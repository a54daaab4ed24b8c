"""What is told of a pool: each thing once, numbered without a gap in the order of commits, and never changed."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from config.clock import database_now
from entries.queries.reveal import revealed_rounds
from pools.models import EventKind, Game, GameStatus, Pool, PoolEvent, PoolEventCount, PoolStatus, Round
from pools.services.pools import close_pool, start_due_pools
from pools.services.telling import forget_old_events, tell_locks
from tests.factories.pools import PoolFactory, finish, game_of, lock_round
from tests.support.threads import again_and_again, run_together
from tests.support.told import kinds, number_now, told

K = EventKind


@pytest.fixture
def pool(db):
    return PoolFactory()


def reveal(pool: Pool) -> None:
    revealed_rounds(pool.competition_id)


def first(pool: Pool) -> Round:
    return pool.competition.rounds.get(number=1)


def facts(game: Game, **more):
    return {"round": game.round.number, "game": game.pk, "home": game.home.code, "away": game.away.code, **more}


def test_a_lock_is_told_before_its_picks_may_be_shown(pool):
    lock_round(first(pool))

    tell_locks()
    tell_locks()
    before = kinds(pool)
    reveal(pool)
    reveal(pool)

    assert (before, kinds(pool)) == ([K.ROUND_LOCKED], [K.ROUND_LOCKED, K.ROUND_REVEALED])


def test_a_lock_that_nobody_noticed_is_told_with_the_reveal(pool):
    round_ = first(pool)
    lock_round(round_)

    reveal(pool)

    locks_at = round_.locks_at.replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told(pool) == [
        (K.ROUND_LOCKED, {"round": 1, "locks_at": locks_at}),
        (K.ROUND_REVEALED, {"round": 1}),
    ]


@pytest.mark.parametrize(
    ("start", "end", "kind"),
    [
        (("scheduled", None, None), ("final", 3, 1), K.GAME_FINAL),
        (("in_progress", 1, 1), ("final", 0, 0), K.GAME_FINAL),
        (("postponed", None, None), ("final", 3, 1), K.GAME_FINAL),
        (("final", 3, 1), ("final", 1, 3), K.GAME_CORRECTED),
        (("final", 3, 1), ("cancelled", None, None), K.GAME_CORRECTED),
        (("scheduled", None, None), ("postponed", None, None), K.GAME_CALLED_OFF),
        (("postponed", None, None), ("scheduled", None, None), K.GAME_BACK_ON),
    ],
)
def test_what_becomes_of_a_game_is_told(pool, start, end, kind):
    game = game_of(first(pool), "ANT")
    Game.objects.filter(pk=game.pk).update(**dict(zip(("status", "home_score", "away_score"), start, strict=True)))
    before = len(told(pool))

    Game.objects.filter(pk=game.pk).update(**dict(zip(("status", "home_score", "away_score"), end, strict=True)))

    status, home_score, away_score = end
    expected = facts(game, status=status, home_score=home_score, away_score=away_score)
    assert told(pool)[before:] == [(kind, expected)]


def test_a_score_on_the_way_and_a_kickoff_are_no_news(pool):
    game = game_of(first(pool), "ANT")
    game.status, game.home_score, game.away_score = GameStatus.IN_PROGRESS, 1, 0
    game.save()
    game.kickoff_at += timedelta(minutes=5)
    game.save()

    assert told(pool) == []


def test_only_pools_that_play_the_round_are_told(pool):
    others = {
        "draft": PoolFactory(competition=pool.competition, status=PoolStatus.DRAFT),
        "later": PoolFactory(competition=pool.competition, first_round_number=2),
        "cancelled": PoolFactory(competition=pool.competition, status=PoolStatus.CANCELLED),
        "elsewhere": PoolFactory(),
        "ended before": PoolFactory(
            competition=pool.competition, status=PoolStatus.FINISHED, ended_round_number=1, first_round_number=1
        ),
    }
    second = pool.competition.rounds.get(number=2)

    finish(game_of(first(pool), "ANT"), 1, 0)
    finish(game_of(second, "ANT"), 1, 0)

    assert kinds(pool) == [K.GAME_FINAL, K.GAME_FINAL]
    assert {name: len(told(other)) for name, other in others.items()} == {
        "draft": 0, "later": 1, "cancelled": 0, "elsewhere": 0, "ended before": 1,
    }  # fmt: skip


def test_where_each_game_locks_for_itself_each_is_told(pool):
    by_game = PoolFactory(competition=pool.competition, rules={"lock": "game"})
    lock_round(first(pool))

    reveal(pool)

    games = [data["home"] for kind, data in told(by_game) if kind == K.GAME_LOCKED]
    assert sorted(games) == ["ANT", "CAT"]
    assert K.GAME_LOCKED not in kinds(pool)


def test_beginning_and_cancellation_are_told(pool):
    lock_round(first(pool))
    start_due_pools(database_now())
    close_pool(pool=pool, by=None, reason="No ground to play on.")

    assert told(pool) == [
        (K.POOL_STARTED, {"status": "running", "round": None}),
        (K.POOL_CANCELLED, {"status": "cancelled", "round": None}),
    ]


def test_a_draft_that_is_published_has_nobody_to_tell(db):
    pool = PoolFactory(status=PoolStatus.DRAFT)
    pool.status = PoolStatus.OPEN
    pool.save(update_fields=["status"])

    assert told(pool) == []


# --- Numbers --------------------------------------------------------------------------------------------------------


def test_nobody_brings_a_number_along(pool):
    event = PoolEvent.objects.create(pool=pool, kind=K.ROUND_LOCKED, data={}, number=77, at=database_now())

    event.refresh_from_db()
    assert (event.number, event.at) == (None, None)


@pytest.mark.django_db(transaction=True)
@again_and_again
def test_whoever_has_seen_a_number_never_finds_a_lower_one_appear():
    """Ids drawn early and committed late: the numbers follow the commits."""
    pool = PoolFactory()
    seen: list[list[int]] = []

    def tell(slow: bool):
        def work():
            for _ in range(10):
                with transaction.atomic():
                    PoolEvent.objects.create(pool=pool, kind=K.ROUND_REVEALED, data={})
                    if slow:
                        with connection.cursor() as cursor:
                            cursor.execute("SELECT pg_sleep(0.01)")

        return work

    def watch():
        while not seen or len(seen[-1]) < 50:
            seen.append(list(PoolEvent.objects.filter(pool=pool).order_by("number").values_list("number", flat=True)))

    outcomes = run_together([tell(True), tell(False), tell(True), tell(False), tell(True), watch])

    assert [outcome.error for outcome in outcomes] == [None] * 6
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen)


@pytest.mark.django_db(transaction=True)
def test_what_is_undone_leaves_no_gap():
    pool = PoolFactory()
    with transaction.atomic():
        PoolEvent.objects.create(pool=pool, kind=K.ROUND_REVEALED, data={})
        number_now()
        transaction.set_rollback(True)
    PoolEvent.objects.create(pool=pool, kind=K.ROUND_REVEALED, data={})

    assert list(PoolEvent.objects.values_list("number", flat=True)) == [1]


@pytest.mark.django_db(transaction=True)
@again_and_again
def test_transactions_over_the_same_pools_in_any_order_do_not_block_each_other_for_good():
    pools = [PoolFactory() for _ in range(3)]

    def tell(order):
        def work():
            for _ in range(5):
                with transaction.atomic():
                    for pool in order:
                        PoolEvent.objects.create(pool=pool, kind=K.ROUND_REVEALED, data={})

        return work

    outcomes = run_together([tell(pools), tell(pools[::-1]), tell(pools[1:] + pools[:1])])

    assert [outcome.error for outcome in outcomes] == [None] * 3
    assert list(PoolEventCount.objects.filter(pool__in=pools).values_list("last", flat=True)) == [15, 15, 15]


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE pools_poolevent SET data = '{}'",
        "UPDATE pools_poolevent SET number = 99",
        "UPDATE pools_poolevent SET number = NULL",
        "DELETE FROM pools_poolevent",
    ],
)
def test_what_was_told_stays_as_it_was_told(pool, attack):
    PoolEvent.objects.create(pool=pool, kind=K.ROUND_LOCKED, data={"round": 1})
    number_now()

    with (
        pytest.raises(DatabaseError, match="stays as it was told"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(attack)


def test_old_events_are_forgotten_and_their_numbers_are_not_given_again(pool):
    for _ in range(3):
        PoolEvent.objects.create(pool=pool, kind=K.ROUND_LOCKED, data={"round": 1})
    number_now()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE pools_poolevent SET at = at - interval '31 days' WHERE number < 3")
        cursor.execute("SET session_replication_role = origin")

    assert (forget_old_events(limit=1), forget_old_events(), forget_old_events()) == (1, 1, 0)
    PoolEvent.objects.create(pool=pool, kind=K.ROUND_LOCKED, data={"round": 2})
    number_now()
    assert list(PoolEvent.objects.values_list("number", flat=True)) == [3, 4]
