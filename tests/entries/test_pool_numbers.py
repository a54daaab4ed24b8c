"""What pools show of their entries: how many, how much, and what each round did, after its lock alone."""

from datetime import timedelta

import pytest

from config.clock import database_now
from entries.models import Entry, Reprieve, Request, Ruling
from entries.queries.pool_numbers import EntryNumbers
from entries.queries.rounds import distribution
from entries.services.settlement import settle_competition
from pools.models import Game, Pool, Round
from pools.queries import statistics
from pools.queries.statistics import PoolNumbers, RoundNumbers
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, finish, league, lock_round
from tests.support.playing import enter, play, void

numbers = EntryNumbers()


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3, codes=("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")))


def test_the_provider_is_registered():
    assert isinstance(statistics._providers[0], EntryNumbers)


def test_entries_count_while_they_are_not_void_and_fees_until_they_are_given_back(pool):
    enter(pool), enter(pool)
    disqualified, refunded = void(enter(pool)), void(enter(pool))
    Request.objects.filter(entry=refunded).update(payment_status="refunded")
    RequestFactory(pool=pool, approved=True)

    assert disqualified.status == "void"
    assert numbers.pool_numbers([pool.pk]) == {pool.pk: PoolNumbers(2, 2, 15_000)}


def test_a_late_entry_misses_nothing_of_what_was_before_it(pool):
    enter(pool, "ANT"), enter(pool)
    Entry.objects.filter(pk=enter(pool, None, "CAT").pk).update(first_round_number=2)
    lock_round(Round.objects.get(number=1))

    assert numbers.round_numbers(pool.pk, [1]) == {1: RoundNumbers(1, 1, 0, 2)}


def test_who_sits_a_round_out_neither_picked_nor_missed_it(pool):
    enter(pool, "ANT", "CAT")
    spared = enter(pool, "ANT", "CAT")
    for number in (1, 2):
        lock_round(Round.objects.get(number=number))
    assert numbers.round_numbers(pool.pk, [2]) == {2: RoundNumbers(2, 0, 0, 2)}

    spare(spared, 1, 3)

    assert numbers.round_numbers(pool.pk, [2]) == {2: RoundNumbers(1, 0, 0, 2)}
    assert [(line.team, line.picks) for line in distribution(pool, Round.objects.get(number=2))] == [("CAT", 1)]


def test_where_each_game_locks_for_itself_the_open_part_of_a_round_is_not_counted(db):
    pool = PoolFactory(competition=league(rounds=3, codes=("ANT", "BAT", "CAT", "DOG")), rules={"lock": "game"})
    enter(pool, "ANT"), enter(pool, "CAT"), enter(pool)
    started = Game.objects.get(round__number=1, home__code="ANT")
    Game.objects.filter(pk=started.pk).update(kickoff_at=database_now() - timedelta(hours=1))

    assert numbers.round_numbers(pool.pk, [1]) == {1: RoundNumbers(1, None, 0, 3)}

    lock_round(Round.objects.get(number=1))
    assert numbers.round_numbers(pool.pk, [1]) == {1: RoundNumbers(2, 1, 0, 3)}


def spare(entry, from_round: int, before_round: int) -> None:
    """As a reinstatement that staff decided."""
    staff = [ModeratorFactory(), ModeratorFactory()]
    ruling = Ruling.objects.create(
        kind="reinstate", competition=entry.pool.competition, pool=entry.pool, entry=entry, reason="spared",
        proposed_by=staff[0],
    )  # fmt: skip
    Reprieve.objects.create(entry=entry, from_round_number=from_round, before_round_number=before_round, ruling=ruling)


def test_the_house_takes_its_part_of_each_fee_rounded_down(db):
    pool = PoolFactory(entry_fee_cents=999, rules={"house_fee_bp": 1250})
    enter(pool), enter(pool), enter(pool)

    # 12.5 % of 9.99 is 1.24875: the house takes 1.24 of each.
    assert numbers.pool_numbers([pool.pk])[pool.pk].pot_cents == 3 * (999 - 124)


