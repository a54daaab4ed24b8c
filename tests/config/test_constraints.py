"""Every constraint and guard of the database has a meaning for callers, or the written word that it is our bug.

`docs/constraints.md` is the list, from the database's own catalog: a new name fails this test until the page has it.
"""

import os
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest
from django.db import Error, connection, transaction
from django.urls import get_resolver

from config import constraints
from config.api.handler import explain
from config.api.statuses import STATUS_OF_CODE
from config.errors import Code

PAGE = Path(__file__).parents[2] / "docs" / "constraints.md"
WRITE = "OUTLAST_WRITE_CONSTRAINTS"

NAMED = """
    SELECT t.relname, c.conname, c.contype::text FROM pg_constraint c
    JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    -- What refuses an empty value, and the triggers that hold a reference, have no name that anybody chose.
    WHERE n.nspname = 'public' AND c.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION
    SELECT t.relname, i.relname, 'u' FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = 'public' AND x.indisunique AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.oid)
"""
GUARDS = """
    SELECT t.relname, g.tgname, p.prosrc FROM pg_trigger g
    JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid
    JOIN pg_namespace n ON n.oid = t.relnamespace WHERE NOT g.tgisinternal AND n.nspname = 'public'
"""
# What is raised and who is named: `RAISE EXCEPTION … USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_identity'`.
RAISED = re.compile(r"RAISE EXCEPTION(?:'[^']*'|[^;'])*;")
NAME = re.compile(r"CONSTRAINT = '(\w+)'")
STATE = re.compile(r"ERRCODE = '(\w+)'")
# A duplicate can be met by racing another caller; whoever meets it may try again.
DUPLICATES = {"p", "u", "x", "unique_violation", "exclusion_violation"}

HEAD = """# What the database refuses, and what the caller is told

Every constraint, unique index and guard there is, from the database's own catalog. Most are met by nobody: services
look first, under a lock, and refuse with a code of their own. This is what is left where something gets past them.
`OUTLAST_WRITE_CONSTRAINTS=1 manage.py test tests/config/test_constraints.py` writes this page; a test compares.

"""
SPOKEN = """## With a meaning of their own

| Name | Table | Status | Code | Sentence |
| --- | --- | --- | --- | --- |
"""
RACING = """
## Duplicates

Two callers at once can meet these: 409 `VERSION_CONFLICT`. Primary keys are the same, and not listed.

"""
BUGS = """
## Our bug

Nobody can meet these unless our code is wrong: 500 `INTERNAL_ERROR`, with a trace for us. So are references to other
rows (`…_fk_…`) and the signs of numbers (`…_check`), which have no names of ours and are not listed.

"""


@dataclass(frozen=True, order=True)
class Named:
    """A name that a refusal of the database can carry."""

    table: str
    name: str
    kind: str


def names() -> list[Named]:
    with connection.cursor() as cursor:
        cursor.execute(NAMED)
        found = {Named(*row) for row in cursor.fetchall()}
        cursor.execute(GUARDS)
        for table, _, source in cursor.fetchall():
            for raised in RAISED.findall(source):
                if name := NAME.search(raised):
                    found.add(Named(table, name[1], STATE.search(raised)[1]))
    return sorted(found)


def told() -> dict[str, constraints.Meaning]:
    # Sentences stand beside the services that raise them: all of those have to be imported.
    assert get_resolver().url_patterns
    return {**constraints.declared(), **constraints._explained}


def page() -> str:
    known, every = told(), names()
    spoken = sorted({one for one in every if one.name in known}, key=lambda one: (one.name, one.table))
    racing = [one for one in every if one.name not in known and one.kind in DUPLICATES and one.kind != "p"]
    bugs = [one for one in every if one.name not in known and one.kind not in DUPLICATES and not is_plain(one)]
    rows = "".join(
        f"| `{one.name}` | {one.table} | {STATUS_OF_CODE[known[one.name].code]} | `{known[one.name].code}` "
        f"| {known[one.name].message} |\n"
        for one in spoken
    )
    return HEAD + SPOKEN + rows + RACING + by_table(racing) + BUGS + by_table(bugs)


def is_plain(one: Named) -> bool:
    """Made by Django itself for a reference, or for a number that is never negative."""
    return one.kind == "f" or (one.kind == "c" and one.name.startswith(f"{one.table}_") and one.name.endswith("_check"))


def by_table(found: list[Named]) -> str:
    rows = "| Table | Names |\n| --- | --- |\n"
    for table, group in groupby(sorted(found), key=lambda one: one.table):
        rows += f"| {table} | {', '.join(f'`{name}`' for name in dict.fromkeys(one.name for one in group))} |\n"
    return rows


@pytest.mark.django_db
def test_the_page_names_every_one():
    if os.environ.get(WRITE):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()


@pytest.mark.django_db
def test_every_explanation_is_of_something_that_exists():
    assert set(told()) <= {one.name for one in names()}


@pytest.mark.django_db
def test_every_guard_that_refuses_says_its_name():
    with connection.cursor() as cursor:
        cursor.execute(GUARDS)
        silent = [
            guard for _, guard, source in cursor.fetchall() if any(not NAME.search(r) for r in RAISED.findall(source))
        ]

    assert silent == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "name", "code"),
    [
        ("check_violation", "pick_before_lock", Code.DEADLINE_PASSED),
        ("check_violation", "a_name_of_nobody", Code.INTERNAL_ERROR),
        ("unique_violation", "a_name_of_nobody", Code.VERSION_CONFLICT),
        ("exclusion_violation", "a_name_of_nobody", Code.VERSION_CONFLICT),
        ("foreign_key_violation", "a_name_of_nobody", Code.INTERNAL_ERROR),
    ],
)
def test_what_postgresql_says_is_what_the_caller_is_told(state, name, code):
    with pytest.raises(Error) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}', CONSTRAINT = '{name}'; END $$")

    assert explain(refusal.value)[0].code == code
