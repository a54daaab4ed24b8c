"""Where rounds and pools stand."""

from datetime import timedelta

import pytest

from config.clock import database_now
from pools.models import Game, GameStatus, Round
from pools.queries import (
    RoundStatus,
    current_round,
    current_rules,
    first_lock_at,
    pool_cards,
    pools_with_facts,
    registration_closes_at,
    round_cards,
    round_status,
    rounds_in_full,
    rounds_of,
    rounds_with_status,
    statistics,
)
from pools.queries.statistics import PoolNumbers, RoundNumbers
from tests.factories.pools import (
    CompetitionFactory,
    PoolFactory,
    finish,
    game_of,
    kick_off,
    league,
    lock_round,
    play_round,
)

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)


def statuses(competition, now=None) -> list[str]:
    rounds = rounds_with_status(competition.rounds.order_by("number"), now or database_now())
    return [round_.status for round_ in rounds]


@pytest.fixture
def numbers(monkeypatch):
    """Numbers as a provider would tell them, with what it was asked."""

    class Provider:
        asked = []

        def pool_numbers(self, pool_ids):
            self.asked.append(list(pool_ids))
            return {pool_id: PoolNumbers(entries_total=7, entries_active=5, pot_cents=350) for pool_id in pool_ids}

        def round_numbers(self, pool_id, numbers):
            self.asked.append((pool_id, list(numbers)))
            return {number: RoundNumbers(picks_total=number * 10) for number in numbers if number == 1}

    provider = Provider()
    provider.asked = []
    monkeypatch.setattr(statistics, "_providers", [])
    statistics.register(provider)
    return provider


def test_one_round_is_open_and_the_later_ones_are_upcoming():
    assert statuses(league()) == ["open", "upcoming", "upcoming"]


def test_a_round_locks_at_its_lock_and_the_next_one_opens():
    competition = league()
    locks_at = competition.rounds.get(number=1).locks_at
    assert statuses(competition, locks_at - MICROSECOND) == ["open", "upcoming", "upcoming"]
    assert statuses(competition, locks_at) == ["locked", "open", "upcoming"]


def test_a_round_is_final_when_every_game_is_final_or_cancelled():
    competition = league()
    first = competition.rounds.get(number=1)
    play_round(first, winners=set())
    assert statuses(competition)[0] == "final"
    last = first.games.last()
    for status, expected in [("in_progress", "locked"), ("postponed", "locked"), ("cancelled", "final")]:
        Game.objects.filter(pk=last.pk).update(status=status, home_score=None, away_score=None)
        assert statuses(competition)[0] == expected


def test_a_ruling_that_a_game_was_not_played_leaves_nothing_to_wait_for():
    competition = league()
    first = competition.rounds.get(number=1)
    play_round(first, winners=set())
    Game.objects.filter(pk=first.games.last().pk).update(
        status="postponed", home_score=None, away_score=None, is_ruled=True
    )
    assert statuses(competition)[0] == "final"


def test_a_round_with_an_opening_time_of_its_own_opens_then():
    competition = league()
    now = database_now()
    competition.rounds.filter(number=1).update(opens_at=now + timedelta(hours=1))
    competition.rounds.filter(number=3).update(opens_at=now - timedelta(hours=1))
    assert statuses(competition, now) == ["upcoming", "upcoming", "open"]


def test_a_round_without_games_is_never_final():
    competition = CompetitionFactory()
    now = database_now()
    Round.objects.create(competition=competition, number=1, name="Empty", fixed_locks_at=now)
    Round.objects.create(competition=competition, number=2, name="Unknown")
    assert statuses(competition, now) == ["locked", "open"]


def test_the_status_of_one_round_agrees_with_the_list():
    competition = league()
    lock_round(competition.rounds.get(number=1))
    found = [round_status(round_, database_now()) for round_ in competition.rounds.order_by("number")]
    assert found == [RoundStatus.LOCKED, RoundStatus.OPEN, RoundStatus.UPCOMING]


def test_a_pool_plays_its_own_rounds():
    pool = PoolFactory(first_round_number=2, last_round_number=3)
    assert [round_.number for round_ in rounds_of(pool)] == [2, 3]


