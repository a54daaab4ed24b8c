"""Amendments over the API: proposed and confirmed by moderators, read by the pool's players."""

import pytest

from entries.models import RequestStatus
from pools.models import Amendment, Pool
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.calls import call, respond

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return PoolFactory(competition=league(rounds=4))


@pytest.fixture
def second(db):
    return ModeratorFactory()


@pytest.fixture
def propose(api, pool, moderator):
    def send(changes=None, reason="Agreed.", by=moderator):
        body = {"changes": {"tie": "win"} if changes is None else changes, "reason": reason}
        return call(api(by), "POST", f"/pools/{pool.pk}/amendments", body)

    return send


def decide(client, amendment, how="confirm"):
    return call(client, "POST", f"/amendments/{amendment['id']}/{how}")


def test_two_moderators_amend_the_rules(api, pool, moderator, second, propose):
    status, made = propose({"tie": "win", "two_pick_rounds": "4,3", "reuse_reset_round": 3})
    assert status == 201
    assert made == {
        "id": made["id"], "pool": pool.pk, "status": "proposed", "reason": "Agreed.", "version": None,
        "changes": {"tie": "win", "two_pick_rounds": [3, 4], "reuse_reset_round": 3}, "effective_round": None,
        "proposed_by": moderator.pk, "proposed_at": made["proposed_at"], "decided_by": None, "decided_at": None,
    }  # fmt: skip
    assert decide(api(moderator), made) == (403, "FORBIDDEN")
    lock_round(pool.competition.rounds.get(number=1))
    status, decided = decide(api(second), made)
    assert (status, decided["status"], decided["decided_by"]) == (200, "confirmed", second.pk)
    assert (decided["version"], decided["effective_round"]) == (2, 2)
    assert call(api(), "GET", f"/pools/{pool.pk}")[1]["rules"]["tie"] == "win"
    assert decide(api(second), made) == (409, "INVALID_TRANSITION")


def test_a_proposal_is_withdrawn(api, second, propose):
    made = propose()[1]
    status, decided = decide(api(second), made, "withdraw")
    assert (status, decided["status"], decided["version"]) == (200, "withdrawn", None)
    assert decide(api(second), made, "withdraw") == (409, "INVALID_TRANSITION")


def test_refusals_name_the_switch(api, pool, moderator):
    path = f"/pools/{pool.pk}/amendments"
    for changes, key in (({"house_fee_bp": 5}, "rules.house_fee_bp"), ({"tie": "draw"}, "rules.tie"), ({}, "changes")):
        answer = respond(api(moderator), "POST", path, {"changes": changes, "reason": "x"})
        assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [key])
    for body in ({"changes": {"tie": "win"}}, {"reason": "x"}, {"changes": [], "reason": "x"}):
        assert call(api(moderator), "POST", path, body) == (400, "VALIDATION_ERROR")
    assert not Amendment.objects.exists()


def test_the_state_of_the_pool_decides(api, pool, propose, second):
    made = propose()[1]
    assert propose() == (409, "INVALID_TRANSITION")
    for round_ in pool.competition.rounds.all():
        lock_round(round_)
    assert decide(api(second), made) == (422, "DEADLINE_PASSED")
    Pool.objects.update(status="finished")
    assert decide(api(second), made) == (422, "POOL_CLOSED")
    assert propose() == (422, "POOL_CLOSED")


def test_players_of_the_pool_read_what_was_confirmed_without_names(api, pool, second, propose, player, stranger):
    EntryFactory(in_pool=pool, owner=player)
    waiting_player = RequestFactory(pool=pool).user
    gone = RequestFactory(pool=pool, status=RequestStatus.REJECTED, reason="x").user
    path = f"/pools/{pool.pk}/amendments"
    decide(api(second), propose()[1])
    decide(api(second), propose({"strikes": 1})[1], "withdraw")
    propose({"strikes": 2})
    for caller in (player, waiting_player):
        status, told = call(api(caller), "GET", path)
        assert (status, [one["changes"] for one in told]) == (200, [{"tie": "win"}])
        assert (told[0]["proposed_by"], told[0]["decided_by"]) == (None, None)
    assert [one["status"] for one in call(api(second), "GET", path)[1]] == ["proposed", "withdrawn", "confirmed"]
    for caller in (stranger, gone):
        assert call(api(caller), "GET", path) == (404, "NOT_FOUND")
    assert call(api(), "GET", path) == (401, "NOT_AUTHENTICATED")


def test_finance_looks_and_players_do_not_decide(api, pool, propose, player, finance):
    made = propose()[1]
    EntryFactory(in_pool=pool, owner=player)
    assert len(call(api(finance), "GET", f"/pools/{pool.pk}/amendments")[1]) == 1
    for caller in (player, finance):
        assert propose(by=caller) == (403, "FORBIDDEN")
        assert decide(api(caller), made) == (403, "FORBIDDEN")
        assert decide(api(caller), made, "withdraw") == (403, "FORBIDDEN")
    assert decide(api(), made) == (401, "NOT_AUTHENTICATED")
    assert Amendment.objects.get().status == "proposed"


def test_what_is_not_there_is_not_found(api, moderator):
    assert call(api(moderator), "POST", "/amendments/99/confirm") == (404, "NOT_FOUND")
    body = {"changes": {"tie": "win"}, "reason": "x"}
    assert call(api(moderator), "POST", "/pools/99/amendments", body) == (404, "NOT_FOUND")
