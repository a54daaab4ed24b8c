"""Asking for exports, agreeing to those of others, taking them back, and having one made again to compare."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.errors import Code, Conflict, NotFound, invalid
from config.locks import advisory_lock
from config.phrases import phrase
from config.version import code_version
from payments.exports.formats import Sheet
from payments.exports.rights import check_may_export
from payments.exports.wishes import narrowing_of, parameters_of, report_of
from payments.exports.writing import Written, checked
from payments.models import Export, ExportOrigin, ExportSchedule, ExportState, FileFormat
from payments.reports import Narrowing, Report
from payments.reports.as_of import AsOf

WRITE = "payments.tasks.write_exports"
# Of one person at a time: a button that is pressed fifty times must not fill the queue for all the others.
MOST_WAITING = 20


@transaction.atomic
def request_export(
    *,
    kind: str,
    narrowing: Narrowing,
    file_format: FileFormat,
    by: User,
    now: datetime,
    like: Export | None = None,
    seen: AsOf | None = None,
) -> Export:
    """Queue an export; one that needs a second name waits for it.

    `like`: as of what that export was as of. `seen`: as of what its first rows were looked at.

    Refuses what `writing.checked` refuses, a report that names people to who may not export those, and more than
    `MOST_WAITING` at a time.
    """
    report = checked(kind, narrowing, file_format)
    check_may_export(by, kind=report.kind, is_personal=report.is_personal)
    _check_patience(by)
    attribute(by=by)
    export = _new(report, narrowing, file_format)
    export.origin = ExportOrigin.STAFF
    export.requested_by = by
    export.needs_approval = report.needs_approval
    export.status = ExportState.WAITING if report.needs_approval else ExportState.QUEUED
    if report.is_personal:
        export.watermark = mark(export, f"for {by.display_name} <{by.email}>", now)
    wanted = as_of_that(report, like) if like is not None else seen
    if wanted is not None and not report.is_live:
        export.as_of, export.bounds = wanted.instant, dict(wanted.bounds)
    return _queued(export)


@transaction.atomic
def repeat_export(*, export_id: int, by: User, now: datetime) -> Export:
    """The same report of the same days, pool and options once more, for whoever asks, as of now.

    Refuses an export that is not there, one whose report is gone by now, and what `request_export` refuses.
    """
    export = Export.objects.filter(pk=export_id).first()
    if export is None:
        raise NotFound(Code.NOT_FOUND, "There is no such export.")
    narrowing = replace(narrowing_of(export), as_of=None)
    return request_export(
        kind=export.report, narrowing=narrowing, file_format=FileFormat(export.format), by=by, now=now
    )


@transaction.atomic
def approve_export(*, export_id: int, by: User) -> Export:
    """Let an export of somebody else be written. Refuses one's own, and one that does not wait."""
    export = Export.objects.locked().get(pk=export_id)
    if export.requested_by_id == by.pk:
        raise Conflict(Code.SECOND_NAME_NEEDED, "Somebody else has to agree to your export.")
    export.move_to(ExportState.QUEUED)
    attribute(by=by, reason="approved")
    export.approved_by = by
    export.save(update_fields=["status", "approved_by"])
    _hurry()
    return export


@transaction.atomic
def cancel_export(*, export_id: int, by: User, reason: str = "") -> Export:
    """Decline somebody's export, or take one's own back, before it is written; or let one be that failed."""
    export = Export.objects.locked().get(pk=export_id)
    export.move_to(ExportState.CANCELLED)
    attribute(by=by, reason=reason)
    export.error = reason[:500]
    export.save(update_fields=["status", "error"])
    return export


@transaction.atomic
def try_again(*, export_id: int, by: User) -> Export:
    """Have an export that failed written after all, as of what it was to be as of."""
    export = Export.objects.locked().get(pk=export_id)
    if export.status != ExportState.FAILED:
        raise Conflict(Code.INVALID_TRANSITION, "Only an export that failed is tried again.")
    export.move_to(ExportState.QUEUED)
    attribute(by=by, reason="tried again")
    export.attempts, export.error = 0, ""
    export.save(update_fields=["status", "attempts", "error"])
    _hurry()
    return export


