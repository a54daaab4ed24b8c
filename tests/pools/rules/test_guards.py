"""What the database itself holds about versions of rules and amendments, attacked with raw SQL."""

import pytest

from pools.models import Amendment, PoolStatus, Rules
from pools.services.rules import confirm_amendment, propose_amendment, withdraw_amendment
from tests.factories.accounts import ModeratorFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.pools.test_models import attack

pytestmark = pytest.mark.django_db

COPY = """
    INSERT INTO pools_rules (pool_id, version, effective_round_number, created_by_id, confirmed_by_id, {switches})
    SELECT pool_id, %s, %s, %s, %s, {switches} FROM pools_rules WHERE pool_id = %s AND version = 1
"""


def new_version(pool, version=2, effective=1, created_by=None, confirmed_by=None) -> str:
    ids = [None if person is None else person.pk for person in (created_by, confirmed_by)]
    return attack(COPY.format(switches=", ".join(Rules.KEYS)), version, effective, *ids, pool.pk)


@pytest.fixture
def pool():
    return PoolFactory(competition=league(rounds=3), status=PoolStatus.RUNNING)


@pytest.fixture
def second():
    return ModeratorFactory()


@pytest.fixture
def amendment(pool, moderator):
    return propose_amendment(pool=pool, changes={"tie": "win"}, reason="Agreed.", by=moderator)


@pytest.mark.parametrize("names", ["nobody", "one", "the same"])
def test_a_new_version_of_a_pool_in_play_needs_two_names(pool, moderator, names):
    people = {"nobody": (None, None), "one": (moderator, None), "the same": (moderator, moderator)}[names]
    assert new_version(pool, created_by=people[0], confirmed_by=people[1]) == "rules_two_names"


def test_an_ended_pool_gets_no_new_version(moderator, second):
    for status in ("finished", "cancelled"):
        pool = PoolFactory(status=status)
        assert new_version(pool, created_by=moderator, confirmed_by=second) == "rules_two_names"


def test_a_new_version_governs_no_round_that_has_locked(pool, moderator, second):
    lock_round(pool.competition.rounds.get(number=2))
    for effective in (1, 2):
        assert new_version(pool, effective=effective, created_by=moderator, confirmed_by=second) == "rules_forward_only"


@pytest.mark.parametrize("version", [0, 3, 7])
def test_versions_are_counted_without_a_gap(pool, moderator, second, version):
    assert new_version(pool, version=version, created_by=moderator, confirmed_by=second) == "rules_version_follows"


def test_an_amendment_begins_as_a_proposal(pool, moderator, second):
    sql = """
        INSERT INTO pools_amendment (pool_id, changes, reason, status, proposed_by_id, decided_by_id, decided_at)
        VALUES (%s, '{}', 'x', %s, %s, %s, now())
    """
    for status in ("confirmed", "withdrawn"):
        assert attack(sql, pool.pk, status, moderator.pk, second.pk) == "amendment_begins_proposed"


def test_a_second_proposal_is_refused(amendment):
    sql = """
        INSERT INTO pools_amendment (pool_id, changes, reason, status, proposed_by_id)
        SELECT pool_id, changes, reason, status, proposed_by_id FROM pools_amendment
    """
    assert attack(sql) == "amendment_one_waits"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'done'", "status_map"),
        ("status = 'confirmed'", "amendment_became_rules"),
        ("status = 'withdrawn'", "amendment_decision_is_named"),
        ("decided_at = now()", "amendment_decision_is_named"),
        ("rules_id = (SELECT max(id) FROM pools_rules)", "amendment_same_names"),
        ("reason = 'another'", "amendment_stays"),
        ("changes = '{\"strikes\": 9}'", "amendment_stays"),
        ("pool_id = pool_id + 1", "amendment_stays"),
        ("proposed_by_id = NULL", "amendment_stays"),
        ("proposed_at = now() - interval '1 day'", "amendment_stays"),
    ],
)
def test_a_proposal_stays_as_it_was_made(amendment, change, constraint):
    assert attack(f"UPDATE pools_amendment SET {change} WHERE id = %s", amendment.pk) == constraint


def test_a_confirmation_without_rules_is_refused(amendment, second):
    sql = "UPDATE pools_amendment SET status = 'confirmed', decided_at = now(), decided_by_id = %s"
    assert attack(sql, second.pk) == "amendment_became_rules"


def test_whoever_proposed_it_cannot_be_the_second_name(moderator):
    # A draft's versions need no second name: the only ones in which both could be the same.
    pool = PoolFactory(status=PoolStatus.DRAFT)
    rules = Rules.objects.create(
        pool=pool, version=2, effective_round_number=1, created_by=moderator, confirmed_by=moderator
    )
    amendment = Amendment.objects.create(pool=pool, changes={}, reason="x", proposed_by=moderator)
    sql = "UPDATE pools_amendment SET status = 'confirmed', decided_at = now(), decided_by_id = %s, rules_id = %s"
    assert attack(sql + " WHERE id = %s", moderator.pk, rules.pk, amendment.pk) == "amendment_two_names"


def test_it_does_not_become_the_rules_of_another_pool(amendment, second):
    other = PoolFactory(competition=amendment.pool.competition)
    sql = "UPDATE pools_amendment SET status = 'confirmed', decided_at = now(), decided_by_id = %s, rules_id = %s"
    for rules in (other.rules_versions.get(), amendment.pool.rules_versions.get()):
        assert attack(sql, second.pk, rules.pk) == "amendment_same_names"


@pytest.mark.parametrize("decide", [confirm_amendment, withdraw_amendment])
@pytest.mark.parametrize("change", ["status = 'proposed'", "decided_at = now()", "reason = 'x'", "rules_id = NULL"])
def test_a_decision_is_final(amendment, second, decide, change):
    decide(amendment=amendment, by=second)
    assert attack(f"UPDATE pools_amendment SET {change}") in ("amendment_stays", "status_map")


def test_nobody_deletes_an_amendment(amendment):
    assert attack("DELETE FROM pools_amendment") == "never_deleted"
    assert attack("TRUNCATE pools_amendment CASCADE") == "never_truncated"
    assert Amendment.objects.count() == 1
