"""Two members of staff who saw the same version and write at the same moment: one of them is told."""

import pytest

from config.versions import version_of
from pools.models import PoolStatus
from pools.services.results import record_result
from pools.services.rules import revise_rules
from pools.services.unchanged import edited_rows
from tests.factories.accounts import ModeratorFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.threads import again_and_again, codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)
HANDS = 4


def revise(pool, number, seen):
    return revise_rules(pool=pool, changes={"strikes": number}, by=None, seen=seen)


@again_and_again
def test_of_those_who_saw_the_same_rules_one_revises_them():
    pool = PoolFactory(status=PoolStatus.DRAFT)
    seen = {version_of(*edited_rows(pool))}
    outcomes = run_together([lambda n=n: revise(pool, n, seen) for n in range(1, HANDS + 1)])
    assert (len(successes(outcomes)), codes(outcomes)) == (1, ["VERSION_CONFLICT"] * (HANDS - 1))
    assert pool.rules_versions.count() == 2


@again_and_again
def test_without_saying_what_they_saw_each_writes_over_the_others():
    """The control: the same race, nothing compared."""
    pool = PoolFactory(status=PoolStatus.DRAFT)
    outcomes = run_together([lambda n=n: revise(pool, n, None) for n in range(1, HANDS + 1)])
    assert (len(successes(outcomes)), codes(outcomes)) == (HANDS, [])
    assert pool.rules_versions.count() == HANDS + 1


@again_and_again
def test_of_those_who_saw_the_same_game_one_enters_its_score():
    competition, people = league(), ModeratorFactory.create_batch(HANDS)
    lock_round(competition.rounds.get(number=1))
    game = competition.games.filter(round__number=1).first()
    seen = {version_of(game)}

    def enter(by, score):
        return record_result(game_id=game.pk, status="in_progress", home_score=score, away_score=0, by=by, seen=seen)

    outcomes = run_together([lambda n=n, by=by: enter(by, n) for n, by in enumerate(people)])
    assert (len(successes(outcomes)), codes(outcomes)) == (1, ["VERSION_CONFLICT"] * (HANDS - 1))
