"""Bringing personal data from old keys to the first of `PERSONAL_DATA_KEYS`.

Set by set, each in a transaction of its own: a stored value names its key, so what was done stays done, a run that
was ended goes on where it stood, and two runs at once take different rows. When `waiting()` is empty, the old keys may
leave the setting.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from config.encryption import EncryptedField, Undecryptable, current_key_id, decrypt, encrypt, encrypted_fields

logger = logging.getLogger(__name__)

SET = 500


@dataclass(frozen=True)
class Column:
    """An encrypted column of a table."""

    table: str
    name: str
    key: str

    @property
    def place(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def parts(self) -> dict[str, sql.Identifier]:
        """Its names, quoted."""
        names = {"table": self.table, "column": self.name, "id": self.key}
        return {part: sql.Identifier(name) for part, name in names.items()}


def columns() -> Iterator[Column]:
    """Every encrypted column there is."""
    for model in apps.get_models():
        if not model._meta.proxy and model._meta.managed:
            yield from (_column(model, field) for field in encrypted_fields(model))


def _column(model: type[models.Model], field: EncryptedField) -> Column:
    key = model._meta.pk
    assert key is not None
    return Column(model._meta.db_table, str(field.column), str(key.column))


def waiting() -> dict[str, int]:
    """How many values of each column are under a key that is not the first, where there are any."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for column in columns():
            query = sql.SQL("SELECT count(*) FROM {table} WHERE {column} NOT LIKE %s").format(**column.parts)
            cursor.execute(query, [f"{current_key_id()}.%"])
            if count := int(cursor.fetchone()[0]):
                found[column.place] = count
    return found


def rotate(*, limit: int | None = None) -> Counter[str]:
    """Encrypt anew what is under an old key, at most `limit` values; how many of each column.

    Values that none of the keys opens are left as they are, logged by table and row, and counted under `unreadable`.
    """
    done: Counter[str] = Counter()
    for column in columns():
        last: Any = None
        while limit is None or done.total() < limit:
            size = SET if limit is None else min(SET, limit - done.total())
            last, worked, unreadable = _rotate_set(column, after=last, size=size)
            if worked:
                done[column.place] += worked
            if unreadable:
                done["unreadable"] += unreadable
            if last is None:
                break
    return done


@transaction.atomic
def _rotate_set(column: Column, *, after: Any, size: int) -> tuple[Any, int, int]:
    """The next values in the order of the key: the last one's key (None at the end), how many worked and did not."""
    # A row that somebody holds is left to the next run.
    find = sql.SQL(
        "SELECT {id}, {column} FROM {table} WHERE {column} NOT LIKE %s AND (%s::text IS NULL OR {id} > %s)"
        " ORDER BY {id} LIMIT %s FOR NO KEY UPDATE SKIP LOCKED"
    ).format(**column.parts)
    write = sql.SQL("UPDATE {table} SET {column} = %s WHERE {id} = %s").format(**column.parts)
    with connection.cursor() as cursor:
        cursor.execute(find, [f"{current_key_id()}.%", None if after is None else str(after), after, size])
        rows = cursor.fetchall()
        renewed = []
        for key, stored in rows:
            try:
                renewed.append((encrypt(decrypt(stored, place=column.place), place=column.place), key))
            except Undecryptable:
                logger.error("no key opens %s of row %s", column.place, key)
        cursor.executemany(write, renewed)
    return (rows[-1][0] if rows else None), len(renewed), len(rows) - len(renewed)