def test_a_pool_without_entries_is_left_out_and_shows_noughts(pool):
    assert numbers.pool_numbers([pool.pk]) == {}
    assert statistics.pool_numbers([pool.pk]) == {pool.pk: PoolNumbers(0, 0, 0)}


def test_many_pools_take_one_query(pool, django_assert_num_queries):
    others = [PoolFactory() for _ in range(2)]
    for each in (pool, *others):
        enter(each)

    with django_assert_num_queries(1):
        found = numbers.pool_numbers([each.pk for each in (pool, *others)])
    assert len(found) == 3


def test_a_round_shows_nothing_before_its_lock(pool):
    enter(pool, "ANT")

    assert numbers.round_numbers(pool.pk, [1, 2, 3]) == {}


def test_a_locked_round_shows_picks_and_who_missed_it(pool):
    enter(pool, "ANT"), enter(pool, "BAT"), enter(pool)
    lock_round(Round.objects.get(number=1))

    assert numbers.round_numbers(pool.pk, [1, 2]) == {1: RoundNumbers(2, 1, 0, 3)}


def test_each_round_counts_those_who_still_played_it(pool):
    enter(pool, "ANT", "CAT"), enter(pool, "ANT", "DOG", "ELK"), enter(pool, "BAT", "ANT"), enter(pool, None, "ANT")
    enter(pool, "ANT", "CAT")
    play(pool, 1)
    play(pool, 2)

    assert numbers.round_numbers(pool.pk, [1, 2, 3]) == {
        1: RoundNumbers(4, 1, 2, 3),
        2: RoundNumbers(3, 0, 1, 2),
    }
    assert numbers.pool_numbers([pool.pk])[pool.pk] == PoolNumbers(5, 2, 25_000)


def test_eliminations_show_while_a_round_is_still_being_played(pool):
    enter(pool, "BAT"), enter(pool, "CAT"), enter(pool, "ELK")
    round_ = Round.objects.get(number=1)
    lock_round(round_)
    finish(round_.games.get(home__code="ANT"), 20, 10)
    settle_competition(competition_id=pool.competition_id)

    assert numbers.round_numbers(pool.pk, [1]) == {1: RoundNumbers(3, 0, 1, 2)}


def test_rounds_after_the_end_of_a_pool_have_no_numbers(pool):
    enter(pool, "ANT", "CAT"), enter(pool, "BAT")
    play(pool, 1)
    play(pool, 2)

    assert Pool.objects.get().ended_round_number == 1
    assert numbers.round_numbers(pool.pk, [1, 2]) == {1: RoundNumbers(2, 0, 1, 1)}


def test_a_corrected_result_moves_the_end_of_a_pool(pool):
    def end() -> tuple[str, int | None]:
        pool.refresh_from_db()
        return pool.status, pool.ended_round_number

    enter(pool, "ANT", "CAT"), enter(pool, "DOG", "BAT"), enter(pool, "BAT")
    game = Game.objects.get(round__number=1, away__code="DOG")

    play(pool, 1)
    assert end() == ("finished", 1)

    finish(game, 10, 20)
    settle_competition(competition_id=pool.competition_id)
    assert end() == ("running", None)

    play(pool, 2)
    assert end() == ("finished", 2)

    finish(game, 20, 10)
    settle_competition(competition_id=pool.competition_id)
    assert end() == ("finished", 1)


def test_the_number_of_queries_does_not_grow_with_rounds_or_entries(pool, django_assert_num_queries):
    enter(pool, "ANT"), enter(pool, "ANT")
    for number in (1, 2, 3):
        lock_round(Round.objects.get(number=number))
    numbers.round_numbers(pool.pk, [1])  # whoever comes first reveals

    for asked in ([1], [1, 2, 3]):
        with django_assert_num_queries(3):
            assert len(numbers.round_numbers(pool.pk, asked)) == len(asked)
