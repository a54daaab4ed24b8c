"""Results entered by moderators."""

import pytest

from pools.models import Game, GameChange
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.calls import call, respond

pytestmark = pytest.mark.django_db


@pytest.fixture
def game() -> Game:
    competition = league()
    lock_round(competition.rounds.get(number=1))
    return competition.games.filter(round__number=1).first()


def test_a_moderator_records_a_result_once(api, moderator, game):
    body = {"status": "final", "home_score": 0, "away_score": 0, "reason": "seen"}
    for _ in range(2):
        status, data = call(api(moderator), "PUT", f"/games/{game.pk}/result", body)
        assert (status, data["status"], data["home_score"], data["away_score"]) == (200, "final", 0, 0)
    assert list(data) == ["id", "home", "away", "kickoff", "status", "home_score", "away_score"]
    [change] = GameChange.objects.filter(game_id=game.pk, after__status="final")
    assert (change.actor_id, change.reason) == (moderator.pk, "seen")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "final"}, "home_score"),
        ({"status": "final", "home_score": 1}, "away_score"),
        ({"status": "final", "home_score": -1, "away_score": 0}, "home_score"),
        ({"status": "won", "home_score": 1, "away_score": 0}, "status"),
        ({"home_score": 1, "away_score": 0}, "status"),
        ({"status": "cancelled", "home_score": 1, "away_score": 0}, "home_score"),
    ],
)
def test_a_result_that_cannot_be_is_refused(api, moderator, game, body, field):
    answer = respond(api(moderator), "PUT", f"/games/{game.pk}/result", body)
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])
    game.refresh_from_db()
    assert (game.status, game.home_score) == ("scheduled", None)


def test_a_result_before_the_lock_is_refused(api, moderator):
    game = league().games.first()
    body = {"status": "final", "home_score": 1, "away_score": 0}
    assert call(api(moderator), "PUT", f"/games/{game.pk}/result", body) == (409, "INVALID_TRANSITION")


def test_an_unknown_game_is_not_found(api, moderator, db):
    assert call(api(moderator), "PUT", "/games/99/result", {"status": "cancelled"}) == (404, "NOT_FOUND")


def test_only_moderators_and_admins_record_results(api, player, finance, admin_user, game):
    body = {"status": "cancelled"}
    path = f"/games/{game.pk}/result"
    assert call(api(), "PUT", path, body) == (401, "NOT_AUTHENTICATED")
    assert call(api(player), "PUT", path, body) == (403, "FORBIDDEN")
    assert call(api(finance), "PUT", path, body) == (403, "FORBIDDEN")
    assert call(api(admin_user), "PUT", path, body)[0] == 200


def test_another_score_than_pools_are_settled_on_is_refused(api, moderator, game):
    PoolFactory(competition=game.competition, status="running")
    path, body = f"/games/{game.pk}/result", {"status": "final", "home_score": 1, "away_score": 0}
    assert call(api(moderator), "PUT", path, body)[0] == 200
    assert call(api(moderator), "PUT", path, body | {"away_score": 2}) == (409, "CORRECTION_NEEDS_RULING")
