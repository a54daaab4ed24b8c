"""What a run has read, in two tables that PostgreSQL does not log: rows go in page by page, and out as sets.

A page and the note that it was read are one transaction, so a run that is killed has either both or neither. After a
crash of the database the tables are empty; then the run's count says so, and everything is read again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction

from config.clock import ClockTimestamp
from payments.models import ReconciliationRun, RunPhase, RunStatus, StagedMovement, StagedObject
from payments.providers.base import ListedMovement, ListedObject, Origin, Page
from payments.reconciliation.runs import Overtaken
from payments.refs import read_ref

# Ids of rows end here; what others write as a number may be anything.
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Table:
    """One of the two tables: its columns, and what tells its rows apart within a run."""

    model: type[models.Model]
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.model._meta.db_table


_OF_BOTH = ("run_id", "charge_id", "livemode", "ref", "env", "request_id", "pool_id", "payment_id")
MOVEMENTS = Table(
    StagedMovement,
    (
        *_OF_BOTH, "reference", "kind", "category", "amount_cents", "fee_cents", "net_cents", "currency",
        "exchange_rate", "occurred_at", "available_at", "source_kind", "source_id", "source_cents", "source_currency",
    ),
    ("reference",),
)  # fmt: skip
OBJECTS = Table(
    StagedObject,
    (*_OF_BOTH, "kind", "object_id", "status", "amount_cents", "back_cents", "currency", "made_at"),
    ("kind", "object_id"),
)


def put_movements(run: ReconciliationRun, listing: str, page: Page[ListedMovement]) -> None:
    """One page of the feed, and where the next begins."""
    rows = {one.movement.reference: _movement_row(run.pk, one) for one in page.rows}
    _put(run, MOVEMENTS, [(key,) for key in rows], list(rows.values()), listing, page.after)


def put_objects(run: ReconciliationRun, listing: str, page: Page[ListedObject]) -> None:
    """The same of one of the lists."""
    rows = {(str(one.kind), one.object_id): _object_row(run.pk, one) for one in page.rows}
    _put(run, OBJECTS, list(rows), list(rows.values()), listing, page.after)


def is_whole(run: ReconciliationRun) -> bool:
    """Whether everything that the run has read is still there."""
    return sum(_count(table, run.pk) for table in (MOVEMENTS, OBJECTS)) == run.staged


@transaction.atomic
def start_again(run: ReconciliationRun) -> None:
    """Forget what was read: the run begins with its first page."""
    forget(run)
    ours = ReconciliationRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING, resumed=run.resumed)
    blank: dict[str, Any] = {"phase": RunPhase.READING, "page_cursors": {}, "pages": 0, "staged": 0}
    if ours.update(touched_at=ClockTimestamp(), **blank) != 1:
        raise Overtaken
    run.refresh_from_db()


def forget(run: ReconciliationRun) -> None:
    """Delete what it has read, and what is left of runs that failed."""
    running = "SELECT id FROM payments_reconciliationrun WHERE status = 'running' AND id <> %s"
    with connection.cursor() as cursor:
        for table in (MOVEMENTS, OBJECTS):
            cursor.execute(f"DELETE FROM {table.name} WHERE run_id NOT IN ({running})", [run.pk])


def gather_statistics() -> None:
    """Tell the planner what the tables hold now: it would plan for empty ones, and compare row by row."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {MOVEMENTS.name}, {OBJECTS.name}")


@transaction.atomic
def _put(
    run: ReconciliationRun,
    table: Table,
    keys: Sequence[tuple[str, ...]],
    rows: Iterable[Sequence[object]],
    listing: str,
    after: str | None,
) -> None:
    with connection.cursor() as cursor:
        # What is lost of these tables is read again, so nothing waits for the disk.
        cursor.execute("SET LOCAL synchronous_commit = off")
        twice = _take_out(cursor, table, run.pk, keys)
        with cursor.copy(f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    _note_page(run, listing, after, len(keys) - twice)


def _take_out(cursor: Any, table: Table, run_id: int, keys: Sequence[tuple[str, ...]]) -> int:
    """What came before under these names goes: a list that moved while it was read shows a row twice, newest last."""
    if not keys:
        return 0
    columns = [list(column) for column in zip(*keys, strict=True)]
    given = ", ".join("%s::text[]" for _ in columns)
    cursor.execute(
        f"DELETE FROM {table.name} WHERE run_id = %s AND ({', '.join(table.key)}) IN (SELECT * FROM unnest({given}))",
        [run_id, *columns],
    )
    return int(cursor.rowcount)


def _note_page(run: ReconciliationRun, listing: str, after: str | None, added: int) -> None:
    """Refuses (`Overtaken`) where another process has noted a page meanwhile: theirs stays, ours is rolled back."""
    cursors: Mapping[str, str | None] = {**run.page_cursors, listing: after}
    noted = ReconciliationRun.objects.filter(
        pk=run.pk, status=RunStatus.RUNNING, phase=RunPhase.READING, pages=run.pages, resumed=run.resumed
    ).update(page_cursors=cursors, pages=run.pages + 1, staged=run.staged + added, touched_at=ClockTimestamp())
    if noted != 1:
        raise Overtaken
    run.page_cursors, run.pages, run.staged = dict(cursors), run.pages + 1, run.staged + added


def _movement_row(run_id: int, one: ListedMovement) -> tuple[object, ...]:
    facts = one.movement
    return (
        *_of_both(run_id, one.charge_id, one.livemode, one.origin),
        facts.reference, str(facts.kind), facts.category[:60], facts.amount_cents, facts.fee_cents, facts.net_cents,
        facts.currency, facts.exchange_rate, facts.occurred_at, facts.available_at, str(one.source_kind),
        one.source_id, one.source_cents, one.source_currency,
    )  # fmt: skip


def _object_row(run_id: int, one: ListedObject) -> tuple[object, ...]:
    return (
        *_of_both(run_id, one.charge_id, one.livemode, one.origin),
        str(one.kind), one.object_id, one.status[:40], one.amount_cents, one.back_cents, one.currency, one.made_at,
    )  # fmt: skip


def _of_both(run_id: int, charge_id: str, livemode: bool, origin: Origin) -> tuple[object, ...]:
    """Others may have written anything: what cannot be our mark is left out."""
    ref = read_ref(origin.ref)
    return (
        run_id, charge_id, livemode, "" if ref is None else str(ref), origin.env.replace("\x00", "")[:40],
        _id(origin.request_id), _id(origin.pool_id), _id(origin.payment_id),
    )  # fmt: skip


def _id(number: int | None) -> int | None:
    return number if number is not None and 0 < number <= LARGEST_ID else None


def _count(table: Table, run_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table.name} WHERE run_id = %s", [run_id])
        return int(cursor.fetchone()[0])
