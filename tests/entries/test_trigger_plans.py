"""A session that has changed one row changes a thousand as fast as a fresh one: triggers plan by the rows they have.

A plan kept from a statement of one row joins old and new rows by looking at all of one for each of the other. The
database itself tells the plans here; seconds would tell the machine.
"""

import json

import pytest
from django.db import connection

from entries.models import Entry, Pick
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, league

MANY = 150
UPDATES = {
    "entries_entry": "SET strikes = strikes + 1",
    "entries_request": "SET reason = reason || 'x'",
    "entries_pick": "SET source = CASE source WHEN 'import' THEN 'player' ELSE 'import' END",
    "pools_game": "SET home_spread = coalesce(home_spread, 0) + 1",
    "pools_pool": "SET capacity = coalesce(capacity, 1000) + 1",
}


@pytest.fixture
def plans(db):
    """Run a statement; the plans of what its triggers ran."""
    with connection.cursor() as cursor:
        cursor.execute("LOAD 'auto_explain'")
        for name, value in (
            ("log_min_duration", "0"), ("log_nested_statements", "on"), ("log_format", "json"), ("log_analyze", "off"),
        ):  # fmt: skip
            cursor.execute(f"SET LOCAL auto_explain.{name} = '{value}'")
        cursor.execute("SET LOCAL client_min_messages = 'log'")
    heard = []

    def listener(notice):
        heard.append(notice.message_primary)

    connection.connection.add_notice_handler(listener)

    def run(sql, *parameters):
        heard.clear()
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            changed = cursor.rowcount
        return changed, [json.loads(said[said.index("{") :]) for said in heard if "{" in said]

    yield run
    connection.connection.remove_notice_handler(listener)


@pytest.fixture
def many():
    """A hundred and fifty of everything that is updated here."""
    pool = PoolFactory(competition=league(rounds=MANY // 2))
    for _ in range(MANY):
        pick(EntryFactory(in_pool=pool), 1, "ANT")
        PoolFactory(competition=pool.competition)


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def looks_at_all_for_each(plan) -> bool:
    """Whether rows of one transition table are looked for by walking through the other."""
    return any(
        node["Node Type"] == "Nested Loop"
        and all(any("Tuplestore" in inner["Node Type"] for inner in nodes(side)) for side in node["Plans"])
        for node in nodes(plan["Plan"])
    )


@pytest.mark.parametrize("table", UPDATES)
def test_many_rows_after_one_are_joined_by_a_plan_for_many(plans, many, table):
    one, _ = plans(f"UPDATE {table} {UPDATES[table]} WHERE id = (SELECT min(id) FROM {table})")
    all_of_them, told = plans(f"UPDATE {table} {UPDATES[table]}")

    joins = [plan for plan in told if "JOIN old_rows" in plan["Query Text"]]
    assert (one, all_of_them >= MANY) == (1, True)
    assert joins, "the triggers' plans were not told"
    assert [plan["Query Text"] for plan in joins if looks_at_all_for_each(plan)] == []


def test_a_plan_kept_from_one_row_would_be_noticed(plans, many):
    plans(
        """
        CREATE FUNCTION pg_temp.kept() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE n bigint; BEGIN
            SELECT count(*) INTO n FROM new_rows n JOIN old_rows o USING (id) WHERE n.strikes <> o.strikes; RETURN NULL;
        END $$
        """
    )
    plans(
        "CREATE TRIGGER kept AFTER UPDATE ON entries_entry REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.kept()"
    )
    plans("UPDATE entries_entry SET strikes = strikes + 1 WHERE id = (SELECT min(id) FROM entries_entry)")

    _, told = plans("UPDATE entries_entry SET strikes = strikes + 1")

    assert any(looks_at_all_for_each(plan) for plan in told)


def test_a_settlement_pays_nothing_for_the_mark_of_voids(plans, many):
    _, told = plans("UPDATE entries_entry SET strikes = 1")

    assert Entry.objects.count() == Pick.objects.count() == MANY
    assert [plan["Query Text"] for plan in told if "settlementmark" in plan["Query Text"]] == []
