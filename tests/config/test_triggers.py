"""Guards stand whatever a session sets, and every table that must have them does."""

import pgtrigger
import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from config.audit import Change, attribute
from entries.models import RequestChange
from tests.factories.entries import EntryFactory, RequestFactory


def test_no_session_can_switch_a_guard_off(db):
    entry = EntryFactory()

    with pgtrigger.ignore(), pytest.raises(IntegrityError), transaction.atomic():
        type(entry).objects.filter(pk=entry.pk).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("DELETE FROM entries_entry")


def test_every_declared_guard_is_installed(db):
    declared = {
        trigger.get_pgid(model)
        for model in apps.get_models()
        for trigger in getattr(model._meta, "triggers", [])
        if model._meta.app_label in ("accounts", "pools", "entries", "payments", "config")
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'")
        installed = {name for (name,) in cursor.fetchall()}

    assert declared
    assert declared <= installed


def change_tables():
    return [model for model in apps.get_models() if issubclass(model, Change)]


@pytest.mark.parametrize("model", change_tables(), ids=lambda model: model._meta.db_table)
@pytest.mark.parametrize("sql", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_no_change_table_can_be_rewritten(db, model, sql):
    table = model._meta.db_table
    with connection.cursor() as cursor:
        # A row to attack, whatever the table's columns want.
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s"
            " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'",
            [table],
        )
        needed = {name: "{}" if kind in ("jsonb", "ARRAY") else "0" for name, kind in cursor.fetchall()}
        names, values = ", ".join(needed), list(needed.values())
        holes = ", ".join(["%s"] * len(values))
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES ({holes})" if needed else f"INSERT INTO {table} DEFAULT VALUES",
            values,
        )
        with pytest.raises(IntegrityError, match="kept as they are"), transaction.atomic():
            cursor.execute(sql.format(table))


def test_a_change_names_who_and_why(db, moderator):
    request = RequestFactory()
    attribute(by=moderator, reason="a test")

    request.status = "withdrawn"
    request.save(update_fields=["status"])

    change = RequestChange.objects.last()
    assert (change.from_status, change.to_status) == ("pending", "withdrawn")
    assert (change.actor_id, change.reason) == (moderator.pk, "a test")


def test_a_statement_that_changes_nothing_of_interest_leaves_no_line(db):
    request = RequestFactory()
    before = RequestChange.objects.count()

    request.save(update_fields=["status"])

    assert RequestChange.objects.count() == before
