"""Migrations for `up` and `setup`, left out when nothing can have changed: Django alone takes seconds to look.

Left out means: the same code, file for file, last migrated this database, and the database still lists the same
migrations. `/health/ready` looks for itself, so a wrong guess would be seen and not served.
"""

import hashlib
import os
import sys

import psycopg

from config.local import home
from config.local.progress import Progress

PACKAGES = ("config", "accounts", "pools", "entries", "payments")


def bring_up_to_date(progress: Progress) -> None:
    """Apply what is missing. Raises StepFailed."""
    remembered = home.home() / "run" / "tables.json"
    if home.read_json(remembered).get("mark") == mark():
        return
    progress.run("migrations", [sys.executable, str(home.ROOT / "manage.py"), "migrate", "--noinput"], cwd=home.ROOT)
    home.write_json(remembered, {"mark": mark()})


def mark() -> str:
    """What the tables depend on, in one word: our files, the pinned packages, the database and what it has applied."""
    words = [os.environ["DATABASE_URL"], *applied(), *code()]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def applied() -> list[str]:
    """The migrations that the database lists; none when it was never migrated."""
    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=10) as connection:
        try:
            rows = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
        except psycopg.errors.UndefinedTable:
            return []
    return [f"{app}.{name}" for app, name in rows]


def code() -> list[str]:
    """Every Python file of the system and the lock, by size and time."""
    paths = [home.ROOT / "config" / "local" / "requirements.txt"]
    for package in PACKAGES:
        paths.extend((home.ROOT / package).rglob("*.py"))
    return [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sorted(paths)]
