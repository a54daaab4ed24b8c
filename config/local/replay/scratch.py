"""A database for one run, beside the system's own in the same server, dropped afterwards.

Made and migrated the way Django makes one for tests. A run that was killed leaves its database behind; the next one
drops what nobody is connected to.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper


class NoScratchDatabase(Exception):
    """The server does not let us make one; the message says why."""


@contextmanager
def scratch_database(purpose: str) -> Iterator[None]:
    """Connect to a new, migrated database until the block ends."""
    own = str(connection.settings_dict["NAME"])
    prefix = f"{own}_{purpose}_"
    connection.settings_dict["TEST"]["NAME"] = name = f"{prefix}{os.getpid()}"
    with _in_use(name), _created(own, prefix):
        yield


@contextmanager
def _created(own: str, prefix: str) -> Iterator[None]:
    try:
        _drop_left_behind(prefix)
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    except (DatabaseError, SystemExit) as error:
        raise NoScratchDatabase(
            f"No scratch database can be made beside {own}; the account in DATABASE_URL needs CREATEDB for it. {error}"
        ) from error
    try:
        yield
    finally:
        connection.creation.destroy_test_db(own, verbosity=0)


@contextmanager
def _in_use(name: str) -> Iterator[None]:
    """Say to others, by a session of this name, that the databases whose names begin with it are in use."""
    session = connection.copy()
    session.settings_dict["OPTIONS"]["application_name"] = name
    session.ensure_connection()
    try:
        yield
    finally:
        session.close()


def _drop_left_behind(prefix: str) -> None:
    with connection.cursor() as cursor:
        for name in _left_behind(cursor, prefix):
            cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}")
    connection.close()


def _left_behind(cursor: CursorWrapper, prefix: str) -> list[str]:
    cursor.execute(
        "SELECT datname FROM pg_database d WHERE starts_with(datname, %s)"
        " AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datname = d.datname"
        "                 OR starts_with(a.application_name, %s) AND starts_with(d.datname, a.application_name))",
        [prefix, prefix],
    )
    return [name for (name,) in cursor.fetchall()]
