"""What every test stands on: real PostgreSQL and Redis, and one person of each kind."""

import gc
import itertools
import os
import random
import threading
from contextlib import closing
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import TransactionTestCase
from pytest_django.plugin import blocking_manager_key
from rest_framework.test import APIClient
from xdist import is_xdist_worker

from accounts.services.tokens import AccessClaims
from config.api import counting
from config.http import breakers
from config.pages.looking import KEEPER
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory
from tests.support.skips import pytest_runtest_makereport
from tests.support.template import prepare_template
from tests.support.truth import listen, pytest_runtest_call

# Hooks that are written apart.
__all__ = ["pytest_runtest_call", "pytest_runtest_makereport"]

# Every client has middleware of its own, and this one would read all static files anew: two thirds of a call's time.
settings.WHITENOISE_AUTOREFRESH = True

# What the API answers in any test is what its schema says.
listen()

# Filled by migrations and post-migrate hooks; a test never changes them.
KEPT = (
    "django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions",
    "payments_currency",
)  # fmt: skip


# A test fills a dozen tables of a hundred: those are emptied row by row, which takes a tenth of truncating all of them.
EMPTY = """
    DO $empty$
    DECLARE
        one record;
        is_filled boolean;
    BEGIN
        FOR one IN SELECT quote_ident(tablename) AS name FROM pg_tables
                   WHERE schemaname = 'public' AND tablename <> ALL (string_to_array('{kept}', ' ')) LOOP
            EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || one.name || ')' INTO is_filled;
            IF is_filled THEN
                EXECUTE 'DELETE FROM ' || one.name;
            END IF;
        END LOOP;
        PERFORM setval(quote_ident(sequencename)::regclass, 1, false) FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL
            AND regexp_replace(sequencename, '_id_seq$', '') <> ALL (string_to_array('{kept}', ' '));
    END
    $empty$
"""
# What was deleted stays behind as dead rows, so now and then everything is truncated.
TRUNCATE_EVERY = 50
PREPARING = pytest.StashKey[threading.Thread]()
_emptied = itertools.count(1)


def _empty_tables(self) -> None:
    """Empty what a test wrote. The guards refuse it, so the cleaner works as a replica, where they rest."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        if next(_emptied) % TRUNCATE_EVERY:
            cursor.execute(EMPTY.format(kept=" ".join(KEPT)))
        else:
            cursor.execute(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s)",
                [list(KEPT)],
            )
            tables = ", ".join(name for (name,) in cursor.fetchall())
            cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY")
        cursor.execute("SET session_replication_role = origin")


TransactionTestCase._fixture_teardown = _empty_tables


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, django_db_blocker):
    """Copied from one database that was migrated once; and a commit does not wait for the disk.

    Nobody pulls the plug of these databases, and half the time was that. What a client sees of commits, locks and
    crashes of its own is the same. Tests that kill servers have servers of their own.
    """
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = _template()


def _template() -> str:
    options = connection.settings_dict["OPTIONS"]
    options["options"] = options["options"].replace("synchronous_commit=on", "synchronous_commit=off")
    # Many threads at once on a busy machine: nobody there is a web server that had better give up.
    options["connect_timeout"] = 60
    return prepare_template()


def pytest_sessionstart(session: pytest.Session) -> None:
    """While workers import and collect, what they are going to copy is made: else all of them would wait for one."""
    is_alone = session.config.getoption("dist", "no") == "no"
    if not is_alone and not is_xdist_worker(session):
        blocker = session.config.stash[blocking_manager_key]

        def prepare() -> None:
            with blocker.unblock(), closing(connection):
                _template()

        session.config.stash[PREPARING] = threading.Thread(target=prepare)
        session.config.stash[PREPARING].start()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that is over sooner waits for the template: the next one has use for it."""
    if PREPARING in session.config.stash:
        session.config.stash[PREPARING].join()


@pytest.fixture(autouse=True)
def fresh_limits():
    """Limits begin at zero in every test, and no page is kept: ids, addresses, versions and ports repeat."""
    caches["limits"].clear()
    counting.reset_pause()
    breakers.forget()
    KEEPER.forget()


# One for all workers, which inherit it: what the property tests draw from.
os.environ.setdefault("OUTLAST_PROPERTY_SEED", str(random.SystemRandom().randrange(10**9)))


