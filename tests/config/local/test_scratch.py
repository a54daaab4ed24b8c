"""Scratch databases: what a killed run left behind is dropped, what another run uses is not."""

import pytest
from django.db import connection

from config.local.replay.scratch import _in_use, _left_behind
from tests.config.local.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def name():
    """A database that nobody is connected to, as a benchmark has several."""
    prefix = f"{connection.settings_dict['NAME']}_tried_"
    name = f"{prefix}1_big"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield prefix, name
        cursor.execute(f'DROP DATABASE "{name}"')


def left_behind(prefix):
    with connection.cursor() as cursor:
        return _left_behind(cursor, prefix)


def test_a_database_that_nobody_speaks_for_was_left_behind(name):
    prefix, left = name

    assert left_behind(prefix) == [left]


def test_a_run_that_goes_on_keeps_its_databases_also_while_it_is_not_connected_to_them(name):
    prefix, used = name

    with _in_use(f"{prefix}1"):
        assert left_behind(prefix) == []
    # PostgreSQL ends a session a moment after the client has left.
    assert wait_until(lambda: left_behind(prefix)) == [used]


def test_a_run_speaks_for_its_own_databases_alone(name):
    prefix, left = name

    with _in_use(f"{prefix}2"):
        assert left_behind(prefix) == [left]
