"""Statements that are prepared once for each connection and then sent past Django's cursors: for the few that are many.

They run over the connection that Django has in this thread, each in a transaction of its own, so no more connections
are needed than threads that work. Values go as text, bound by the server.
"""

import re
import threading
import time
from collections.abc import Mapping

from django.db import Error, connection
from psycopg import pq

from config import figures, statements

# The table has changed under the plan, or somebody has thrown the statement away.
STALE = (b"0A000", b"26000")
# A lock was not to be had in time, or the whole took too long.
WAITED = (b"55P03", b"57014")


class WaitedTooLong(Exception):
    """PostgreSQL gave the statement up after its time: nothing was done, and who asks again waits as long again."""


class Statement:
    """One prepared statement, which answers with one row or none.

    `waits_once`: where PostgreSQL gave it up after its time, `WaitedTooLong` says so, and nobody waits as long again.
    """

    def __init__(self, name: str, sql: str, *, waits_once: bool = False) -> None:
        self.name = name.encode()
        self.sql = sql
        self.waits_once = waits_once
        self._held = threading.local()

    def row(self, *values: bytes) -> tuple[str, ...] | None:
        """Its row, as text. None where there is none, and where anything went wrong: then nothing is certain.

        A statement that is lost with its connection may have been done; whoever repeats it must be able to.
        """
        try:
            held = _connection()
        except Error:
            return None
        began = time.perf_counter()
        result = self._sent(held, values)
        statements.account(self.sql, time.perf_counter() - began)
        if result.status == pq.ExecStatus.TUPLES_OK:
            return None if not result.ntuples else tuple(_texts(result))
        state = result.error_field(pq.DiagnosticField.SQLSTATE)
        figures.database_refused(state.decode() if state else None)
        if held.status != pq.ConnStatus.OK:
            connection.close()
        if self.waits_once and state in WAITED:
            raise WaitedTooLong
        return None

    def _sent(self, held: pq.abc.PGconn, values: tuple[bytes, ...]) -> pq.abc.PGresult:
        if getattr(self._held, "by", None) is not held:
            prepared = held.prepare(self.name, self.sql.encode())
            if prepared.status != pq.ExecStatus.COMMAND_OK:
                return prepared
            self._held.by = held
        result = held.exec_prepared(self.name, values)
        if result.status != pq.ExecStatus.TUPLES_OK and result.error_field(pq.DiagnosticField.SQLSTATE) in STALE:
            self._held.by = None
            held.exec_(b"DEALLOCATE " + self.name)
        return result


def numbered(sql: str, values: Mapping[str, str]) -> str:
    """A statement for Django's cursors as PostgreSQL prepares it: `values` in their order, each with its type."""
    numbers = {name: f"${number}::{kind}" for number, (name, kind) in enumerate(values.items(), start=1)}
    return re.sub(r"%\((\w+)\)s", lambda found: numbers[found[1]], sql).replace("%%", "%")


def is_ready() -> bool:
    """Whether a statement of its own transaction can be sent: not while one of Django's is open."""
    return not connection.in_atomic_block


def _connection() -> pq.abc.PGconn:
    """Django's, opened where it is not, and opened anew when its time is over."""
    if connection.close_at is not None and time.monotonic() >= connection.close_at:
        connection.close()
    connection.ensure_connection()
    return connection.connection.pgconn  # type: ignore[no-any-return]  # Django leaves psycopg's connection untyped


def _texts(result: pq.abc.PGresult) -> list[str]:
    return [(result.get_value(0, column) or b"").decode() for column in range(result.nfields)]
