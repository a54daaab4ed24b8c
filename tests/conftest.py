"""What every test stands on: real PostgreSQL and Redis, and one person of each kind."""

import os
import random

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import TransactionTestCase
from rest_framework.test import APIClient

from config.api import ratelimit
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory

# Every client has middleware of its own, and this one would read all static files anew: two thirds of a call's time.
settings.WHITENOISE_AUTOREFRESH = True

# Filled by migrations and post-migrate hooks; a test never changes them.
KEPT = (
    "django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions",
    "payments_currency",
)  # fmt: skip


def _empty_tables(self) -> None:
    """Empty what a test wrote. The guards refuse TRUNCATE, so the cleaner works as a replica, where they rest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s)",
            [list(KEPT)],
        )
        tables = ", ".join(name for (name,) in cursor.fetchall())
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY")
        cursor.execute("SET session_replication_role = origin")


TransactionTestCase._fixture_teardown = _empty_tables


@pytest.fixture(autouse=True)
def fresh_limits():
    """Rate limits begin at zero in every test: ids and addresses repeat from one to the next."""
    caches["limits"].clear()
    ratelimit.reset_pause()


# One for all workers, which inherit it: what the property tests draw from.
os.environ.setdefault("OUTLAST_PROPERTY_SEED", str(random.SystemRandom().randrange(10**9)))


def pytest_terminal_summary(terminalreporter) -> None:
    """Said always, because a failure is found again only by it."""
    terminalreporter.write_line(f"OUTLAST_PROPERTY_SEED={os.environ['OUTLAST_PROPERTY_SEED']}")


LONG = ("tests/stack", "tests/races", "tests/replay")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: started last, one of them would keep all other workers waiting for the end."""
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
    """Make a client: `api()` anonymous, `api(user)` signed in as that user without the cost of a token."""

    def make(user=None) -> APIClient:
        client = APIClient()
        if user is not None:
            client.force_authenticate(user)
        return client

    return make