@transaction.atomic
def request_check(*, export_id: int, by: User) -> Export:
    """Have the same file made again, as of the same rows, and its bytes compared; it is not kept.

    Refuses a report that is always of now, a file that was never written, columns that have changed since, who may not
    have it, and more than `MOST_WAITING` at a time.
    """
    export = Export.objects.get(pk=export_id)
    report = report_of(export)
    if export.status not in (ExportState.DONE, ExportState.EXPIRED):
        raise Conflict(Code.INVALID_TRANSITION, "There is no file of it to compare with.")
    if report is None or export.as_of is None:
        raise Conflict(Code.INVALID_TRANSITION, "A report of what stands now comes out otherwise tomorrow.")
    if report.version != export.schema_version:
        raise Conflict(Code.INVALID_TRANSITION, "The report has other columns now than when this was written.")
    check_may_export(by, kind=export.report, is_personal=export.is_personal)
    _check_patience(by)
    attribute(by=by, reason=f"made again to compare with export {export.pk}")
    again = Export(
        report=export.report, parameters=export.parameters, format=export.format, origin=ExportOrigin.CHECK,
        schema_version=export.schema_version, as_of=export.as_of, bounds=export.bounds, is_personal=export.is_personal,
        watermark=export.watermark, is_kept=False, requested_by=by, repeats=export, status=ExportState.QUEUED,
    )  # fmt: skip
    return _queued(again)


def scheduled_export(*, schedule: ExportSchedule, narrowing: Narrowing, now: datetime) -> Export:
    """Queue the export of a schedule's period; the caller's transaction moves the schedule on."""
    file_format = FileFormat(schedule.format)
    report = checked(schedule.report, narrowing, file_format)
    export = _new(report, narrowing, file_format)
    export.origin, export.status = ExportOrigin.SCHEDULE, ExportState.QUEUED
    export.schedule, export.period_first = schedule, schedule.next_first
    if report.is_personal:
        export.watermark = mark(export, f"by the schedule {schedule.name}", now)
    return _queued(export)


def record_command(*, sheet: Sheet, file_format: FileFormat, written: Written, now: datetime) -> Export:
    """Leave the row of a file that was written on the command line, and is not kept here."""
    export = _new(sheet.report, sheet.narrowing, file_format)
    if as_of := sheet.narrowing.as_of:
        export.as_of, export.bounds = as_of.instant, dict(as_of.bounds)
    export.origin, export.status, export.is_kept = ExportOrigin.COMMAND, ExportState.DONE, False
    set_written(export, written)
    export.started_at = export.finished_at = now
    export.code_version = code_version()
    export.save()
    return export


def set_written(export: Export, written: Written) -> None:
    """What came out, without saving."""
    export.rows = export.rows_done = written.rows
    export.totals, export.sha256, export.size = written.totals, written.sha256, written.size


def mark(export: Export, whom: str, now: datetime) -> str:
    """Who has it, and which file it is of: `Export 5f3c… for Ann <ann@…>, 2026-09-10 14:00 UTC`."""
    return " ".join(f"Export {export.ref} {whom}, {now:%Y-%m-%d %H:%M} UTC".split())[:500]


def as_of_that(report: Report, like: Export) -> AsOf:
    """As of what the other export was. Refuses a report of now, and an export that is of no instant, or not yet."""
    if report.is_live or like.as_of is None:
        raise invalid("as_of_export", "It is of no instant that can be asked about again.")
    return AsOf(like.as_of, like.bounds)


def _check_patience(by: User) -> None:
    """Two clicks at once take turns, so that the count is right."""
    advisory_lock("exports of", by.pk)
    waiting = Export.objects.filter(requested_by=by, status__in=(ExportState.QUEUED, ExportState.WAITING))
    if waiting.count() >= MOST_WAITING:
        raise Conflict(
            Code.ALREADY_RUNNING,
            phrase("{most} of your exports are waiting. Let them be written first.", most=MOST_WAITING),
        )


def _new(report: Report, narrowing: Narrowing, file_format: FileFormat) -> Export:
    return Export(
        ref=uuid4(), report=report.kind, parameters=parameters_of(narrowing), format=file_format,
        schema_version=report.version, is_personal=report.is_personal,
    )  # fmt: skip


def _queued(export: Export) -> Export:
    export.save()
    export.refresh_from_db()
    if export.status == ExportState.QUEUED:
        _hurry()
    return export


def _hurry() -> None:
    transaction.on_commit(lambda: outbox.hurry(WRITE))
