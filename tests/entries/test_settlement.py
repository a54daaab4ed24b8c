"""What settling does beside the cases that any grader must pass (`tests/cases`), and what it must never do."""

import pytest

from entries.models import EntryChange, EntryStatus, Settlement
from entries.services.settlement import settle_competition
from pools.models import Game, GameStatus, PoolStatus, Round
from tests.factories.pools import CODES, PoolFactory, finish, league, lock_round, play_round
from tests.support.playing import enter, play

ACTIVE, OUT, WON = EntryStatus.ACTIVE, EntryStatus.ELIMINATED, EntryStatus.WINNER


@pytest.fixture
def make_pool(db):
    def make(*, rounds=6, rules=None, **fields):
        return PoolFactory(competition=league(rounds=rounds, codes=CODES), rules=rules or {}, **fields)

    return make


def settle(pool, **options):
    return settle_competition(competition_id=pool.competition_id, **options).difference


def fate(entry) -> tuple[str, int | None]:
    entry.refresh_from_db()
    return entry.status, entry.eliminated_round_number


def test_a_correction_can_reopen_a_finished_pool(make_pool):
    pool = make_pool()
    a, b = enter(pool, "ANT", "CAT"), enter(pool, "DOG", "CAT")
    play(pool, 1)
    assert fate(a) == (WON, None)

    finish(Game.objects.get(round__number=1, away__code="DOG"), 0, 3)
    settle(pool)

    pool.refresh_from_db()
    assert ([fate(e) for e in (a, b)], pool.status) == ([(ACTIVE, None)] * 2, PoolStatus.RUNNING)


@pytest.mark.parametrize(("rule", "expected"), [("loss", (OUT, 1)), ("win", (ACTIVE, None))])
@pytest.mark.parametrize("status", [GameStatus.CANCELLED, GameStatus.POSTPONED])
def test_a_cancelled_game_is_graded_by_the_rule(make_pool, status, rule, expected):
    pool = make_pool(rules={"cancelled_game": rule})
    entry, *_others = enter(pool, "ANT"), enter(pool, "CAT"), enter(pool, "ELK")
    lock_round(pool.competition.rounds.get(number=1))
    Game.objects.filter(round__number=1, home__code="ANT").update(status=status)

    settle(pool)

    assert fate(entry) == expected


def test_a_game_moved_out_of_its_round_counts_as_cancelled(make_pool):
    pool = make_pool()
    entry, *_others = enter(pool, "ANT"), enter(pool, "CAT"), enter(pool, "ELK")
    game = Game.objects.get(round__number=1, home__code="ANT")
    lock_round(pool.competition.rounds.get(number=1))
    Game.objects.filter(pk=game.pk).update(round=Round.objects.get(number=2))
    finish(Game.objects.get(round__number=1, home__code="CAT"), 20, 10)

    settle(pool)

    assert (fate(entry), entry.eliminated_code) == ((OUT, 1), "game_cancelled")


def test_missing_picks_count_only_once_the_round_has_begun(make_pool):
    pool = make_pool()
    entry, *_others = enter(pool), enter(pool, "ANT")
    lock_round(pool.competition.rounds.get(number=1))

    assert settle(pool).is_nothing
    assert fate(entry) == (ACTIVE, None)


def test_those_left_after_the_last_round_share_and_odd_cents_go_to_the_lowest_entries(make_pool):
    pool = make_pool(rounds=1, entry_fee_cents=3334, rules={"house_fee_bp": 1000})
    entries = [enter(pool, code) for code in ("ANT", "CAT", "ELK", "BAT")]

    play(pool, 1)

    for entry in entries:
        entry.refresh_from_db()
    # Each fee leaves 3334 - 333 = 3001 in the pot; 12004 among three.
    assert [e.prize_cents for e in entries] == [4002, 4001, 4001, None]


def test_a_limit_holds_back_later_rounds_but_takes_nothing_back(make_pool):
    pool = make_pool()
    early, late = enter(pool, "BAT"), enter(pool, "ANT", "DOG")
    enter(pool, "ANT", "CAT"), enter(pool, "ANT", "CAT")
    for number in (1, 2):
        play_round(pool.competition.rounds.get(number=number), winners=set())

    settle(pool, through=1)
    assert (fate(early), fate(late)) == ((OUT, 1), (ACTIVE, None))
    settle(pool)
    assert fate(late) == (OUT, 2)

    assert settle(pool, through=1).is_nothing


def test_the_end_of_a_pool_waits_for_earlier_unfinished_rounds(make_pool):
    pool = make_pool()
    a, b, c = enter(pool, "ANT", "CAT"), enter(pool, "CAT", "DOG"), enter(pool, "GNU", "FOX")
    first = pool.competition.rounds.get(number=1)
    lock_round(first)
    for code in ("ANT", "CAT", "ELK"):
        finish(first.games.get(home__code=code), 20, 10)

    play(pool, 2)
    assert [fate(e) for e in (a, b, c)] == [(ACTIVE, None), (OUT, 2), (OUT, 2)]

    finish(first.games.get(home__code="GNU"), 20, 10)
    settle(pool)
    assert fate(a) == (WON, None)


def test_void_entries_are_left_alone_and_do_not_count(make_pool):
    pool = make_pool()
    void, a, _b = enter(pool, "BAT"), enter(pool, "ANT"), enter(pool, "DOG")
    void.status = EntryStatus.VOID
    void.save()

    play(pool, 1)

    assert (fate(void), fate(a)) == ((EntryStatus.VOID, None), (WON, None))
    a.refresh_from_db()
    # Whoever is disqualified leaves the fee in the pot.
    assert a.prize_cents == 3 * pool.entry_fee_cents


def test_all_pools_of_a_competition_settle_together_each_by_its_own_rules(make_pool):
    strict = make_pool()
    lenient = PoolFactory(competition=strict.competition, rules={"strikes": 1})
    draft = PoolFactory(competition=strict.competition, status=PoolStatus.DRAFT)
    entries = [enter(pool, "BAT") for pool in (strict, lenient, draft)]
    for pool in (strict, lenient, draft):
        enter(pool, "ANT"), enter(pool, "CAT")

    play(strict, 1)

    assert [fate(e)[0] for e in entries] == [OUT, ACTIVE, ACTIVE]


def test_each_change_of_fate_is_recorded_with_its_reason(make_pool):
    pool = make_pool()
    entry, *_others = enter(pool, "BAT"), enter(pool, "ANT"), enter(pool, "CAT")

    play(pool, 1)

    change = EntryChange.objects.filter(subject_id=entry.pk).last()
    settlement = Settlement.objects.get()
    assert (change.from_status, change.to_status) == ("active", "eliminated")
    assert change.reason == f"settlement {settlement.pk}"
    assert settlement.first_change_id <= change.pk <= settlement.last_change_id
    assert settlement.difference["eliminated"] == 1
    assert change.details["eliminated_code"] == "pick_lost"
    assert change.details["rules_version"] == 1


def test_the_number_of_statements_does_not_grow_with_entries(make_pool, django_assert_max_num_queries):
    pool = make_pool()
    for _ in range(10):
        enter(pool, "BAT"), enter(pool, "ANT")
    play_round(pool.competition.rounds.get(number=1), winners=set())

    with django_assert_max_num_queries(55):
        settle(pool)
