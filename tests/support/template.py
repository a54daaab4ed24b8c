"""One migrated database for all workers of a test run: each takes a copy, which costs a second in place of twelve.

It is named after the source of the product, so that a changed migration, trigger or currency makes a new one.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.support.running import ROOT

APPS = ("accounts", "config", "entries", "payments", "pools")
PREFIX = "template_of_tests_"
# A number for PostgreSQL's advisory lock; any will do, as long as nobody else uses it on the server's own database.
LOCK = 730_114_205


def prepare_template() -> str:
    """The name of the template, made by the first who asks; the others wait for it."""
    name = f"{PREFIX}{_fingerprint()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])
            found = {row[0] for row in cursor.fetchall()}
            if name not in found:
                _migrate(f"{name}_unfinished")
                cursor.execute(f'ALTER DATABASE "{name}_unfinished" RENAME TO "{name}"')
                for old in found:
                    cursor.execute(f'DROP DATABASE IF EXISTS "{old}"')
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    return name


def _fingerprint() -> str:
    summed = hashlib.sha256()
    for path in sorted(path for app in APPS for path in (ROOT / app).rglob("*.py")):
        summed.update(str(path.relative_to(ROOT)).encode() + b"\0" + Path(path).read_bytes())
    return summed.hexdigest()[:16]


def _migrate(name: str) -> None:
    with _called(name):
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        connection.close()


@contextmanager
def _called(name: str) -> Iterator[None]:
    """While Django makes a database of this name, and takes it for that of the tests."""
    test = connection.settings_dict["TEST"]
    usual, usual_test = connection.settings_dict["NAME"], test["NAME"]
    test["NAME"] = name
    try:
        yield
    finally:
        test["NAME"] = usual_test
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = usual
