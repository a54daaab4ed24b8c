"""Competitions, their teams and rounds, as anybody reads them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.pools import CompetitionFactory, league, play_round
from tests.support.calls import call, respond

pytestmark = pytest.mark.django_db


@pytest.fixture
def cup():
    return league(code="cup-2026", codes=("ANT", "BAT"), rounds=2)


def test_competitions_are_listed_for_anybody(api, cup):
    assert call(api(), "GET", "/competitions") == (
        200, [{"code": "cup-2026", "name": cup.name, "season": "2026", "time_zone": "America/New_York"}]
    )  # fmt: skip


def test_one_competition_is_found_by_its_code(api, cup):
    status, data = call(api(), "GET", "/competitions/cup-2026")
    assert (status, data["code"]) == (200, "cup-2026")


@pytest.mark.parametrize("path", ["", "/teams", "/rounds"])
def test_an_unknown_code_is_not_found(api, db, path):
    assert call(api(), "GET", f"/competitions/nfl-1920{path}") == (404, "NOT_FOUND")


def test_teams_have_code_and_name(api, cup):
    assert call(api(), "GET", "/competitions/cup-2026/teams") == (
        200, [{"code": "ANT", "name": "The Ants"}, {"code": "BAT", "name": "The Bats"}]
    )  # fmt: skip


def test_rounds_come_in_play_order_with_games_and_status(api, cup):
    first = cup.rounds.get(number=1)
    play_round(first, winners={"BAT"})
    status, data = call(api(), "GET", "/competitions/cup-2026/rounds")
    assert status == 200
    assert [(one["number"], one["name"], one["status"]) for one in data] == [
        (1, "Round 1", "final"),
        (2, "Round 2", "open"),
    ]
    assert list(data[0]) == ["number", "name", "opens_at", "locks_at", "status", "games"]
    [game] = data[0]["games"]
    played = first.games.get()
    assert game == {
        "id": played.pk, "home": "ANT", "away": "BAT", "kickoff": f"{played.kickoff_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "status": "final", "home_score": 10, "away_score": 20,
    }  # fmt: skip
    assert data[0]["locks_at"] == game["kickoff"]
    assert (data[1]["games"][0]["home_score"], data[1]["opens_at"]) == (None, None)


def test_lists_are_paged(api, cup):
    body = respond(api(), "GET", "/competitions/cup-2026/rounds", limit=1, page=2).json()
    assert [one["number"] for one in body["data"]] == [2]
    assert body["meta"]["pagination"] == {"page": 2, "limit": 1, "total": 2, "next_cursor": None}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_writes_here(api, cup, admin_user, method):
    answer = getattr(api(admin_user), method.lower())("/api/v1/competitions/cup-2026")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")


def test_a_list_costs_the_same_for_one_row_and_for_three(api, db):
    def queries(path):
        with CaptureQueriesContext(connection) as seen:
            assert call(api(), "GET", path)[0] == 200
        return len(seen)

    league(code="small", codes=("ANT", "BAT"), rounds=1)
    one = [queries("/competitions"), queries("/competitions/small/teams"), queries("/competitions/small/rounds")]
    CompetitionFactory.create_batch(2)
    league(code="large", rounds=3)
    three = [queries("/competitions"), queries("/competitions/large/teams"), queries("/competitions/large/rounds")]
    assert one == three == [2, 3, 5]
