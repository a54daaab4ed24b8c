"""Pages of a big pool cost what pages of a small one do: no query walks through the entries, at any depth.

The database tells how many rows of the big tables each query of a page has touched. Twenty thousand entries are
enough to see a walk, which would be one at a million, too.
"""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.local.benches.bigpools import Plan, build
from entries.queries.pool_numbers import EntryNumbers
from entries.services.settlement import settle_competition
from pools.models import Competition, Pool
from tests.support.calls import respond

pytestmark = pytest.mark.django_db(transaction=True)

ENTRIES, LIMIT = 20_000, 20
BIG = {"entries_entry", "entries_pick", "entries_request", "entries_entrychange", "accounts_user"}
# A page of entries with its users, twelve rounds of picks at most, and one row more to know whether there are more.
FEW = 3 * (LIMIT + 1) + LIMIT


@pytest.fixture
def pool():
    build(Plan("tried", entries=ENTRIES))
    settle_competition(competition_id=Competition.objects.get().pk)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return Pool.objects.get()


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def touched(sql: str) -> int:
    """How many rows of big tables the query read, those that it threw away included."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        found = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in nodes(plan)
        if node.get("Relation Name") in BIG
    )


def costs(do) -> tuple[int, float]:
    """How many queries, and how many rows of big tables they touched."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        do()
    asked = [
        query["sql"] for query in captured.captured_queries if query["sql"].lstrip().startswith(("SELECT", "WITH"))
    ]
    return len(captured.captured_queries), sum(touched(sql) for sql in asked)


@pytest.mark.parametrize("query", [{}, {"status": "active"}, {"status": "eliminated"}], ids=str)
def test_standings_touch_a_page_of_entries_at_any_depth(api, pool, query):
    path, cursors, answer = f"/pools/{pool.pk}/standings", [{}], None
    for _ in range(8):
        answer = respond(api(), "GET", path, limit=100, **query, **cursors[-1]).json()
        cursors.append({"cursor": answer["meta"]["pagination"]["next_cursor"]})

    first, deep = (
        costs(lambda at=at: respond(api(), "GET", path, limit=LIMIT, **query, **at)) for at in (cursors[0], cursors[-1])
    )

    assert len(answer["data"]) == 100
    assert max(first[0], deep[0]) <= 6
    assert max(first[1], deep[1]) <= FEW


def test_the_total_of_standings_is_known_without_a_count(api, pool):
    totals = {
        status: respond(api(), "GET", f"/pools/{pool.pk}/standings", **({"status": status} if status else {})).json()[
            "meta"
        ]["pagination"]["total"]
        for status in ("", "active", "eliminated", "winner")
    }

    counted = {status: pool.entries.filter(status=status).count() for status in ("active", "eliminated", "winner")}
    assert totals == {"": ENTRIES, **counted}


def test_a_distribution_touches_no_pick(api, pool):
    queries, rows = costs(lambda: respond(api(), "GET", f"/pools/{pool.pk}/rounds/1/distribution"))

    assert queries <= 6
    assert rows == 0


def test_numbers_of_pools_and_rounds_touch_no_entry(pool):
    assert costs(lambda: EntryNumbers().pool_numbers([pool.pk])) == (1, 0)
    assert costs(lambda: EntryNumbers().round_numbers(pool.pk, [1, 2]))[1] == 0


def test_a_walk_would_be_noticed(pool):
    assert costs(lambda: pool.entries.exclude(status="void").count())[1] >= ENTRIES
