"""Two who type the same game at once, a feed between them, and a correction confirmed while the world changes."""

from functools import partial

import pytest

from entries.models import Ruling
from entries.services.rulings import confirm_ruling, preview_ruling
from pools.models import Game, TypedResult
from pools.services.results import record_result
from pools.services.typed_results import Typed, type_result, withdraw_typed_result
from tests.factories.accounts import ModeratorFactory
from tests.factories.pools import PoolFactory, lock_round
from tests.support.playing import enter, play
from tests.support.ruling import game_of, propose
from tests.support.threads import again_and_again, codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(db):
    found = [ModeratorFactory() for _ in range(3)]
    for person in found:
        assert person.has_perm("entries.change_ruling")
    return found


def locked_game():
    pool = PoolFactory(status="running")
    lock_round(pool.competition.rounds.get(number=1))
    return pool.competition.games.filter(round__number=1).first()


def typing(game, by, home, away, waiting=0):
    return partial(type_result, game_id=game.pk, typed=Typed(home, away, waiting), by=by)


def test_two_who_type_at_once_are_the_first_and_the_second(people):
    @again_and_again
    def race():
        game = locked_game()
        outcomes = run_together([typing(game, person, 24, 17) for person in people[:2]])
        assert len(successes(outcomes)) == 2
        assert (TypedResult.objects.get(game=game).status, Game.objects.get(pk=game.pk).home_score) == ("taken", 24)

    race()


def test_one_form_sent_twice_at_once_is_typed_once(people):
    @again_and_again
    def race():
        game = locked_game()
        outcomes = run_together([typing(game, people[0], 24, 17) for _ in range(2)])
        assert codes(outcomes) == ["VERSION_CONFLICT"]
        assert (TypedResult.objects.get(game=game).status, Game.objects.get(pk=game.pk).status) == ("once", "scheduled")

    race()


def test_of_two_second_ones_one_decides(people):
    @again_and_again
    def race():
        game = locked_game()
        first = typing(game, people[0], 24, 17)()
        calls = [typing(game, people[1], 24, 17, first.pk), typing(game, people[2], 20, 17, first.pk)]
        outcomes = run_together([*calls, partial(withdraw_typed_result, typed_id=first.pk, by=people[0])])
        assert len(successes(outcomes)) == 1
        row = TypedResult.objects.get(game=game)
        assert (Game.objects.get(pk=game.pk).status == "final") == (row.status == "taken")

    race()


def test_a_feed_that_comes_with_the_second_loses_or_is_kept(people):
    @again_and_again
    def race():
        game = locked_game()
        first = typing(game, people[0], 24, 17)()
        feed = partial(record_result, game_id=game.pk, status="final", home_score=17, away_score=24, by=None)
        run_together([typing(game, people[1], 24, 17, first.pk), feed])
        row, now = TypedResult.objects.get(game=game), Game.objects.get(pk=game.pk)
        assert (row.status, now.home_score) in {("taken", 24), ("held", 17)}

    race()


def test_a_correction_seen_before_another_one_is_refused(people):
    proposer, *others = people

    @again_and_again
    def race():
        pool = PoolFactory()
        for code in ("ANT", "BAT", "CAT"):
            enter(pool, code)
        play(pool, 1)
        games = [game_of(pool, 1, "ANT"), game_of(pool, 1, "CAT")]
        proposals = [
            propose("game", by=proposer, game=game, verdict="score", home_score=0, away_score=7) for game in games
        ]
        seen = [preview_ruling(ruling=one, by=others[0]).fingerprint for one in proposals]
        outcomes = run_together(
            [
                partial(confirm_ruling, ruling=one, by=by, seen=print_)
                for one, by, print_ in zip(proposals, others, seen, strict=True)
            ]
        )
        assert codes(outcomes) == ["RULING_STALE"]
        statuses = {one.status for one in Ruling.objects.filter(competition=pool.competition_id)}
        assert statuses == {"confirmed", "proposed"}

    race()
