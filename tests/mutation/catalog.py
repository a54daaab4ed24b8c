"""The guards of money that PostgreSQL holds, as its catalog lists them: keys, checks, references, triggers."""

import re
from dataclasses import dataclass

from django.apps import apps
from django.db import connection

# Where money is, and where a row decides about it.
BESIDE_MONEY = (
    "config_idempotencykey", "config_outboxmessage", "entries_entry", "entries_reprieve", "entries_request",
    "pools_pool",
)  # fmt: skip


@dataclass(frozen=True)
class Guard:
    """One guard of a table. `columns` are those of a key or a reference; `text` is its definition."""

    table: str
    name: str
    kind: str  # key, check, reference, trigger
    columns: tuple[str, ...]
    text: str
    is_constraint: bool = True

    @property
    def short(self) -> str:
        """What the model calls it: a trigger without the tool's own prefix and hash."""
        return self.name.removeprefix("pgtrigger_").rpartition("_")[0] if self.kind == "trigger" else self.name

    @property
    def where(self) -> str:
        """The condition of a partial key."""
        return self.text.partition(" WHERE ")[2] or "true"

    @property
    def names(self) -> tuple[str, ...]:
        """What its refusals are called; nothing for a trigger that only writes something down."""
        if self.kind != "trigger":
            return (self.name,)
        return tuple(dict.fromkeys(re.findall(r"CONSTRAINT = '(\w+)'", self.text)))

    @property
    def writes(self) -> str:
        """The table into which a trigger that refuses nothing writes."""
        found = re.search(r"INSERT INTO (\w+)", self.text)
        return found[1] if found else ""


def guarded_tables() -> list[str]:
    """Every table of payments, and those beside them."""
    own = {model._meta.db_table for model in apps.get_app_config("payments").get_models() if not model._meta.proxy}
    return sorted(own | set(BESIDE_MONEY))


COLUMNS = """
    ARRAY(SELECT a.attname::text FROM unnest({keys}) WITH ORDINALITY k (number, place)
          JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.number ORDER BY k.place)
"""
GUARDS = f"""
    SELECT t.relname, c.conname, CASE c.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'reference' ELSE 'key' END,
           {COLUMNS.format(keys="c.conkey", table="t.oid")}, pg_get_constraintdef(c.oid), true
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE t.relname = ANY(%(tables)s) AND c.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    SELECT t.relname, i.relname, 'key', {COLUMNS.format(keys="x.indkey::int2[]", table="t.oid")},
           pg_get_indexdef(i.oid), false
    FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE t.relname = ANY(%(tables)s) AND x.indisunique
        AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT t.relname, g.tgname, 'trigger', '{{}}', pg_get_functiondef(g.tgfoid), false
    FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
    WHERE t.relname = ANY(%(tables)s) AND NOT g.tgisinternal
    ORDER BY 1, 3, 2
"""


def guards() -> list[Guard]:
    """All of them, in a lasting order."""
    with connection.cursor() as cursor:
        cursor.execute(GUARDS, {"tables": guarded_tables()})
        return [Guard(table, name, kind, tuple(columns), *rest) for table, name, kind, columns, *rest in cursor]