def test_the_current_round_is_the_first_that_has_not_locked_then_the_last():
    pool = PoolFactory(first_round_number=2, last_round_number=3)
    assert current_round(pool, database_now()).number == 2
    lock_round(Round.objects.get(number=2))
    assert current_round(pool, database_now()).number == 3
    lock_round(Round.objects.get(number=3))
    assert current_round(pool, database_now()).number == 3


def test_where_each_game_locks_for_itself_a_round_is_open_until_the_last_game_that_is_not_off():
    pool = PoolFactory(competition=league(codes=("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")), rules={"lock": "game"})
    round_ = Round.objects.get(number=1)

    def seen():
        now = database_now()
        (card,) = pool_cards(pools_with_facts(type(pool).objects.all(), now))
        of_pool = rounds_with_status(rounds_of(pool), now, pool=pool).values_list("status", flat=True)
        assert card.current_round == current_round(pool, now).number
        return card.current_round, list(of_pool), statuses(pool.competition, now)

    assert seen() == (1, ["open", "upcoming", "upcoming"], ["open", "upcoming", "upcoming"])
    kick_off(game_of(round_, "ANT"))
    assert seen() == (1, ["open", "upcoming", "upcoming"], ["locked", "open", "upcoming"])
    kick_off(game_of(round_, "CAT"))
    Game.objects.filter(pk=game_of(round_, "ELK").pk).update(status=GameStatus.CANCELLED)
    assert seen() == (2, ["locked", "open", "upcoming"], ["locked", "open", "upcoming"])
    finish(game_of(round_, "ANT"), 1, 0), finish(game_of(round_, "CAT"), 1, 0)
    assert seen() == (2, ["final", "open", "upcoming"], ["final", "open", "upcoming"])


def test_registration_closes_at_the_first_lock_at_the_latest():
    pool = PoolFactory(first_round_number=2)
    lock = first_lock_at(pool)
    assert lock == Round.objects.get(number=2).locks_at
    assert registration_closes_at(pool) == lock
    pool.registration_closes_at = lock - timedelta(hours=1)
    assert registration_closes_at(pool) == lock - timedelta(hours=1)
    pool.registration_closes_at = lock + timedelta(hours=1)
    assert registration_closes_at(pool) == lock


def test_cards_say_what_the_single_questions_say(numbers):
    pools = [
        PoolFactory(first_round_number=2),
        PoolFactory(registration_closes_at=database_now()),
        PoolFactory(competition=league(first_kickoff_in=timedelta(days=-30)), rules={"strikes": 1}),
    ]
    now = database_now()
    cards = pool_cards(pools_with_facts(type(pools[0]).objects.order_by("id"), now))
    for pool, card in zip(pools, cards, strict=True):
        assert card.pool == pool
        assert card.rules == current_rules(pool)
        assert card.registration_closes_at == registration_closes_at(pool)
        assert card.current_round == current_round(pool, now).number
        assert card.numbers.entries_total == 7
    assert numbers.asked == [[pool.pk for pool in pools]]


def test_round_numbers_are_asked_for_locked_rounds_alone_and_at_once(numbers):
    pool = PoolFactory()
    for number in (1, 2):
        lock_round(Round.objects.get(number=number))
    now = database_now()
    cards = round_cards(pool, rounds_in_full(rounds_of(pool), now), now)
    assert numbers.asked == [(pool.pk, [1, 2])]
    assert [card.numbers.picks_total for card in cards] == [10, None, None]


def test_without_a_provider_there_are_no_entries(monkeypatch):
    monkeypatch.setattr(statistics, "_providers", [])
    assert statistics.pool_numbers([3]) == {3: PoolNumbers()}
    assert statistics.round_numbers(3, [1]) == {1: RoundNumbers()}


def test_rounds_come_with_games_and_teams_in_two_queries(django_assert_num_queries):
    for rounds in (1, 3):
        competition = league(rounds=rounds)
        now = database_now()
        with django_assert_num_queries(2):
            found = rounds_in_full(competition.rounds.all(), now)
            assert [len([(game.home.code, game.away.code) for game in one.games.all()]) for one in found] == [
                2
            ] * rounds
