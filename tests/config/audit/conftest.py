"""Entries to chain, and somebody with all rights who touches them."""

from datetime import timedelta

import pytest
from django.db import connection

from config import audit
from config.audit.sealing import seal
from config.clock import database_now
from config.models import AuditLink


def write(count, action="thing.done"):
    for _ in range(count):
        audit.record(action=action, reason="a reason\nof two lines, with ünïcode", data={"count": 3})


def today():
    return database_now().date()


def tamper(sql, *params):
    """As somebody with all rights over the database would."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, params)
        cursor.execute("SET session_replication_role = origin")


def yesterday(count=3):
    """Links of the day before: entries cannot be written in the past, so theirs is moved there afterwards."""
    write(count)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE config_auditentry DISABLE TRIGGER USER")
        cursor.execute("UPDATE config_auditentry SET at = at - interval '1 day'")
        cursor.execute("ALTER TABLE config_auditentry ENABLE TRIGGER USER")
    seal()
    return today() - timedelta(days=1)


@pytest.fixture
def chained(db):
    write(5)
    seal()
    return list(AuditLink.objects.order_by("day", "number"))
