"""What a settlement tells live: who fell, who is back, who won, and nothing of what is secret."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entries.models import Settlement
from entries.services.settlement import settle_competition
from entries.services.settlement.telling import NAMED
from pools.models import EventKind, Game, PoolEvent
from tests.factories.pools import CODES, PoolFactory, finish, league, lock_round
from tests.support.playing import enter, play
from tests.support.told import kinds, told

K = EventKind
OF_ENTRIES = (
    K.ENTRIES_ELIMINATED, K.ENTRIES_REVIVED, K.ENTRIES_CHANGED, K.WINNERS_DECLARED, K.WINNERS_WITHDRAWN, K.POOL_ENDED,
    K.POOL_REOPENED,
)  # fmt: skip


@pytest.fixture
def make_pool(db):
    def make(*, rounds=6, rules=None, **fields):
        return PoolFactory(competition=league(rounds=rounds, codes=CODES), rules=rules or {}, **fields)

    return make


def of_entries(pool):
    return [(kind, data) for kind, data in told(pool) if kind in OF_ENTRIES]


def newest() -> int:
    return Settlement.objects.latest("pk").pk


def test_those_who_fall_are_told_with_reasons_and_who_is_left(make_pool):
    pool = make_pool()
    in_, out, missed = enter(pool, "ANT"), enter(pool, "BAT"), enter(pool)
    enter(pool, "CAT")

    play(pool, 1)

    [(kind, data)] = of_entries(pool)
    assert (kind, sorted(data.pop("entries"))) == (K.ENTRIES_ELIMINATED, [out.pk, missed.pk])
    assert data == {
        "settlement": newest(), "round": 1, "count": 2, "alive": 2, "reasons": {"pick_lost": 1, "no_pick": 1},
    }  # fmt: skip
    assert in_.pk


def test_each_round_of_a_late_settlement_is_told_by_itself(make_pool):
    pool = make_pool()
    enter(pool, "ANT", "CAT"), enter(pool, "CAT", "ANT"), enter(pool, "BAT"), enter(pool, "ELK", "BAT")
    for number in (1, 2):
        lock_round(pool.competition.rounds.get(number=number))
        for game in Game.objects.filter(round__competition=pool.competition, round__number=number):
            finish(game, 1, 0)

    settle_competition(competition_id=pool.competition_id)

    assert [(kind, data["round"], data["count"], data["alive"]) for kind, data in of_entries(pool)] == [
        (K.ENTRIES_ELIMINATED, 1, 1, 2),
        (K.ENTRIES_ELIMINATED, 2, 1, 2),
    ]


def test_the_end_is_told_after_who_fell_and_who_won(make_pool):
    pool = make_pool(entry_fee_cents=5000)
    winner, _ = enter(pool, "ANT"), enter(pool, "BAT")

    play(pool, 1)

    [fell, won, ended] = of_entries(pool)
    assert fell[0] == K.ENTRIES_ELIMINATED
    winner.refresh_from_db()
    assert won == (
        K.WINNERS_DECLARED,
        {
            "settlement": newest(), "count": 1, "currency": "usd",
            "entries": [{"entry": winner.pk, "prize_cents": winner.prize_cents}],
        },
    )  # fmt: skip
    assert ended == (K.POOL_ENDED, {"status": "finished", "round": 1})


def test_a_correction_tells_who_is_back_and_whose_title_is_gone(make_pool):
    pool = make_pool()
    a, b = enter(pool, "ANT", "CAT"), enter(pool, "DOG", "CAT")
    play(pool, 1)
    before = len(told(pool))

    finish(Game.objects.get(round__number=1, away__code="DOG"), 0, 3)
    settle_competition(competition_id=pool.competition_id)

    after = told(pool)[before:]
    assert [kind for kind, _ in after] == [
        K.GAME_CORRECTED, K.ENTRIES_REVIVED, K.WINNERS_WITHDRAWN, K.POOL_REOPENED,
    ]  # fmt: skip
    revived, withdrawn = after[1][1], after[2][1]
    assert (revived["round"], revived["entries"], revived["alive"]) == (1, [b.pk], 2)
    assert withdrawn["entries"] == [{"entry": a.pk, "prize_cents": None}]


def test_a_strike_is_told_as_a_change(make_pool):
    pool = make_pool(rules={"strikes": 1})
    struck, _ = enter(pool, "BAT"), enter(pool, "ANT")

    play(pool, 1)

    [(kind, data)] = of_entries(pool)
    assert (kind, data["entries"], data["round"]) == (K.ENTRIES_CHANGED, [struck.pk], None)


def test_a_settlement_that_changes_nothing_and_a_dry_run_tell_nothing(make_pool):
    pool = make_pool()
    enter(pool, "ANT"), enter(pool, "BAT"), enter(pool, "CAT")
    play(pool, 1)
    before = told(pool)

    settle_competition(competition_id=pool.competition_id, afresh=True)
    finish(Game.objects.get(round__number=1, home__code="CAT"), 0, 3)
    with_correction = told(pool)
    settle_competition(competition_id=pool.competition_id, dry_run=True)

    assert [kind for kind, _ in with_correction[len(before) :]] == [K.GAME_CORRECTED]
    assert told(pool) == with_correction


def test_an_event_names_a_bounded_number_of_entries(make_pool, monkeypatch):
    pool = make_pool()
    for _ in range(NAMED + 5):
        enter(pool, "BAT")
    enter(pool, "ANT"), enter(pool, "CAT")

    play(pool, 1)

    [(_, data)] = of_entries(pool)
    assert (data["count"], len(data["entries"]), len(set(data["entries"]))) == (NAMED + 5, NAMED, NAMED)


def test_telling_takes_as_many_statements_for_three_pools_as_for_one(make_pool):
    def statements(pools: int) -> int:
        competition = league(rounds=3, codes=CODES)
        for _ in range(pools):
            pool = PoolFactory(competition=competition)
            enter(pool, "ANT"), enter(pool, "BAT"), enter(pool, "CAT")
        lock_round(competition.rounds.get(number=1))
        for game in Game.objects.filter(round__competition=competition, round__number=1):
            finish(game, 1, 0)
        with CaptureQueriesContext(connection) as asked:
            settle_competition(competition_id=competition.pk)
        return len(asked)

    assert statements(1) == statements(3)


def test_no_event_says_or_counts_a_pick_before_the_reveal(make_pool):
    """Until a round is revealed nothing whatever is told of it but that it has locked, and how its games ended."""
    pool = make_pool()
    enter(pool, "ANT", "BAT"), enter(pool, "BAT", "CAT")
    number = 2
    Game.objects.filter(round__competition=pool.competition, round__number=number).update(status="postponed")
    settle_competition(competition_id=pool.competition_id)

    assert set(kinds(pool)) == {K.GAME_CALLED_OFF}
    assert not PoolEvent.objects.exclude(kind=K.GAME_CALLED_OFF).exists()
