"""Every statement is timed, and says whose it is; what is prepared stays one text."""

import re

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config import slow_statements, statements
from config.logging import current_request_id
from config.scraping import exposed
from config.tracing import begin
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db

ASK = "SELECT current_query()"
TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def as_the_server_sees_it(sql=ASK, params=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]


def test_the_server_is_told_the_request_its_route_and_its_trace():
    with begin(request_id="req-1", traceparent=TRACEPARENT, route="api/v1/pools/<int:pk>") as work:
        seen = as_the_server_sees_it()
    assert seen == (
        f"{ASK} /*request_id='req-1',route='api/v1/pools/<int:pk>',traceparent='{work.trace.traceparent}'*/"
    )


def test_outside_of_any_work_nothing_is_said():
    assert as_the_server_sees_it() == ASK


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("a'; DROP TABLE x; --", "a___DROP_TABLE_x__--"),
        ("a*/ SELECT 1 /*", "a_/_SELECT_1_/_"),
        ("100%s %(x)s", "100_s__(x)s"),
        (r"^pools/(?P<pk>[0-9]+)/$", r"^pools/(?P<pk>[0-9]+)/$"),
        ("x" * 500, "x" * 200),
    ],
)
def test_no_route_ends_the_comment_or_stands_for_a_value(route, said):
    with begin(request_id="req-1", route=route):
        seen = as_the_server_sees_it(f"{ASK} WHERE 5 = %s", [5])
    assert re.search(r"route='(.*?)',traceparent=", seen)[1] == said


def test_the_route_is_said_from_the_moment_it_is_known():
    with begin(request_id="req-1") as work:
        assert "route=" not in as_the_server_sees_it()
        work.route = "ready"
        assert "route='ready'" in as_the_server_sees_it()


def test_statements_are_counted_and_timed():
    with begin(request_id="req-1") as work:
        as_the_server_sees_it()
        as_the_server_sees_it("SELECT pg_sleep(0.05)")
    assert work.db_queries == 2
    assert work.db_seconds > 0.05


def test_a_request_tells_how_much_it_asked(client, caplog):
    caplog.set_level("INFO", "outlast.request")
    with CaptureQueriesContext(connection) as seen:
        client.get("/api/v1/pools")
    (line,) = [record for record in caplog.records if record.name == "outlast.request"]
    assert (line.route, line.db_queries) == ("api/v1/pools$", len(seen))
    assert len(seen) > 0
    assert all("route='api/v1/pools$'" in query["sql"] for query in seen.captured_queries)


def prepared():
    return as_the_server_sees_it("SELECT count(*) FROM pg_prepared_statements")


def test_djangos_cursors_prepare_nothing_however_often_so_comments_cost_no_plan(monkeypatch):
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepare_threshold", 0)
    before = prepared()
    with begin(request_id="req-1"):
        seen = {as_the_server_sees_it(f"{ASK} -- %s", [1]) for _ in range(10)}
    assert "request_id='req-1'" in seen.pop()
    assert prepared() == before


def test_a_cursor_that_may_prepare_gets_no_comments(monkeypatch):
    """As `server_side_binding` would make Django's cursors: then texts must stay what they are."""
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepare_threshold", 0)
    monkeypatch.setattr(connection.connection, "cursor_factory", psycopg.Cursor)
    before = prepared()
    for request_id in ("req-1", "req-2", "req-3"):
        with begin(request_id=request_id) as work:
            assert as_the_server_sees_it(f"{ASK} WHERE %s::int = 5", [5]) == f"{ASK} WHERE $1::int = 5"
    assert work.db_queries == 1
    monkeypatch.undo()
    assert prepared() == before + 1


def test_who_wraps_a_block_takes_only_their_own_away():
    def nothing(execute, *rest):
        return execute(*rest)

    connection.close()
    with connection.execute_wrapper(nothing):
        connection.ensure_connection()
        assert connection.execute_wrappers[-1] is nothing
    assert statements._around in connection.execute_wrappers
    assert nothing not in connection.execute_wrappers


def test_every_connection_listens_once():
    for _ in range(3):
        connection.close()
        connection.ensure_connection()
    assert connection.execute_wrappers.count(statements._around) == 1


def count_of(because):
    return float(re.search(rf'outlast_db_refusals_total{{because="{because}"}} (\S+)', exposed().decode())[1])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("because", "prelude", "sql"),
    [
        ("statement_timeout", "SET LOCAL statement_timeout = 20", "SELECT pg_sleep(5)"),
        ("lock_timeout", "SET LOCAL lock_timeout = 20", "SELECT pg_advisory_xact_lock(4711)"),
    ],
)
def test_what_postgresql_gives_up_is_counted_by_its_reason(because, prelude, sql):
    before = count_of(because)

    @transaction.atomic
    def ask():
        with connection.cursor() as cursor:
            cursor.execute(prelude)
            cursor.execute(sql)

    connection.ensure_connection()
    with psycopg.connect(connection.connection.info.dsn, password=connection.settings_dict["PASSWORD"]) as other:
        other.execute("SELECT pg_advisory_xact_lock(4711)")
        with pytest.raises(OperationalError):
            ask()
    assert count_of(because) == before + 1


class TestSlowOnes:
    @pytest.fixture(autouse=True)
    def patience(self, settings, tmp_path):
        settings.SLOW_STATEMENT_MS, settings.OUTLAST_HOME = 30, tmp_path

    def test_they_are_written_down_without_values(self, caplog):
        with begin(request_id="req-1", route="api/v1/pools"):
            as_the_server_sees_it("SELECT pg_sleep(0.05), 'ann@example.com' = %s", ["bob@example.com"])
        as_the_server_sees_it("SELECT pg_sleep(0.06),  'carl@example.com' = %s", ["dora@example.com"])
        as_the_server_sees_it("SELECT 1")
        (slow,) = slow_statements.worst()
        assert (slow.count, slow.statement) == (2, "SELECT pg_sleep(?), ? = ?")
        assert slow.total_ms >= slow.max_ms >= 50
        assert len([one for one in caplog.records if one.name == "outlast.slow_statement"]) == 2
        written = "".join(file.read_text() for file in (slow_statements.folder()).iterdir())
        assert "example.com" not in written + caplog.text

    def test_the_worst_remembers_where_it_was_asked(self):
        with begin(request_id="req-1", route="api/v1/pools"):
            as_the_server_sees_it("SELECT pg_sleep(0.05)")
        assert [slow.route for slow in slow_statements.worst()] == ["api/v1/pools"]


@pytest.mark.django_db(transaction=True)
def test_two_threads_do_not_count_for_each_other():
    found = {}

    def ask(name, times):
        with begin(request_id=name) as work:
            for _ in range(times):
                as_the_server_sees_it()
            found[name] = (work.db_queries, current_request_id.get())

    outcomes = run_together([lambda: ask("one", 3), lambda: ask("two", 5)])
    assert all(outcome.worked for outcome in outcomes)
    assert found == {"one": (3, "one"), "two": (5, "two")}
