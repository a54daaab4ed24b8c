"""Around every statement that goes through Django's cursors: how long it took, for whom, and whether it was slow.

A comment tells PostgreSQL whose statement it is, so that its log, `pg_stat_activity` and a lock's victim name the
request, the route and the trace:

    SELECT … /*request_id='9f0c…',route='api/v1/pools/<int:pk>',traceparent='00-…'*/

A comment makes each text another one. That costs nothing where texts differ anyway: Django's cursors put values in on
our side, and such a cursor never prepares. It would undo prepared statements, which are found by their text, so a
cursor that may prepare gets no comments; what is prepared past Django's cursors (`config.prepared`) never comes by
here. `pg_stat_statements` ignores comments.
"""

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.client_cursor import ClientCursorMixin

from config import figures, slow_statements, telemetry
from config.tracing import Work, current_work

# What may stand in a comment as it is: no quote, no `*`, and no `%`, which would be taken for a place of a value.
UNSAFE = re.compile(r"[^A-Za-z0-9_./:<>^$()+?\[\]|-]")
LONGEST_ROUTE = 200


def install(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Listen to a connection, before those who wrap a block: they take the last wrapper away at its end."""
    if _around not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _around)


def account(sql: str, seconds: float) -> None:
    """Count a statement for the work at hand, and write it down if it was slow; also past Django's cursors."""
    work = current_work.get()
    if work is not None:
        work.db_seconds += seconds
        work.db_queries += 1
    if seconds >= slow_statements.threshold():
        figures.statement_was_slow(slow_statements.note(sql, seconds, route=work.route if work else ""))


def _around(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    work = current_work.get()
    text = sql
    if work is not None and isinstance(sql, str) and isinstance(context["cursor"].cursor, ClientCursorMixin):
        text = sql + (work.comment or comment_of(work))
    began = time.perf_counter()
    try:
        if work is not None and work.span is not None:
            return telemetry.measured(work, str(sql), partial(execute, text, params, many, context))
        return execute(text, params, many, context)
    except OperationalError as error:
        figures.database_refused(getattr(error.__cause__, "sqlstate", None))
        raise
    finally:
        account(sql if isinstance(sql, str) else type(sql).__name__, time.perf_counter() - began)


def comment_of(work: Work) -> str:
    """What PostgreSQL is told of the work; kept once its route is known, which then changes no more."""
    told = {
        "request_id": UNSAFE.sub("_", work.request_id),
        "route": UNSAFE.sub("_", work.route[:LONGEST_ROUTE]),
        "traceparent": work.trace.traceparent,
    }
    comment = " /*" + ",".join(f"{name}='{value}'" for name, value in told.items() if value) + "*/"
    if work.route:
        work.comment = comment
    return comment
