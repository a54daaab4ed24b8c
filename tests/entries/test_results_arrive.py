"""From a feed to an entry's fate, without anybody's hand: pull, message, settlement."""

import pytest

from config import outbox
from entries.models import EntryStatus
from pools.models import FeedSource, Game
from pools.services.feeds import pull_source
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, lock_round
from tests.support import bad_server as bad
from tests.support.bad_server import BadServer
from tests.support.feeds import QUICK, as_json, event

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return PoolFactory()


@pytest.fixture
def show(pool):
    """`show({"BAT_ANT": (17, 20)})` pulls a scoreboard with these scores, home side first, and does what follows."""
    with BadServer() as server:
        source = FeedSource.objects.create(
            competition=pool.competition, kind="scoreboard", url=server.address(), season="2026"
        )

        def pull(scores):
            games = {
                f"{game.away.code}_{game.home.code}": game
                for game in Game.objects.filter(round__number=1).select_related("home", "away")
            }
            events = [event(sides, score, date=games[sides].kickoff_at) for sides, score in scores.items()]
            server.does(bad.answer(as_json(*events)))
            pulled = pull_source(source_id=source.pk, limits=QUICK)
            outbox.drain()
            return pulled

        yield pull


@pytest.fixture
def entries(pool):
    """One on each home side of round 1, which has locked since."""
    found = [EntryFactory(in_pool=pool) for _ in range(2)]
    for entry, code in zip(found, ("ANT", "CAT"), strict=True):
        pick(entry, 1, code)
    lock_round(pool.competition.rounds.get(number=1))
    return found


def statuses(entries) -> list[str]:
    for entry in entries:
        entry.refresh_from_db()
    return [entry.status for entry in entries]


ACTIVE, OUT = EntryStatus.ACTIVE, EntryStatus.ELIMINATED


def test_winners_stay(show, entries):
    assert show({"BAT_ANT": (20, 17), "DOG_CAT": (20, 17)}).pull.results == 2
    assert statuses(entries) == [ACTIVE, ACTIVE]


def test_a_lost_pick_is_out_as_soon_as_the_feed_was_pulled(show, entries):
    show({"BAT_ANT": (17, 20)})
    assert statuses(entries) == [OUT, ACTIVE]


def test_a_final_without_scores_costs_nobody_anything(show, entries):
    assert show({"BAT_ANT": ("", ""), "DOG_CAT": ("20", "17")}).pull.raised == 1
    assert statuses(entries) == [ACTIVE, ACTIVE]


def test_a_correction_by_the_feed_moves_no_fate(show, entries):
    show({"BAT_ANT": (20, 17)})
    assert show({"BAT_ANT": (17, 20)}).pull.raised == 1
    assert statuses(entries) == [ACTIVE, ACTIVE]
