"""The versions of a pool's rules over the API."""

import pytest

from pools.models import PoolStatus, Rules
from pools.services.rules import confirm_amendment, propose_amendment, sentences
from tests.factories.accounts import ModeratorFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.calls import call

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool(moderator):
    """A pool whose rules were amended after its first lock."""
    pool = PoolFactory(competition=league(rounds=4), status=PoolStatus.RUNNING)
    lock_round(pool.competition.rounds.get(number=1))
    amendment = propose_amendment(
        pool=pool, changes={"tie": "win", "two_pick_rounds": [3]}, reason="Agreed.", by=moderator
    )
    confirm_amendment(amendment=amendment, by=ModeratorFactory())
    return pool


def test_anybody_reads_every_version_in_words_and_what_it_changed(api, pool):
    status, (first, second) = call(api(), "GET", f"/pools/{pool.pk}/rules")
    assert status == 200
    assert (first["version"], first["effective_round"], first["changes"], first["reason"]) == (1, 1, [], None)
    assert (second["version"], second["effective_round"], second["reason"]) == (2, 2, "Agreed.")
    assert second["changes"] == [
        {"key": "tie", "before": "loss", "after": "win"},
        {"key": "two_pick_rounds", "before": [], "after": [3]},
    ]
    versions = {rules.version: rules for rules in pool.rules_versions.all()}
    for told in (first, second):
        assert told["text"] == sentences(versions[told["version"]], pool)
        assert told["tie"] == versions[told["version"]].tie
        # Who did it is not shown.
        assert not {"created_by", "confirmed_by", "proposed_by"} & told.keys()
    assert call(api(), "GET", f"/pools/{pool.pk}")[1]["rules"].items() <= second.items()


def test_a_drafts_rules_are_there_for_staff_alone(api, player, moderator):
    draft = PoolFactory(status=PoolStatus.DRAFT)
    path = f"/pools/{draft.pk}/rules"
    assert call(api(), "GET", path) == (404, "NOT_FOUND")
    assert call(api(player), "GET", path) == (404, "NOT_FOUND")
    assert call(api(moderator), "GET", path)[0] == 200
    assert call(api(moderator), "GET", "/pools/999999999999999999/rules") == (404, "NOT_FOUND")


def test_a_moderator_revises_a_draft(api, moderator):
    draft = PoolFactory(status=PoolStatus.DRAFT)
    path = f"/pools/{draft.pk}/rules"
    for _ in range(2):
        status, told = call(api(moderator), "POST", path, {"tie": "void", "reuse_limit": 2})
        assert (status, told["version"], told["tie"], told["reuse_limit"]) == (200, 2, "void", 2)
    assert draft.rules_versions.count() == 2
    assert call(api(moderator), "POST", path, {"buy_back_until": 3}) == (400, "VALIDATION_ERROR")
    assert call(api(moderator), "POST", path, [1]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(("name", "nothing"), [
    ("two_pick_rounds", None), ("two_pick_rounds", ""), ("payout_table", "  "), ("reuse_reset_round", ""),
    ("buy_back_until", " "),
])  # fmt: skip
def test_nothing_is_no_list_and_no_number(api, moderator, name, nothing):
    draft = PoolFactory(status=PoolStatus.DRAFT)
    assert call(api(moderator), "POST", f"/pools/{draft.pk}/rules", {name: nothing}) == (400, "VALIDATION_ERROR")


def test_what_players_have_seen_is_not_revised(api, moderator, pool):
    assert call(api(moderator), "POST", f"/pools/{pool.pk}/rules", {"tie": "loss"}) == (409, "INVALID_TRANSITION")


def test_only_moderators_and_admins_revise(api, player, finance, admin_user):
    draft = PoolFactory(status=PoolStatus.DRAFT)
    path, body = f"/pools/{draft.pk}/rules", {"tie": "win"}
    assert call(api(), "POST", path, body) == (401, "NOT_AUTHENTICATED")
    for caller in (player, finance):
        assert call(api(caller), "POST", path, body) == (403, "FORBIDDEN")
    assert Rules.objects.count() == 1
    assert call(api(admin_user), "POST", path, body)[0] == 200
