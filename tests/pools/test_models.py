"""What the database itself holds about competitions and pools, attacked with raw SQL."""

from datetime import timedelta

import pytest
from django.db import Error, connection, transaction

from config.clock import database_now
from pools.models import Game, GameChange, Pool, PoolChange, PoolStatus, Round, Rules
from tests.factories.pools import PoolFactory, league, lock_round

pytestmark = pytest.mark.django_db


def attack(sql: str, *values) -> str:
    """Run the statement; the name of the constraint that refused it."""
    with connection.cursor() as cursor:
        # Checks that wait for the commit would hide the guards of TRUNCATE.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(Error) as refusal, transaction.atomic():
            cursor.execute(sql, values)
    return refusal.value.__cause__.diag.constraint_name


@pytest.fixture
def pool() -> Pool:
    return PoolFactory(competition=league(rounds=2))


@pytest.fixture
def game(pool) -> Game:
    return pool.competition.games.first()


def test_a_final_game_without_scores_is_refused(game):
    for scores in ("", ", home_score = 3", ", away_score = 0"):
        assert (
            attack(f"UPDATE pools_game SET status = 'final'{scores} WHERE id = %s", game.pk) == "game_final_has_scores"
        )


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'done'", "game_status_known"),
        ("home_score = -1", "pools_game_home_score_check"),
        ("away_id = home_id", "game_one_competition"),
        ("external_id = (SELECT max(external_id) FROM pools_game)", "game_external_id_unique"),
    ],
)
def test_a_game_that_cannot_be_is_refused(game, change, constraint):
    assert attack(f"UPDATE pools_game SET {change} WHERE id = %s", game.pk) == constraint


@pytest.mark.parametrize("column", ["round_id", "home_id", "away_id", "competition_id"])
def test_a_game_keeps_to_one_competition(game, column):
    other = league().games.first()
    sql = f"UPDATE pools_game SET {column} = %s WHERE id = %s"
    assert attack(sql, getattr(other, column), game.pk) == "game_one_competition"


@pytest.mark.parametrize("table", ["pools_game", "pools_pool"])
def test_games_and_pools_never_disappear(pool, table):
    assert attack(f"DELETE FROM {table}") == "never_deleted"
    assert attack(f"TRUNCATE {table} CASCADE") == "never_truncated"


@pytest.mark.parametrize("table", ["pools_rules", "pools_gamechange", "pools_poolchange"])
def test_rules_and_history_are_written_once(pool, table):
    column = "version" if table == "pools_rules" else "reason"
    assert attack(f"UPDATE {table} SET {column} = {column}") == "append_only"
    assert attack(f"DELETE FROM {table}") == "append_only"
    assert attack(f"TRUNCATE {table} CASCADE") == "append_only_truncate"
    assert {Rules, GameChange, PoolChange} == {
        model for model in (Rules, GameChange, PoolChange) if model.objects.exists()
    }


