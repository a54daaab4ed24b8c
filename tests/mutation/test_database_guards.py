"""Each guard of the database, alone: with it the attack is refused in its name, without it the attack goes through.

Whatever else of the table would answer is lifted beforehand, so that each shows what it holds by itself. One row of
everything is made once; all of it happens in one transaction, which is taken back.
"""

from contextlib import contextmanager

import pytest
from django.db import Error, connection, transaction
from django.test import TestCase

from tests.mutation import world
from tests.mutation.attacks import attacks_on
from tests.mutation.catalog import Guard, guarded_tables, guards
from tests.mutation.statements import Attack
from tests.mutation.written import ATTACKS

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def catalog(django_db_setup, django_db_blocker):
    """The guards of each table, with a row of everything to attack."""
    with django_db_blocker.unblock():
        atomics = TestCase._enter_atomics()
        try:
            world.build()
            # What tests before this one have left behind may still be looking at a table.
            execute("SET LOCAL lock_timeout = '60s'")
            found = guards()
            yield {table: [guard for guard in found if guard.table == table] for table in guarded_tables()}
        finally:
            TestCase._rollback_atomics(atomics)


@pytest.mark.parametrize("table", guarded_tables())
def test_each_guard_holds_and_is_missed(catalog, table):
    assert catalog[table], "a table without any guard"
    found = [problem for guard in catalog[table] for problem in problems(guard, catalog[table])]
    assert found == []


def test_nothing_is_written_down_for_guards_that_are_gone(catalog):
    there = {
        (guard.table, name if guard.kind in ("check", "reference") else f"{guard.short}: {name}")
        for table in catalog.values()
        for guard in table
        for name in guard.names or (guard.short,)
    }
    assert {(table, name) for table, attacks in ATTACKS.items() for name in attacks} - there == set()


def problems(guard: Guard, of_table: list[Guard]) -> list[str]:
    """What is wrong with a guard, or with how it is attacked."""
    attacks = attacks_on(guard)
    found = [f"{guard.short}: nothing attacks {name}" for name, those in attacks.items() if not those]
    for name, those in attacks.items():
        for attack in those:
            with taken_back():
                lift_all_but(guard, of_table)
                found += [f"{guard.short}: {problem}" for problem in tried(guard, name, attack)]
    return found


def tried(guard: Guard, name: str, attack: Attack) -> list[str]:
    for statement in attack.before:
        execute(statement)
    statement = attack.does.sql(guard.table, columns_of(guard.table))
    prepare_key(guard, attack)
    if not guard.names:
        return _watched(guard, statement)
    refusal = outcome(statement)
    found = [] if refusal == name else [f"with it, {statement} ends with {refusal}"]
    lift(guard)
    refusal = outcome(statement)
    return found if refusal == "" else [*found, f"without it, {statement} ends with {refusal}"]


def _watched(guard: Guard, statement: str) -> list[str]:
    """A trigger that refuses nothing, but writes something down."""
    found = [] if outcome(statement, watch=guard.writes) == "seen" else [f"with it, {statement} leaves no trace"]
    lift(guard)
    return found if outcome(statement, watch=guard.writes) == "" else [*found, f"without it, {statement} does, too"]


def outcome(statement: str, watch: str = "") -> str:
    """What refuses the statement by the commit; else whether it left a trace in the table; it is taken back."""
    with taken_back():
        try:
            with transaction.atomic():
                before = trace(watch)
                execute("SET CONSTRAINTS ALL DEFERRED")
                changed = execute(statement)
                execute("SET CONSTRAINTS ALL IMMEDIATE")
                after = trace(watch)
        except Error as error:
            cause = error.__cause__
            return getattr(cause.diag, "constraint_name", None) or f"{cause.sqlstate} {cause}"
        if not changed:
            return "no row to attack"
        return "seen" if before != after else ""


def trace(table: str) -> object:
    if not table:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT array_agg(t.id ORDER BY t.id) FROM {table} t")
        return cursor.fetchone()


def lift_all_but(guard: Guard, of_table: list[Guard]) -> None:
    """Take everything else away that could answer: of this table, and of those that refer to it."""
    execute(f"ALTER TABLE {guard.table} DISABLE TRIGGER USER")
    if guard.kind == "trigger":
        execute(f'ALTER TABLE {guard.table} ENABLE TRIGGER "{guard.name}"')
    for table, name in referring(guard.table):
        if name != guard.name:
            execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}"')
    for other in of_table:
        # Rows keep their ids, unless it is about just them.
        is_kept = other.name.endswith("_pkey") and not (guard.kind == "key" and "id" in guard.columns)
        if other is not guard and other.kind != "trigger" and not is_kept:
            lift(other)


def lift(guard: Guard) -> None:
    if guard.kind == "trigger":
        execute(f'DROP TRIGGER "{guard.name}" ON {guard.table}')
    elif guard.is_constraint:
        execute(f'ALTER TABLE {guard.table} DROP CONSTRAINT IF EXISTS "{guard.name}" CASCADE')
    else:
        execute(f'DROP INDEX "{guard.name}"')


def prepare_key(guard: Guard, attack: Attack) -> None:
    """A key of columns that may be empty needs a row where they are not; the world need not have one."""
    if guard.kind != "key" or outcome(attack.does.sql(guard.table, columns_of(guard.table))) != "no row to attack":
        return
    filled = ", ".join(f"{column} = coalesce({column}, 1)" for column in guard.columns)
    execute(f"UPDATE {guard.table} SET {filled} WHERE ctid = (SELECT min(ctid) FROM {guard.table})")


def referring(table: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype = 'f' AND confrelid = %s::regclass",
            [table],
        )
        return cursor.fetchall()


def columns_of(table: str) -> list[str]:
    """Those that are written, and not made by the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' ORDER BY attnum",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


def execute(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount


@contextmanager
def taken_back():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
