"""Writing what is queued: one at a time, from the beginning again after a kill, and never half a file.

A worker takes the oldest export, says every few seconds that it is alive, writes into a nameless file of its own, puts
that into the store under a name drawn for this attempt, and only then is the row done. One that goes silent loses its
export to the next; should it wake up after all, it finds that the row speaks of another attempt, and throws its own
file away. The name stands in the row before the file is there: what a worker leaves who is gone is deleted by the next
attempt, or, where there is none, by the sweep of old files.
"""

import logging
import tempfile
import threading
import time
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.db import Error, connection, transaction

from config import outbox
from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.errors import Code, DomainError, NotFound, Unavailable
from config.locks import LockedQuerySet, try_advisory_lock
from config.logging import scrub
from config.version import code_version
from payments.exports import storage
from payments.exports.asking import set_written
from payments.exports.formats import FORMS, Sheet
from payments.exports.rows import Tally, expected_rows
from payments.exports.wishes import narrowing_of, report_of
from payments.exports.writing import Written, write_sheet
from payments.models import Export, ExportState, FileFormat
from payments.reports import Report
from payments.reports.as_of import take_as_of

logger = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
# Silence after which a worker counts as gone.
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3
# After which one round begins no other export: then the next message has its turn.
SECONDS = 60.0


def write_waiting() -> int:
    """Write what is queued, oldest first, beginning no other once the time is over; how many were taken."""
    started, taken = time.monotonic(), 0
    while time.monotonic() - started < SECONDS and write_next():
        taken += 1
    return taken


def write_next() -> bool:
    """Write the oldest queued export; whether there was one, and the slot was free."""
    export = _claim()
    if export is None:
        return False
    try:
        _write(export)
    except Unavailable as busy:
        _put_back(export, busy.message)
    except DomainError as refusal:
        _fail(export, refusal.message)
    except Exception as error:  # the store, the disk or the database: it is tried again
        logger.warning("export %s failed, attempt %s", export.pk, export.attempts, exc_info=error)
        _put_back(export, scrub(f"{type(error).__name__}: {error}"))
    return True


@transaction.atomic(durable=True)
def _claim() -> Export | None:
    """Take the oldest queued export, if the slot is free."""
    if not try_advisory_lock("exports"):
        return None
    now = database_now()
    for dead in Export.objects.locked().filter(status=ExportState.RUNNING, touched_at__lt=now - LEASE):
        _back(dead, "The worker that wrote it has gone.")
    if Export.objects.filter(status=ExportState.RUNNING).exists():
        return None
    export = Export.objects.locked(skip_busy=True).filter(status=ExportState.QUEUED).order_by("id").first()
    if export is None:
        return None
    attribute(reason="taken by a worker")
    export.move_to(ExportState.RUNNING)
    export.attempts += 1
    export.started_at = export.touched_at = now
    export.rows_done = 0
    export.code_version = code_version()
    export.save(update_fields=["status", "attempts", "started_at", "touched_at", "rows_done", "code_version"])
    return export


def _write(export: Export) -> None:
    report = report_of(export)
    if report is None or report.version != export.schema_version:
        gone = f"There is no report {export.report} of version {export.schema_version} any more."
        raise NotFound(Code.NOT_FOUND, gone)
    _settle_as_of(export, report)
    sheet = Sheet(report, narrowing_of(export), export.watermark)
    tally = Tally(report)
    with Heart(export, tally), tempfile.TemporaryFile() as file:
        _note_expected(export, sheet)
        written = write_sheet(sheet, FileFormat(export.format), file, tally)
        if export.is_kept:
            _keep(export, file)
    _finish(export, written)


def _keep(export: Export, file: IO[bytes]) -> None:
    """Into the store, under a name that the row has before: so that it is found, whatever happens now."""
    storage.forget(export.file_key)
    export.file_key = storage.new_key(FORMS[FileFormat(export.format)].ending, database_now())
    if _this_attempt(export).update(file_key=export.file_key):
        storage.keep(export.file_key, file)


def _settle_as_of(export: Export, report: Report) -> None:
    """Once, before the first attempt: the next ones look at the same rows."""
    if report.is_live or export.as_of is not None:
        return
    as_of = take_as_of()
    export.as_of, export.bounds = as_of.instant, dict(as_of.bounds)
    Export.objects.filter(pk=export.pk).update(as_of=export.as_of, bounds=export.bounds)


def _note_expected(export: Export, sheet: Sheet) -> None:
    expected = expected_rows(sheet.report, sheet.narrowing)
    _this_attempt(export).update(rows_expected=expected)


@transaction.atomic
def _finish(export: Export, written: Written) -> None:
    row = _still_mine(export)
    if row is None:
        logger.warning("export %s was taken over: attempt %s is thrown away", export.pk, export.attempts)
        transaction.on_commit(lambda: storage.forget(export.file_key))
        return
    attribute(reason="written")
    set_written(row, written)
    row.move_to(ExportState.DONE)
    row.finished_at = database_now()
    if row.is_kept:
        days = settings.PERSONAL_REPORT_DAYS if row.is_personal else settings.REPORT_DAYS
        row.expires_at = row.finished_at + timedelta(days=days)
    if row.repeats is not None:
        row.agrees = row.repeats.sha256 == written.sha256
    row.error = ""
    row.save()
    outbox.post(kind="mail.export_ready", key=f"export-ready-{row.pk}", payload={"export": row.pk})


@transaction.atomic
def _put_back(export: Export, why: str) -> None:
    row = _still_mine(export)
    if row is not None:
        _back(row, why)


@transaction.atomic
def _fail(export: Export, why: str) -> None:
    row = _still_mine(export)
    if row is not None:
        _failed(row, why)


def _still_mine(export: Export) -> Export | None:
    """The row, locked, if nobody else has taken it over since."""
    return _this_attempt(export).locked().first()


def _this_attempt(export: Export) -> LockedQuerySet[Export]:
    """The row, as long as nobody else has taken it over."""
    rows: LockedQuerySet[Export] = Export.objects.filter(
        pk=export.pk, status=ExportState.RUNNING, attempts=export.attempts
    )
    return rows


def _back(row: Export, why: str) -> None:
    """Into the queue again, unless that was its last attempt."""
    if row.attempts >= MAX_ATTEMPTS:
        _failed(row, why)
        return
    attribute(reason="put back")
    row.move_to(ExportState.QUEUED)
    row.error = why[:500]
    row.save(update_fields=["status", "error"])


def _failed(row: Export, why: str) -> None:
    attribute(reason="failed")
    row.move_to(ExportState.FAILED)
    row.error = why[:500]
    row.save(update_fields=["status", "error"])
    outbox.post(kind="mail.export_failed", key=f"export-failed-{row.pk}-{row.attempts}", payload={"export": row.pk})


class Heart(threading.Thread):
    """Says every few seconds, from a connection of its own, that the export is being written, and how far it is."""

    def __init__(self, export: Export, tally: Tally) -> None:
        super().__init__(name=f"export-{export.pk}-heart", daemon=True)
        self.export = export
        self.tally = tally
        self.is_over = threading.Event()

    def __enter__(self) -> "Heart":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.join()

    def run(self) -> None:
        try:
            while not self.is_over.wait(BEAT_SECONDS):
                self._beat()
        finally:
            connection.close()

    def _beat(self) -> None:
        try:
            _this_attempt(self.export).update(rows_done=self.tally.rows, touched_at=ClockTimestamp())
        except Error as error:
            logger.warning("export %s could not say that it is alive: %s", self.export.pk, type(error).__name__)
            connection.close()
