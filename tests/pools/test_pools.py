"""Making, opening, starting and cancelling pools."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from config.clock import database_now
from config.errors import Conflict, InvalidTransition, Malformed, Refused
from config.models import OutboxMessage
from pools.models import Pool, PoolChange, PoolStatus, Round, Rules
from pools.services.disputes import change_dispute_rules
from pools.services.pools import cancel_pool, close_pool, create_pool, publish_pool, start_due_pools
from tests.factories.entries import EntryFactory
from tests.factories.pools import CompetitionFactory, PoolFactory, league, lock_round

pytestmark = pytest.mark.django_db


def draft(**fields) -> Pool:
    fields = {"competition": None, "name": "Main", "created_by": None, "rules": {}} | fields
    fields["competition"] = fields["competition"] or league()
    return create_pool(**fields)


def test_a_new_pool_is_a_draft_with_version_1_of_its_rules(moderator):
    pool = draft(created_by=moderator, rules={"strikes": 1}, entry_fee_cents=5000)
    assert (pool.status, pool.first_round_number, pool.last_round_number) == (PoolStatus.DRAFT, 1, 3)
    rules = Rules.objects.get(pool=pool)
    assert (rules.version, rules.strikes, rules.effective_round_number, rules.created_by) == (1, 1, 1, moderator)
    change = PoolChange.objects.get()
    assert (change.subject_id, change.from_status, change.to_status) == (pool.pk, "", "draft")
    assert (change.actor_id, change.details["entry_fee_cents"]) == (moderator.pk, 5000)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"currency": "dollars"}, "currency"),
        ({"currency": "u$d"}, "currency"),
        ({"capacity": 0}, "capacity"),
        ({"max_entries_per_user": 0}, "max_entries_per_user"),
        ({"max_entries_per_user": 1001}, "max_entries_per_user"),
        ({"entry_fee_cents": -1}, "entry_fee_cents"),
        ({"entry_fee_cents": "much"}, "entry_fee_cents"),
        ({"first_round_number": 4}, "first_round_number"),
        ({"last_round_number": 0}, "last_round_number"),
        ({"first_round_number": 3, "last_round_number": 2}, "last_round_number"),
        ({"countries": ["USA"]}, "countries"),
        ({"countries": ["US-"]}, "countries"),
        ({"countries": ["US-NEVADA"]}, "countries"),
        ({"minimum_age": 121}, "minimum_age"),
        ({"pay_within_hours": 0}, "pay_within_hours"),
        ({"status": "open"}, "status"),
    ],
)
def test_a_field_that_cannot_be_is_named(fields, field):
    with pytest.raises(Malformed) as refusal:
        draft(**fields)
    assert list(refusal.value.details) == [field]
    assert not Pool.objects.exists()


def test_a_competition_without_rounds_has_no_pools_yet():
    with pytest.raises(Malformed) as refusal:
        draft(competition=CompetitionFactory())
    assert list(refusal.value.details) == ["competition"]


def test_bad_rules_leave_no_pool_behind():
    with pytest.raises(Malformed):
        draft(rules={"tie": "draw"})
    assert not Pool.objects.exists()


def test_publishing_opens_a_draft_once(moderator):
    pool = publish_pool(pool=draft(), by=moderator, now=database_now())
    assert pool.status == PoolStatus.OPEN
    assert PoolChange.objects.latest("id").actor_id == moderator.pk
    with pytest.raises(InvalidTransition):
        publish_pool(pool=pool, by=moderator, now=database_now())


def test_a_pool_that_nobody_could_join_is_not_published(moderator):
    competition = league()
    lock_round(competition.rounds.get(number=1))
    pool = draft(competition=competition)
    with pytest.raises(Refused, match="first round locked at"):
        publish_pool(pool=pool, by=moderator, now=database_now())
    later = draft(competition=competition, first_round_number=2)
    assert publish_pool(pool=later, by=moderator, now=database_now()).status == PoolStatus.OPEN
    assert publish_pool(pool=pool, by=None, now=database_now(), allow_past=True).status == PoolStatus.OPEN


def test_a_pool_without_rules_is_not_published(moderator):
    pool = Pool.objects.create(competition=league(), name="Bare", last_round_number=1)
    with pytest.raises(Malformed, match="no rules"):
        publish_pool(pool=pool, by=moderator, now=database_now())


def test_a_pool_starts_when_its_first_round_locks_and_not_before():
    pool = PoolFactory(first_round_number=2)
    locks_at = Round.objects.get(competition=pool.competition, number=2).locks_at
    assert start_due_pools(locks_at - timedelta(microseconds=1)) == 0
    assert start_due_pools(locks_at) == 1
    assert start_due_pools(locks_at) == 0
    pool.refresh_from_db()
    assert pool.status == PoolStatus.RUNNING
    assert PoolChange.objects.latest("id").reason == "the first round has locked"


def test_starting_asks_once_for_all_pools(django_assert_num_queries):
    competition = league()
    draft(competition=competition)
    PoolFactory.create_batch(3, competition=competition)
    in_two_days = database_now() + timedelta(days=2)
    with django_assert_num_queries(4):  # the transaction's two, who and why, the update
        assert start_due_pools(in_two_days) == 3
    assert Pool.objects.filter(status=PoolStatus.DRAFT).count() == 1


@pytest.mark.parametrize(
    "make",
    [lambda: draft(), lambda: PoolFactory(), lambda: PoolFactory(status=PoolStatus.RUNNING)],
    ids=["draft", "open", "running"],
)
def test_a_pool_without_entries_can_be_cancelled_with_a_reason(make, moderator):
    pool = cancel_pool(pool=make(), by=moderator, reason=" too few ")
    assert pool.status == PoolStatus.CANCELLED
    assert PoolChange.objects.latest("id").reason == "too few"


def test_cancelling_needs_a_reason(moderator):
    with pytest.raises(Malformed):
        cancel_pool(pool=PoolFactory(), by=moderator, reason=" ")


def test_a_pool_with_a_paid_entry_is_not_cancelled(moderator):
    pool = EntryFactory().pool
    with pytest.raises(Conflict, match="1 paid entry"):
        cancel_pool(pool=pool, by=moderator, reason="too few")
    pool.refresh_from_db()
    assert pool.status == PoolStatus.OPEN


@pytest.mark.parametrize("status", [PoolStatus.FINISHED, PoolStatus.CANCELLED])
def test_a_pool_that_has_ended_is_not_cancelled(moderator, status):
    pool = EntryFactory().pool
    Pool.objects.filter(pk=pool.pk).update(status=status)
    for end in (cancel_pool, close_pool):
        with pytest.raises(InvalidTransition):
            end(pool=pool, by=moderator, reason="rain")


def test_a_pool_is_closed_whatever_places_it_has(moderator):
    pool = EntryFactory(in_pool=PoolFactory(status=PoolStatus.RUNNING)).pool
    assert close_pool(pool=pool, by=moderator, reason=" rain ").status == PoolStatus.CANCELLED
    change = PoolChange.objects.latest("id")
    assert (change.from_status, change.to_status, change.actor_id, change.reason) == (
        "running", "cancelled", moderator.pk, "rain",
    )  # fmt: skip
    assert sorted(OutboxMessage.objects.values_list("kind", "key", "payload__pool")) == [
        ("pool.cancelled", f"pool-cancelled-{pool.pk}", pool.pk),
        ("pool.closed", f"pool-closed-{pool.pk}", pool.pk),
    ]


def test_closing_needs_a_reason(moderator):
    with pytest.raises(Malformed):
        close_pool(pool=PoolFactory(), by=moderator, reason=" ")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"entry_fee_cents": 49}, "Must be 0, or at least 50 (0.50 USD): less cannot be charged."),
        ({"entry_fee_cents": 1, "currency": "HUF"}, "Must be 0, or at least 17500 (175.00 HUF)"),
        ({"entry_fee_cents": 1005, "currency": "kwd"}, "Must end in 0: KWD is charged in hundredths."),
    ],
)
def test_a_fee_that_no_card_can_pay_is_refused(fields, message):
    with pytest.raises(Malformed) as refusal:
        draft(**fields)
    assert list(refusal.value.details) == ["entry_fee_cents"]
    assert message in refusal.value.details["entry_fee_cents"][0]


@pytest.mark.parametrize("fee", [0, 50])
def test_a_free_pool_and_the_smallest_fee_are_possible(fee):
    assert draft(entry_fee_cents=fee).entry_fee_cents == fee


def test_the_price_of_coming_back_is_one_that_can_be_charged():
    rules = {"buy_back_until": 1, "buy_back_limit": 1, "buy_back_fee_cents": 29}
    with pytest.raises(Malformed) as refusal:
        draft(rules=rules, currency="gbp")
    assert refusal.value.details == {
        "rules.buy_back_fee_cents": ["Must be 0, or at least 30 (0.30 GBP): less cannot be charged."]
    }
    assert draft(rules=rules | {"buy_back_fee_cents": 30}, currency="gbp").currency == "gbp"


def test_what_happens_in_a_dispute_is_the_house_s_unless_said():
    pool = draft()
    assert (pool.suspended_may_pick, pool.chargeback_bearer) == (True, "house")
    pool = draft(suspended_may_pick=False, chargeback_bearer="pot")
    assert (pool.suspended_may_pick, pool.chargeback_bearer) == (False, "pot")
    with pytest.raises(Malformed) as refusal:
        draft(chargeback_bearer="players")
    assert list(refusal.value.details) == ["chargeback_bearer"]


def test_what_happens_in_a_dispute_changes_until_the_pool_ends(moderator):
    pool = PoolFactory(status=PoolStatus.RUNNING)
    change_dispute_rules(pool=pool, by=moderator, suspended_may_pick=False, chargeback_bearer="pot")
    change = PoolChange.objects.latest("id")
    assert (change.details["suspended_may_pick"], change.details["chargeback_bearer"]) == (False, "pot")
    assert change.actor_id == moderator.pk
    change_dispute_rules(pool=pool, by=moderator, suspended_may_pick=False, chargeback_bearer="pot")
    assert PoolChange.objects.latest("id") == change
    close_pool(pool=pool, by=moderator, reason="rain")
    with pytest.raises(Conflict, match="is cancelled"):
        change_dispute_rules(pool=pool, by=moderator, suspended_may_pick=True, chargeback_bearer="pot")


class TestAttacks:
    """What the database itself refuses."""

    def refused(self, sql, pool):
        with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [pool.pk])
        return caught.value.__cause__.diag.constraint_name

    @pytest.mark.parametrize("status", [status for status in PoolStatus if status != PoolStatus.DRAFT])
    def test_the_currency_of_a_pool_that_left_its_draft_is_fixed(self, status):
        pool = PoolFactory(status=status)
        sql = "UPDATE pools_pool SET currency = 'eur' WHERE id = %s"
        assert self.refused(sql, pool) == "pool_currency_fixed"

    def test_that_of_a_draft_is_not(self):
        pool = draft()
        Pool.objects.filter(pk=pool.pk).update(currency="eur")

    def test_who_bears_a_lost_dispute_is_one_of_two(self):
        sql = "UPDATE pools_pool SET chargeback_bearer = 'nobody' WHERE id = %s"
        assert self.refused(sql, PoolFactory()) == "pool_chargeback_bearer_known"