def pytest_terminal_summary(terminalreporter) -> None:
    """Said always, because a failure is found again only by it."""
    terminalreporter.write_line(f"OUTLAST_PROPERTY_SEED={os.environ['OUTLAST_PROPERTY_SEED']}")


LONG = (
    "tests/stack", "tests/entries/test_settlement_property.py", "tests/config/local/commands/test_up.py",
    "tests/payments/reconciliation/test_lost_day.py", "tests/races", "tests/replay",
)  # fmt: skip
# Not of every day, but of every commit: races, the catalogue of money, walks through every door, providers in trouble,
# our tools by themselves, whole seasons, plans of a big house, each guard without itself.
SLOW = (
    "tests/accounts/staff/test_entrance.py",
    "tests/cases/test_secrecy.py",
    "tests/catalogue/",
    "tests/clients/",
    "tests/config/local/",
    "tests/config/test_metrics.py",
    "tests/contract/test_calls.py",
    "tests/config/test_statements.py",
    "tests/config/test_telemetry.py",
    "tests/entries/test_constant_time.py",
    "tests/entries/test_secrecy.py",
    "tests/entries/test_trigger_plans.py",
    "tests/mutation/test_database_guards.py",
    "tests/oracle/test_seasons.py",
    "tests/payments/reconciliation/test_feed.py",
    "tests/payments/test_adoption.py",
    "tests/payments/test_disputes_and_refunds.py",
    "tests/payments/test_movements.py",
    "tests/payments/test_reconcile.py",
    "tests/payments/test_refund_trouble.py",
    "tests/races/",
    "tests/replay/",
    "tests/security/matrix/test_injection.py",
    "tests/security/matrix/test_lists.py",
    "tests/security/matrix/test_pages.py",
    "tests/security/matrix/test_secrecy.py",
    "tests/security/test_checklist_lists.py",
)


# Of these a part is tried with each commit, file by file: the tools of the house by themselves, kills, pages.
SLICED = (
    "tests/config/local/benches/",
    "tests/config/local/commands/test_bench.py",
    "tests/config/local/demo/",
    "tests/config/local/oidc/",
    "tests/config/local/services/",
    "tests/config/local/stripe/",
    "tests/config/local/supervisor/",
    "tests/payments/reconciliation/test_planted_there.py",
    "tests/security/matrix/test_pages.py",
    "tests/security/test_checklist_tools.py",
    "tests/stack/test_alarms.py",
    "tests/stack/test_killed_",
    "tests/stack/test_rolling_restarts.py",
)


def of_other_slices(items: list[pytest.Item], wanted: str) -> list[pytest.Item]:
    """Those marked `sliced` that are not wanted now: `2/3` wants every third, beginning with the second.

    Of what is marked `sliced(by="file")`, whole files.
    """
    if not wanted:
        return []
    number, count = (int(part) for part in wanted.split("/"))
    marked = [(item, mark) for item in items if (mark := item.get_closest_marker("sliced"))]
    parts = {item: item.location[0] if mark.kwargs.get("by") == "file" else item.nodeid for item, mark in marked}
    places = {part: place for place, part in enumerate(dict.fromkeys(parts.values()))}
    return [item for item, part in parts.items() if places[part] % count != number - 1]


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Modules and thousands of tests stay: the collector need not look through them while they are made, nor again and
    again afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long ones first: started last, one of them would keep all other workers waiting for the end."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
        if item.nodeid.startswith(SLICED):
            item.add_marker(pytest.mark.sliced(by="file"))
    if others := of_other_slices(items, os.environ.get("OUTLAST_SLICE", "")):
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
    items.sort(key=lambda item: next((i for i, folder in enumerate(LONG) if item.nodeid.startswith(folder)), len(LONG)))


@pytest.fixture
def player(db):
    return UserFactory()


@pytest.fixture
def stranger(db):
    return UserFactory()


@pytest.fixture
def moderator(db):
    return ModeratorFactory()


@pytest.fixture
def finance(db):
    return FinanceFactory()


@pytest.fixture
def admin_user(db):
    return AdminFactory()


@pytest.fixture
def api():
    """Make a client: `api()` anonymous, `api(user)` as if that user had signed in this moment, without the cost."""

    def make(user=None) -> APIClient:
        client = APIClient()
        if user is not None:
            # Proved for ever: tests travel through days.
            proved_at = datetime.max.replace(tzinfo=UTC)
            client.force_authenticate(user, AccessClaims(user.pk, uuid4(), user.token_version, proved_at))
        return client

    return make
