"""What must be zero is, until somebody gets past the guards; and what waits is counted."""

from datetime import timedelta

import pytest

from config.clock import database_now
from entries.figures import RESULTS, pick_decided
from entries.models import PickChange
from pools.models import Round
from tests.factories.entries import EntryFactory, RequestFactory, pick
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.counting import asked, counted, without_guards

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("result", RESULTS)
def test_each_pick_is_counted_by_what_came_of_it(result):
    before = counted("picks_total", result=result), counted("picks_refused_after_deadline_total")
    times = counted("pick_edge_to_decision_seconds_count")
    pick_decided(result, 0.02)
    pick_decided(result, None)
    assert counted("picks_total", result=result) == before[0] + 2
    assert counted("picks_refused_after_deadline_total") == before[1] + (2 if result == "late" else 0)
    assert counted("pick_edge_to_decision_seconds_count") == times + 1


class TestLateAccepted:
    @pytest.fixture
    def made(self):
        """A pick that was decided in time, of a round that has locked since."""
        entry = EntryFactory()
        pick(entry, 1, "ANT")
        lock_round(Round.objects.get(competition=entry.pool.competition, number=1))
        with without_guards():
            PickChange.objects.update(at=database_now() - timedelta(days=1))
        return entry

    def decided(self, ago, **changes):
        with without_guards():
            PickChange.objects.update(at=database_now() - ago, **changes)

    def test_none_that_was_in_time_is_one(self, made):
        assert asked("late_accepted") == {(): 0}

    def test_one_decided_after_the_lock_is(self, made):
        self.decided(timedelta(minutes=1))
        assert asked("late_accepted") == {(): 1}

    @pytest.mark.parametrize(
        "changes", [{"source": "staff"}, {"source": "import"}, {"ruling_id": 7}, {"to_team_id": None}]
    )
    def test_what_staff_and_rules_do_later_is_not(self, made, changes):
        self.decided(timedelta(minutes=1), **changes)
        assert asked("late_accepted") == {(): 0}

    def test_where_each_game_locks_for_itself_its_own_kickoff_counts(self):
        entry = EntryFactory(in_pool=PoolFactory(rules={"lock": "game"}))
        pick(entry, 1, "ANT")
        round_ = Round.objects.get(competition=entry.pool.competition, number=1)
        first, second = round_.games.order_by("id")
        first.kickoff_at, second.kickoff_at = database_now() - timedelta(hours=2), database_now() - timedelta(hours=1)
        for game in (second, first):
            game.save(update_fields=["kickoff_at"])
        # The round has locked with its first game; this team's is the first or the second.
        of_first = "ANT" in (first.home.code, first.away.code)
        self.decided(timedelta(minutes=90))
        assert asked("late_accepted") == {(): int(of_first)}
        self.decided(timedelta(minutes=30))
        assert asked("late_accepted") == {(): 1}


def test_places_beyond_the_capacity_are_counted():
    full, other = PoolFactory(capacity=2), PoolFactory(capacity=5)
    for pool, places in ((full, 2), (other, 3)):
        for _ in range(places):
            RequestFactory(paid=True, pool=pool)
    RequestFactory(pool=full)
    assert asked("pool_oversold") == {(): 0}
    with without_guards():
        RequestFactory(paid=True, pool=full)
        RequestFactory(approved=True, pool=full)
    assert asked("pool_oversold") == {(): 2}


def test_the_next_lock_is_of_a_round_that_somebody_plays():
    league(first_kickoff_in=timedelta(minutes=5))
    assert asked("next_lock_seconds") == {}
    PoolFactory(competition=league(first_kickoff_in=timedelta(hours=2)))
    (seconds,) = asked("next_lock_seconds").values()
    assert 7000 < seconds <= 7200


def test_rounds_whose_picks_should_be_shown_and_requests_that_should_have_ended_are_counted():
    before = asked("due_rows_overdue")
    assert (before[("reveal",)], before[("unpaid request",)]) == (0, 0)
    request = RequestFactory(approved=True)
    with without_guards():
        type(request).objects.update(pay_by=database_now() - timedelta(minutes=6))
    lock_round(Round.objects.get(competition=request.pool.competition, number=1))
    after = asked("due_rows_overdue")
    assert (after[("reveal",)], after[("unpaid request",)]) == (1, 1)
