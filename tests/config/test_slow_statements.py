"""Slow statements are known by what they are, never by what they were about."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from config import slow_statements
from config.slow_statements import fingerprint, normalised, note, worst


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.OUTLAST_HOME, settings.SLOW_STATEMENT_MS = tmp_path, 200
    return tmp_path


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT 1", "SELECT 22"),
        ("SELECT * FROM t WHERE a = 'ann@example.com'", "SELECT *  FROM t\n WHERE a = %s"),
        ("SELECT 'it''s'", "SELECT 'x'"),
        ("SELECT $tag$ a 'secret' $tag$", "SELECT $$b$$"),
        ("SELECT * FROM t WHERE id IN (1, 2, 3)", "SELECT * FROM t WHERE id IN (%s)"),
        ("INSERT INTO t VALUES (%s, %s), (%s, %s)", "INSERT INTO t VALUES (%(a)s, %(b)s)"),
        ("SELECT 1 /*request_id='a'*/", "SELECT 1 /*request_id='b'*/"),
        ("SELECT 1 -- secret\n", "SELECT 1"),
        ("SELECT -1.5", "SELECT 7"),
    ],
)
def test_values_comments_and_lengths_make_no_difference(one, other):
    assert normalised(one) == normalised(other)
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"), [("SELECT a", "SELECT b"), ("SELECT t1.a", "SELECT t2.a"), ('SELECT "a1"', 'SELECT "a2"')]
)
def test_names_do(one, other):
    assert fingerprint(one) != fingerprint(other)


def test_they_are_added_up_the_most_expensive_first(caplog):
    note("SELECT 1", 0.3, route="a")
    note("SELECT 2", 0.9, route="b")
    note("SELECT a", 1.0, route="c")
    assert [(slow.statement, slow.count, slow.total_ms, slow.max_ms, slow.route) for slow in worst()] == [
        ("SELECT ?", 2, 1200.0, 900.0, "b"),
        ("SELECT a", 1, 1000.0, 1000.0, "c"),
    ]
    assert [slow.statement for slow in worst(limit=1)] == ["SELECT ?"]


def test_the_line_in_the_log_names_the_statement_and_the_route(caplog):
    note("SELECT 'ann@example.com'", 0.3, route="api/v1/pools")
    (line,) = caplog.records
    assert (line.statement, line.route, line.ms) == ("SELECT ?", "api/v1/pools", 300.0)
    assert line.fingerprint == fingerprint("SELECT ''")


def test_days_are_told_apart_and_the_old_ones_go(home):
    slow_statements.folder().mkdir(parents=True)
    today = datetime.now(UTC).date()
    for ago in (1, 6, 7, 30):
        line = json.dumps({"id": "a" * 12, "sql": "SELECT old", "ms": 250.0, "route": ""})
        (slow_statements.folder() / f"{today - timedelta(days=ago)}.jsonl").write_text(line + "\n")
    note("SELECT new", 0.3, route="")
    kept = sorted(file.stem for file in slow_statements.folder().iterdir())
    assert kept == [str(today - timedelta(days=ago)) for ago in (6, 1, 0)]
    assert [slow.statement for slow in worst()] == ["SELECT new"]
    assert {slow.statement for slow in worst(days=2)} == {"SELECT new", "SELECT old"}


def test_a_days_file_has_a_bound(monkeypatch):
    monkeypatch.setattr(slow_statements, "LARGEST_FILE", 1000)
    for number in range(100):
        note(f"SELECT column_{number}", 0.3, route="")
    (file,) = slow_statements.folder().iterdir()
    assert 0 < file.stat().st_size <= 1000
    assert 0 < len(worst(limit=100)) < 100


def test_a_line_that_was_cut_off_hides_no_other():
    note("SELECT 1", 0.3, route="")
    (file,) = slow_statements.folder().iterdir()
    file.write_text('{"id": "cut\n' + file.read_text())
    assert len(worst()) == 1


def test_where_nothing_can_be_written_nothing_fails(home, caplog):
    (home / "run").write_text("a file where the folder should be")
    assert note("SELECT 1", 0.3, route="") == fingerprint("SELECT 1")
    assert len(caplog.records) == 1


def test_the_command_lists_them():
    note("SELECT 1", 1.25, route="api/v1/pools")
    out = StringIO()
    call_command("slow_queries", stdout=out)
    _, line, statement = out.getvalue().splitlines()
    assert line.split() == [fingerprint("SELECT 1"), "1", "1.2s", "1.2s", "api/v1/pools"]
    assert statement.strip() == "SELECT ?"


def test_the_command_says_when_there_is_nothing():
    out = StringIO()
    call_command("slow_queries", stdout=out)
    assert out.getvalue() == "No statement took 200 ms or longer.\n"
