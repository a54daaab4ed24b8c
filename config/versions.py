"""Edits that must not undo each other: who has looked at a row says which version of it they have seen.

A version is PostgreSQL's own `xmin`, the transaction that wrote the row as it stands: nothing to count up, and nobody
can forget to. It is compared by the service, in its transaction and behind its row lock. To read, compare and then
write would let two through that both looked before either wrote.
"""

from collections.abc import Collection

from django.db import connection
from django.db.models import Model

from config.errors import Code, Conflict

# What a caller has seen: any of these will do. None: they did not say, and nothing is compared.
Seen = Collection[str] | None


class Stale(Conflict):
    """Somebody else has changed it since the caller looked."""

    def __init__(self) -> None:
        super().__init__(
            Code.VERSION_CONFLICT, "Somebody else has changed this since you read it. Read it again, then decide."
        )


def version_of(*rows: Model) -> str:
    """The version of these rows together, as the transaction at hand sees them; one short statement for each.

    A row that is not there any more has none, which is a version too.
    """
    return "-".join(_xmin(row) for row in rows)


def refuse_stale(seen: Seen, *rows: Model) -> None:
    """Raise VERSION_CONFLICT unless the rows are as the caller saw them. The caller's service has locked them."""
    if seen is not None and version_of(*rows) not in seen:
        raise Stale


def _xmin(row: Model) -> str:
    table = connection.ops.quote_name(row._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT xmin::text FROM {table} WHERE id = %s", [row.pk])  # a model's own table
        found = cursor.fetchone()
    return str(found[0]) if found else "0"
