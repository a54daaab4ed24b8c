"""The same world twice: a copy of the database in which something else happens."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def copy_of_the_database() -> Iterator[None]:
    """Connect to a copy of it, of its files, until the block ends. Nobody else may be connected meanwhile."""
    name = connection.settings_dict["NAME"]
    connection.close()
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
