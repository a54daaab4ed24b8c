"""Telling the database the origin of what is about to be written, whichever service writes it.

Before the first writing statement of a transaction, once: the triggers that feed the audit find it there. Statements
that say it themselves (`attribute()`, the saving of picks) cost nothing more.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from config.audit.origin import ORIGIN_SETTING, is_known, told

# A lock is no write yet.
WRITES = re.compile(r"\b(?:INSERT|DELETE|MERGE)\b|(?<!FOR )(?<!KEY )\bUPDATE\b")
_MARK = "_outlast_origin"


def install(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Listen to a connection that was just made; nothing has been told to it.

    First of all: who wraps a block takes the last wrapper away at its end, and comments make texts that never return.
    """
    setattr(connection, _MARK, _Told())
    if _before not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _before)


class _Told:
    """What the session was told, and what the transaction was, with the savepoints that were open then.

    A block that is rolled back takes the setting back with it.
    """

    session = ""
    transaction = ""
    savepoints: tuple[str | None, ...] = ()


def _before(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if is_known():
        connection: Any = context["connection"]
        if connection.connection.info.transaction_status == TransactionStatus.IDLE:
            # Whatever the last transaction was told went with it.
            getattr(connection, _MARK).transaction = ""
        writes, says_it = _nature(sql) if isinstance(sql, str) else (False, False)
        if writes or says_it:
            _tell(connection, is_said=says_it)
    return execute(sql, params, many, context)


@lru_cache(maxsize=1024)
def _nature(sql: str) -> tuple[bool, bool]:
    """Whether it writes, and whether it says the origin by itself. The same few texts come again and again."""
    return WRITES.search(sql) is not None, ORIGIN_SETTING in sql


def _tell(connection: Any, *, is_said: bool) -> None:
    known: _Told = getattr(connection, _MARK)
    said = told()
    if connection.in_atomic_block:
        savepoints = tuple(connection.savepoint_ids)
        if known.transaction == said and known.savepoints == savepoints[: len(known.savepoints)]:
            return
        known.transaction, known.savepoints = said, savepoints
    elif known.session == said:
        return
    else:
        known.session = said
    if not is_said:
        # Beneath Django's cursor: it is no statement of the service, and belongs to none of its counts.
        with connection.connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, %s)", [ORIGIN_SETTING, said, connection.in_atomic_block])
