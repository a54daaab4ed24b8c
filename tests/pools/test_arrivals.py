"""Whoever settles hears of results at once, from wherever they come."""

import pytest

from config.models import OutboxMessage
from pools.models import Competition
from pools.services.results import record_result
from tests.factories.pools import league, lock_round
from tests.support.schedules import import_rows, nfl_row

pytestmark = pytest.mark.django_db


def arrivals() -> list[dict]:
    return list(OutboxMessage.objects.filter(kind="results.arrived").order_by("id").values_list("payload", flat=True))


def test_an_import_tells_and_one_that_changes_nothing_does_not(tmp_path):
    rows = [nfl_row("2024_01_KC_BUF", score=(20, 17))]
    import_rows(tmp_path, rows)
    competition = Competition.objects.get()
    assert arrivals() == [{"competition": competition.pk}]
    import_rows(tmp_path, rows)
    assert len(arrivals()) == 1


def test_a_result_by_hand_tells_each_time_it_changes(moderator):
    competition = league()
    lock_round(competition.rounds.get(number=1))
    game = competition.games.first()
    said = {"game_id": game.pk, "status": "final", "home_score": 20, "away_score": 17, "by": moderator}
    record_result(**said)
    record_result(**said)
    assert arrivals() == [{"competition": competition.pk}]
    record_result(**said | {"away_score": 23})
    assert len(arrivals()) == 2
