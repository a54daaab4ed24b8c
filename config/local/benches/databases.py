"""Databases to measure in: each plan's pools are built once, and every measurement gets a fresh copy of them.

A copy is made of files, so each run begins with the very same bytes: nobody measures what the run before left behind,
and what is measured may commit like in real life.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.db import connection

from config.local.benches.bigpools import Plan, build, competition_id, tidy
from config.local.replay.scratch import scratch_database
from entries.services.settlement import settle_competition


class Databases:
    """The built plans of one run of the benchmark."""

    def __init__(self) -> None:
        self._empty = str(connection.settings_dict["NAME"])
        self._built: set[str] = set()

    @contextmanager
    def copy_of(self, plan: Plan) -> Iterator[None]:
        """Connect to a new copy of the plan's database until the block ends; build it where it is the first."""
        self._ensure(plan)
        with self._database(f"{self._empty}_run", like=self._name_of(plan)):
            yield

    @contextmanager
    def original_of(self, plan: Plan) -> Iterator[None]:
        """Connect to the plan's database itself, for those who only read or roll back what they wrote."""
        self._ensure(plan)
        with self._connected(self._name_of(plan)):
            yield

    @contextmanager
    def empty(self, name: str, fill: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Connect to a database of this name without any pool; it is made, and filled, where it is the first time."""
        made = f"{self._empty}_{name}"
        is_new = made not in self._built
        if is_new:
            self._copy(self._empty, made)
            self._built.add(made)
        with self._connected(made):
            if is_new:
                fill()
            yield

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Connect to a new, empty, migrated database until the block ends; its name, for other processes to use."""
        name = f"{self._empty}_fresh"
        with self._database(name, like=self._empty):
            yield name

    def drop(self) -> None:
        """Drop everything that was built."""
        for name in self._built:
            self._run(f'DROP DATABASE IF EXISTS "{name}"')

    def _name_of(self, plan: Plan) -> str:
        return f"{self._empty}_{plan.database}"

    def _ensure(self, plan: Plan) -> None:
        name = self._name_of(plan)
        if name in self._built:
            return
        if plan.settled:
            unsettled = replace(plan, settled=False)
            self._ensure(unsettled)
            self._copy(self._name_of(unsettled), name)
        else:
            self._copy(self._empty, name)
        self._built.add(name)
        with self._connected(name):
            if plan.settled:
                settle_competition(competition_id=competition_id())
                tidy()
            else:
                build(plan)

    def _copy(self, template: str, name: str) -> None:
        connection.close()
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')

    @contextmanager
    def _database(self, name: str, *, like: str) -> Iterator[None]:
        self._copy(like, name)
        try:
            with self._connected(name):
                yield
        finally:
            self._run(f'DROP DATABASE "{name}"')

    @contextmanager
    def _connected(self, name: str) -> Iterator[None]:
        before = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = name
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before

    def _run(self, statement: str) -> None:
        # From outside: nobody may be connected to a database that is copied or dropped.
        with connection._nodb_cursor() as cursor:
            cursor.execute(statement)


@contextmanager
def databases() -> Iterator[Databases]:
    """Make an empty, migrated scratch database, and drop everything afterwards."""
    with scratch_database("bench"):
        made = Databases()
        try:
            yield made
        finally:
            made.drop()
