"""The same world twice: a copy of the database in which something else happens."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def copy_of_the_database() -> Iterator[None]:
    """Connect to a copy of it, of its files, until the block ends.

    Nobody else may be connected meanwhile: threads of other tests that keep a connection lose it, and make a new one
    when they are asked next.
    """
    name = connection.settings_dict["NAME"]
    end_sessions_of(name)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}" STRATEGY file_copy')
    connection.settings_dict["NAME"] = f"{name}_copy"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}_copy"')


def end_sessions_of(database: str) -> None:
    """Nobody is connected to it any more, neither we nor threads that keep a connection."""
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [database])
