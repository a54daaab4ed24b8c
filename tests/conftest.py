"""What every test stands on: real PostgreSQL and Redis, and one person of each kind."""

import gc
import itertools
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
from tests.support.copies import end_sessions_of
from tests.support.drawing import pytest_terminal_summary
from tests.support.limits import stop_windows
from tests.support.parts import pytest_collection_modifyitems, pytest_ignore_collect
from tests.support.skips import pytest_runtest_makereport
from tests.support.template import prepare_template
from tests.support.truth import listen, pytest_runtest_call

# Hooks that are written apart.
__all__ = [
    "pytest_collection_modifyitems", "pytest_ignore_collect", "pytest_runtest_call", "pytest_runtest_makereport",
    "pytest_terminal_summary",
]  # fmt: skip

# Every client has middleware of its own, and this one would read all static files anew: two thirds of a call's time.
settings.WHITENOISE_AUTOREFRESH = True

# What the API answers in any test is what its schema says.
listen()

# Filled by migrations and post-migrate hooks; a test never changes them.
KEPT = (
    "django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions",
    "payments_currency",
)  # fmt: skip


# A test fills a dozen tables of a hundred: those are emptied row by row, and what was never written, which is as long
# as nothing, is not even looked into. That takes a twentieth of truncating all of them.
EMPTY = """
    DO $empty$
    DECLARE
        one oid;
        written oid[] := ARRAY(
            SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                AND pg_relation_size(oid) > 0 AND relname <> ALL (string_to_array('{kept}', ' '))
        );
    BEGIN
        FOREACH one IN ARRAY written LOOP
            EXECUTE 'DELETE FROM ' || one::regclass;
        END LOOP;
        PERFORM setval(objid::regclass, 1, false)
        FROM pg_depend JOIN pg_class ON pg_class.oid = objid AND relkind = 'S'
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjid = ANY (written);
    END
    $empty$
"""
# What was deleted stays behind as dead rows, so now and then everything is truncated; and first of all, because tests
# before, which took back what they wrote, have used numbers of sequences.
TRUNCATE_EVERY = 50
PREPARING = pytest.StashKey[threading.Thread]()
_emptied = itertools.count()


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


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Threads that keep a connection lose it before the database is dropped."""
    yield
    with django_db_blocker.unblock():
        end_sessions_of(connection.settings_dict["NAME"])


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
def fresh_limits(monkeypatch):
    """Limits begin at zero in every test, and no page is kept: ids, addresses, versions and ports repeat.

    No window ends meanwhile either: a test that counts up to a limit may take longer than what is left of one.
    """
    stop_windows(monkeypatch)
    caches["limits"].clear()
    counting.reset_pause()
    breakers.forget()
    KEEPER.forget()


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Modules and thousands of tests stay: the collector need not look through them while they are made, nor again and
    again afterwards. What tests leave is little: looking for it less often saves a twentieth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        gc.enable()


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
