import os
from io import StringIO

import psycopg
import pytest

from config.local import home
from config.local.progress import Progress, StepFailed
from config.local.services import ensure
from config.local.supervisor import tables


@pytest.fixture
def connection(only_postgres):
    ensure()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as found:
        yield found


def test_the_mark_stays_while_nothing_changes(connection):
    assert tables.mark() == tables.mark()


def test_a_migration_that_came_or_went_changes_the_mark(connection):
    before = tables.mark()
    connection.execute("CREATE TABLE django_migrations (app text, name text)")
    connection.execute("INSERT INTO django_migrations VALUES ('pools', '0001_initial')")

    assert tables.applied() == ["pools.0001_initial"]
    assert tables.mark() != before


def test_changed_code_changes_the_mark(connection, monkeypatch):
    before = tables.mark()
    monkeypatch.setattr(tables, "PACKAGES", tables.PACKAGES[:-1])

    assert tables.mark() != before


def test_nothing_is_run_when_nothing_can_have_changed(connection, only_postgres):
    home.write_json(only_postgres / "run" / "tables.json", {"mark": tables.mark()})
    said = StringIO()

    tables.bring_up_to_date(Progress(stream=said))

    assert said.getvalue() == ""


def test_a_failed_migration_is_told_and_tried_again_next_time(connection, only_postgres, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.no_such_settings")

    with pytest.raises(StepFailed, match="migrations failed"):
        tables.bring_up_to_date(Progress(stream=StringIO()))

    assert not (only_postgres / "run" / "tables.json").exists()