@pytest.mark.parametrize(
    ("switch", "constraint"),
    [
        ("lock = 'never'", "rules_lock_known"),
        ("tie = 'draw'", "rules_tie_known"),
        ("missed_pick = 'x'", "rules_missed_pick_known"),
        ("cancelled_game = 'x'", "rules_cancelled_known"),
        ("all_out = 'x'", "rules_all_out_known"),
        ("last_round = 'x'", "rules_last_round_known"),
        ("payout = 'x'", "rules_payout_known"),
        ("picks_per_round = 3", "rules_picks_per_round_range"),
        ("reuse_limit = 0", "rules_reuse_limit_positive"),
        ("house_fee_bp = 10001", "rules_house_fee_range"),
        ("version = 1", "rules_version_follows"),
    ],
)
def test_rules_that_cannot_be_are_refused(pool, switch, constraint):
    """A copy of version 1 as version 2 of a draft, but for one switch."""
    pool = PoolFactory(competition=pool.competition, status=PoolStatus.DRAFT)
    key, value = switch.split(" = ")
    columns = [field.column for field in Rules._meta.fields if field.column != "id"]
    changed = {"version": "2", key: value}
    chosen = ", ".join(changed.get(column, column) for column in columns)
    sql = f"INSERT INTO pools_rules ({', '.join(columns)}) SELECT {chosen} FROM pools_rules WHERE pool_id = %s"
    assert attack(sql, pool.pk) == constraint


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("draft", "running"), ("draft", "finished"), ("open", "draft"), ("running", "open"), ("finished", "running"),
        ("cancelled", "open"), ("cancelled", "draft"),
    ],
)  # fmt: skip
def test_a_pool_does_not_jump(before, after):
    pool = PoolFactory(status=before)
    assert attack("UPDATE pools_pool SET status = %s WHERE id = %s", after, pool.pk) == "status_map"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'closed'", "status_map"),
        ("last_round_number = 0", "pool_rounds_order"),
        ("first_round_number = 0", "pool_first_round_positive"),
        ("max_entries_per_user = 0", "pool_limit_positive"),
        ("capacity = 0", "pool_capacity_positive"),
        ("entry_fee_cents = -1", "pools_pool_entry_fee_cents_check"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(pool, change, constraint):
    assert attack(f"UPDATE pools_pool SET {change} WHERE id = %s", pool.pk) == constraint


def test_a_currency_is_a_code_in_lower_case():
    pool = PoolFactory(status="draft")
    assert attack("UPDATE pools_pool SET currency = 'USD' WHERE id = %s", pool.pk) == "pool_currency_code"


def test_raw_sql_leaves_history_too(pool, game):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pools_pool SET capacity = 10 WHERE id = %s", [pool.pk])
        cursor.execute("UPDATE pools_game SET home_score = 3 WHERE id = %s", [game.pk])
        cursor.execute("UPDATE pools_game SET home_score = 3 WHERE id = %s", [game.pk])
    assert PoolChange.objects.latest("id").details["capacity"] == 10
    assert GameChange.objects.filter(game_id=game.pk, before__isnull=False).count() == 1


# --- Locks -----------------------------------------------------------------------------------------------------------


def lock_of(round_: Round):
    round_.refresh_from_db()
    return round_.locks_at


def test_a_round_locks_at_its_first_kickoff(pool):
    first = pool.competition.rounds.get(number=1)
    early, _ = first.games.order_by("id")
    assert lock_of(first) == early.kickoff_at
    moved = early.kickoff_at - timedelta(hours=5)
    Game.objects.filter(pk=early.pk).update(kickoff_at=moved)
    assert lock_of(first) == moved
    Game.objects.filter(pk=early.pk).update(kickoff_at=moved + timedelta(days=2))
    assert lock_of(first) == first.games.order_by("id").last().kickoff_at


def test_a_fixed_lock_locks_earlier_but_never_later(pool):
    first = pool.competition.rounds.get(number=1)
    kickoff = lock_of(first)
    Round.objects.filter(pk=first.pk).update(fixed_locks_at=kickoff + timedelta(hours=1))
    assert lock_of(first) == kickoff
    Round.objects.filter(pk=first.pk).update(fixed_locks_at=kickoff - timedelta(hours=1))
    assert lock_of(first) == kickoff - timedelta(hours=1)


def test_a_game_that_changes_rounds_moves_both_locks(pool):
    first, second = pool.competition.rounds.order_by("number")
    early, late = first.games.order_by("id")
    Game.objects.filter(pk=late.pk).update(kickoff_at=early.kickoff_at + timedelta(hours=3))
    Game.objects.filter(pk=early.pk).update(round=second)
    assert lock_of(first) == early.kickoff_at + timedelta(hours=3)
    assert lock_of(second) == early.kickoff_at


def test_a_first_game_postponed_after_the_lock_does_not_reopen_the_round(pool):
    first, second = pool.competition.rounds.order_by("number")
    lock_round(first)
    locked = lock_of(first)
    for game in first.games.all():
        Game.objects.filter(pk=game.pk).update(kickoff_at=database_now() + timedelta(days=3), status="postponed")
        assert lock_of(first) == locked
    Game.objects.filter(pk=game.pk).update(round=second)
    assert lock_of(first) == locked


@pytest.mark.parametrize(
    "change",
    [
        "first_kickoff_at = first_kickoff_at + interval '1 second'",
        "first_kickoff_at = NULL",
        "first_kickoff_at = NULL, fixed_locks_at = clock_timestamp() + interval '1 hour'",
    ],
)
def test_a_lock_that_has_passed_cannot_move_later(pool, change):
    first = pool.competition.rounds.get(number=1)
    lock_round(first)
    assert attack(f"UPDATE pools_round SET {change} WHERE id = %s", first.pk) == "round_lock_stays"


def test_a_fixed_lock_that_has_passed_cannot_be_lifted(pool):
    first = pool.competition.rounds.get(number=1)
    Round.objects.filter(pk=first.pk).update(fixed_locks_at=database_now() - timedelta(seconds=1))
    for later in ("NULL", "clock_timestamp() + interval '1 minute'"):
        assert attack(f"UPDATE pools_round SET fixed_locks_at = {later} WHERE id = %s", first.pk) == "round_lock_stays"


def test_a_lock_cannot_be_written_past_its_parts(pool):
    with pytest.raises(Error, match="locks_at"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE pools_round SET locks_at = clock_timestamp()")


def test_a_revealed_round_stays_revealed(pool):
    first = pool.competition.rounds.get(number=1)
    lock_round(first)
    Round.objects.filter(pk=first.pk).update(revealed_at=database_now())
    assert attack("UPDATE pools_round SET revealed_at = NULL WHERE id = %s", first.pk) == "round_reveal_stays"


def test_a_round_number_is_given_once_in_a_competition(pool):
    assert attack("UPDATE pools_round SET number = 1 WHERE competition_id = %s", pool.competition_id) == (
        "round_number_unique"
    )
    assert attack("UPDATE pools_round SET number = 0 WHERE number = 1") == "round_number_positive"
