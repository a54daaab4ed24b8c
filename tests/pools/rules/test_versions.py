"""Versions of rules: a draft's are revised by one person, and every version is kept."""

import pytest

from config.errors import Code, Conflict, Malformed
from pools.models import PoolStatus, Rules
from pools.services.rules import Change, revise_rules, switches_of, versions_of
from tests.factories.pools import PoolFactory, league

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft():
    return PoolFactory(competition=league(rounds=4), status=PoolStatus.DRAFT, first_round_number=2)


def test_a_revision_is_a_new_version_from_the_first_round_on(draft, moderator):
    revised = revise_rules(pool=draft, changes={"tie": "win", "strikes": "1"}, by=moderator)
    assert (revised.version, revised.effective_round_number, revised.created_by) == (2, 2, moderator)
    assert (revised.tie, revised.strikes, revised.missed_pick) == ("win", 1, "eliminate")
    again = revise_rules(pool=draft, changes={"tie": "loss", "house_fee_bp": 100}, by=moderator)
    assert (again.version, again.tie, again.strikes, again.house_fee_bp) == (3, "loss", 1, 100)
    assert [version.changes for version in versions_of(draft)] == [
        [],
        [Change("strikes", 0, 1), Change("tie", "loss", "win")],
        [Change("tie", "win", "loss"), Change("house_fee_bp", 0, 100)],
    ]


def test_the_same_again_makes_no_version(draft, moderator):
    assert revise_rules(pool=draft, changes={"strikes": 0}, by=moderator).version == 1
    assert Rules.objects.count() == 1


def test_a_revision_that_cannot_be_meant_is_refused(draft, moderator):
    revise_rules(pool=draft, changes={"late_entry_until": 3, "late_entry_strikes": True, "strikes": 1}, by=moderator)
    before = switches_of(Rules.objects.latest("version"))
    with pytest.raises(Malformed) as refusal:
        revise_rules(pool=draft, changes={"strikes": 0}, by=moderator)
    assert list(refusal.value.details) == ["rules.late_entry_strikes"]
    assert switches_of(Rules.objects.latest("version")) == before


@pytest.mark.parametrize("status", [status for status in PoolStatus if status != PoolStatus.DRAFT])
def test_rules_that_players_have_seen_are_not_revised(moderator, status):
    pool = PoolFactory(status=status)
    with pytest.raises(Conflict) as refusal:
        revise_rules(pool=pool, changes={"tie": "win"}, by=moderator)
    assert refusal.value.code == Code.INVALID_TRANSITION
    assert "by an amendment, which somebody else confirms" in refusal.value.message
    assert pool.rules_versions.count() == 1


def test_versions_cost_one_query(draft, moderator, django_assert_num_queries):
    for strikes in (1, 2, 3):
        revise_rules(pool=draft, changes={"strikes": strikes}, by=moderator)
    with django_assert_num_queries(1):
        assert len(versions_of(draft)) == 4
