"""Row locks and named locks, the same way everywhere.

`locked()` asks for FOR NO KEY UPDATE: an insert that merely refers to the row (a foreign key) does not wait for it,
where a plain FOR UPDATE made it wait for the whole transaction. Locks are taken in the order pool, request, entry,
payment, the order of imports. The player's own row comes last, after all of these: a place that falls free is given
to whoever is next in line, and who that is shows only with the pool locked. Two kinds of it (`accounts.services`):
`refuse_excluded` holds it against the beginning of an exclusion alone, and is taken anywhere; who starts a payment, or
sets a limit, holds it against the player's other payments. Nobody who holds it goes on to lock a pool, a request, an
entry or a payment.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self, TypeVar

from django.db import Error, OperationalError, connection, models, transaction

from config.errors import Code, Unavailable

M = TypeVar("M", bound=models.Model)

LONGEST_STATEMENT = "300s"
LOCK_NOT_AVAILABLE = "55P03"


class LockedQuerySet(models.QuerySet[M]):
    """A queryset that can lock the rows it returns until the end of the transaction."""

    def locked(self, *, skip_busy: bool = False) -> Self:
        """Lock the rows (not those of joined tables) against change, not against references.

        With `skip_busy`, rows that somebody else holds are left out instead of waited for: what a sweep wants.
        """
        return self.select_for_update(of=("self",), no_key=True, skip_locked=skip_busy)


def allow_long_statements() -> None:
    """Let this transaction's statements take minutes, also where web requests must be quick: staff wait for it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true),"
            " set_config('idle_in_transaction_session_timeout', %s, true)",
            [LONGEST_STATEMENT, LONGEST_STATEMENT],
        )


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Read all that the block reads as of one moment, writing nothing; in the transaction that is open, if one is."""
    is_ours = not connection.in_atomic_block
    with transaction.atomic():
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


class TablesBusy(Unavailable):
    """Somebody was writing all the time."""

    def __init__(self) -> None:
        super().__init__(
            Code.SERVICE_UNAVAILABLE, "The books are being written to without a pause. Try again in a moment."
        )


def keep_writers_out(*tables: str, patience: str) -> None:
    """Wait for those who write into the tables, and let nobody else write until the end of the transaction.

    Then all is committed that ever will be of ids drawn so far. Refuses (`TablesBusy`) where that takes longer than
    `patience`; the transaction is lost then.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [patience])
            cursor.execute(f"LOCK TABLE {', '.join(sorted(tables))} IN SHARE ROW EXCLUSIVE MODE")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise TablesBusy from error


def lock_key(kind: str, *ids: int) -> int:
    """A stable signed 64-bit key for PostgreSQL's advisory locks."""
    name = ":".join([kind, *map(str, ids)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def advisory_lock(kind: str, *ids: int) -> None:
    """Wait for, and hold until the end of the transaction, the named lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(kind, *ids)])


def try_advisory_lock(kind: str, *ids: int) -> bool:
    """Take the named lock until the end of the transaction if nobody holds it; say whether it worked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_key(kind, *ids)])
        return bool(cursor.fetchone()[0])


@contextmanager
def held_across_transactions(kind: str, *ids: int) -> Iterator[bool]:
    """Hold the named lock until the block ends, over all its transactions; False where somebody else holds it.

    It is the connection's: should that break, the lock is gone before the block ends, and another may take it. Whoever
    goes on afterwards must see from the rows themselves that nobody has overtaken it.
    """
    key = [lock_key(kind, *ids)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", key)
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            # What the block failed with is worth more than a connection that is broken, and free of its locks.
            with suppress(Error), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", key)
