"""Who asked for the work at hand: one request id and one trace id, from a player's phone to the row that changed.

A request begins them (`RequestIdMiddleware`), Celery's messages and the outbox carry them on, and so do log lines, SQL
comments, crash reports and calls to other servers. The trace is W3C Trace Context: a valid `traceparent` is continued,
anything else begins a new one. Its companion `tracestate` is not passed on: it is free text of strangers.

    tracing.tell(entry_id=17)                  # onto the one line that is logged about the request
    headers |= tracing.outgoing_headers()      # for a call to another server
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from config.chance import some_bytes
from config.logging import current_request_id, current_trace_id

# A version, a trace, the caller's span, flags. Version 00 has no more; later ones may.
TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
LONGEST = 512
SAMPLED = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """Our part of a trace. `parent_id` is the caller's span, or empty where the trace begins with us."""

    trace_id: str
    span_id: str
    parent_id: str = ""
    is_sampled: bool = False

    @property
    def traceparent(self) -> str:
        """As the next in line reads it."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.is_sampled):02x}"


class Kind(StrEnum):
    """What work is done for."""

    REQUEST = "request"
    TASK = "task"


@dataclass(slots=True)
class Work:
    """A request or a task while it is worked on, and what its one log line will tell."""

    request_id: str
    trace: Trace
    # A route template, or the name of a task; never a path.
    route: str = ""
    # What it was within the route, where that alone says little: a question's name.
    operation: str = ""
    user_id: int | None = None
    pool_id: int | None = None
    entry_id: int | None = None
    db_seconds: float = 0.0
    db_queries: int = 0
    # Made by `config.statements`, once for all statements.
    comment: str = ""
    kind: Kind = Kind.REQUEST
    # How it ended: a status of HTTP, or a task's state; None while it is under way.
    ended: int | str | None = None
    # Of OpenTelemetry, where that is on (`config.telemetry`).
    span: Any = None

    def fields(self) -> dict[str, Any]:
        """What is known, for a log line."""
        told = {
            "operation": self.operation,
            "user_id": self.user_id,
            "pool_id": self.pool_id,
            "entry_id": self.entry_id,
        }
        return {
            **{name: value for name, value in told.items() if value},
            "db_ms": round(self.db_seconds * 1000, 1),
            "db_queries": self.db_queries,
        }


current_work: ContextVar[Work | None] = ContextVar("current_work", default=None)


def continued(traceparent: str) -> Trace:
    """A span of ours in the caller's trace; where they name none, or an invalid one, the first of a new trace."""
    found = TRACEPARENT.fullmatch(traceparent) if 0 < len(traceparent) <= LONGEST else None
    if found is None or not _is_valid(found):
        return Trace(some_bytes(16).hex(), some_bytes(8).hex())
    is_sampled = bool(int(found["flags"], 16) & SAMPLED)
    return Trace(found["trace"], some_bytes(8).hex(), found["span"], is_sampled)


def _is_valid(found: re.Match[str]) -> bool:
    if found["version"] == "ff" or (found["version"] == "00" and found["more"]):
        return False
    return set(found["trace"]) != {"0"} and set(found["span"]) != {"0"}


# Told of all work, from its beginning to its end: whoever measures it elsewhere.
Listener = Callable[[Work], AbstractContextManager[None]]
_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Have the listener around all work from now on; there is one, or none."""
    global _listener
    _listener = listener


def begin(
    *, request_id: str, traceparent: str = "", route: str = "", kind: Kind = Kind.REQUEST
) -> AbstractContextManager[Work]:
    """Everything in the block is done for this request or task."""
    work = Work(request_id, continued(traceparent), route, kind=kind)
    return Entered(work) if _listener is None else _heard(_listener, work)


@contextmanager
def _heard(listener: Listener, work: Work) -> Iterator[Work]:
    # The listener first: it may put the work into a trace of its own.
    with listener(work), Entered(work):
        yield work


class Entered(AbstractContextManager[Work]):
    """Everything in the block is part of this work; afterwards it is as it was before."""

    __slots__ = ("_tokens", "_work")

    def __init__(self, work: Work) -> None:
        self._work = work

    def __enter__(self) -> Work:
        work = self._work
        self._tokens = (
            current_work.set(work),
            current_request_id.set(work.request_id),
            current_trace_id.set(work.trace.trace_id),
        )
        return work

    def __exit__(self, *_: object) -> None:
        of_work, of_request, of_trace = self._tokens
        current_work.reset(of_work)
        current_request_id.reset(of_request)
        current_trace_id.reset(of_trace)


def tell(
    *, user_id: int | None = None, pool_id: int | None = None, entry_id: int | None = None, operation: str = ""
) -> None:
    """Note what the work at hand is about; nothing where there is none. Only ids, and names that we chose."""
    work = current_work.get()
    if work is None:
        return
    if user_id is not None:
        work.user_id = user_id
    if pool_id is not None:
        work.pool_id = pool_id
    if entry_id is not None:
        work.entry_id = entry_id
    if operation:
        work.operation = operation


def traceparent() -> str:
    """What whoever continues this work is given; empty outside of any."""
    work = current_work.get()
    return work.trace.traceparent if work else ""


def outgoing_headers() -> dict[str, str]:
    """For a call to another server, so that both ends find each other's lines; empty outside of any work."""
    work = current_work.get()
    return {"traceparent": work.trace.traceparent, "X-Request-ID": work.request_id} if work else {}
