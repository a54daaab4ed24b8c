"""How old results are, and whether it is game day."""

from datetime import timedelta

import pytest

from config.clock import database_now
from pools.models import FeedSource
from tests.factories.pools import finish, league
from tests.support.counting import asked

pytestmark = pytest.mark.django_db


@pytest.fixture
def source():
    competition = league(code="cup-17", first_kickoff_in=timedelta(days=3))
    return FeedSource.objects.create(
        competition=competition, kind="nflverse", url="https://example.org/games.csv", season="2026"
    )


def test_the_age_of_results_counts_from_the_last_pull_that_worked(source):
    now = database_now()
    FeedSource.objects.update(
        last_pulled_at=now - timedelta(minutes=2), last_read_at=now - timedelta(hours=1), failures=0
    )
    assert 119 < asked("feed_age_seconds")[("cup-17",)] < 180
    FeedSource.objects.update(failures=3)
    assert 3599 < asked("feed_age_seconds")[("cup-17",)] < 3700


def test_a_source_that_is_switched_off_has_no_age(source):
    FeedSource.objects.update(is_enabled=False)
    assert asked("feed_age_seconds") == {}


def test_games_are_on_from_an_hour_before_until_they_have_a_result(source):
    first = source.competition.games.order_by("id").first()
    assert asked("games_in_play") == {}
    first.kickoff_at = database_now() + timedelta(minutes=50)
    first.save(update_fields=["kickoff_at"])
    assert asked("games_in_play") == {("cup-17",): 1}
    finish(first, 1, 0)
    assert asked("games_in_play") == {}


def test_a_source_that_nobody_pulls_is_counted(source):
    FeedSource.objects.update(next_pull_at=database_now() - timedelta(minutes=4))
    assert asked("due_rows_overdue")[("feed",)] == 0
    FeedSource.objects.update(next_pull_at=database_now() - timedelta(minutes=6))
    assert asked("due_rows_overdue")[("feed",)] == 1
