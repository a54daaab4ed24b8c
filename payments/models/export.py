"""Exports of reports: one row for each file, with everything it takes to make the same file again.

waiting    names people's tax affairs: somebody else has to agree first
queued     waits for a worker
running    one worker is at it; there is one slot, so that a heavy report never starves the rest
done       the file is whole, in the store, and its sha256 is known
failed     it could not be made; the error says why
cancelled  declined, taken back before it was made, or let be after it failed
expired    the file was deleted when its time was over; the row stays
"""

import uuid
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.audit import StatusChange, append_only, feeds, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from config.words import Words
from payments.models.export_schedule import ExportSchedule


class FileFormat(models.TextChoices):
    """What kind of file."""

    CSV = "csv", "CSV"
    CSV_EXCEL = "csv-excel", "CSV for Excel (with a byte-order mark)"
    CSV_RAW = "csv-raw", "CSV for machines (texts unchanged: not for spreadsheets)"
    XLSX = "xlsx", "Excel (XLSX)"
    JSONL = "jsonl", "JSON Lines, for machines"
    PDF = "pdf", "PDF, to print"


class ExportState(Words):
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ExportOrigin(Words):
    """Who wanted it."""

    STAFF = "staff"
    SCHEDULE = "schedule"
    COMMAND = "command"
    CHECK = "check", "Made again, to compare"


WRITTEN = (ExportState.DONE, ExportState.EXPIRED)
EXPORT_TRANSITIONS = {
    ExportState.WAITING: (ExportState.QUEUED, ExportState.CANCELLED),
    ExportState.QUEUED: (ExportState.RUNNING, ExportState.CANCELLED),
    ExportState.RUNNING: (ExportState.DONE, ExportState.QUEUED, ExportState.FAILED),
    ExportState.FAILED: (ExportState.QUEUED, ExportState.CANCELLED),
    ExportState.DONE: (ExportState.EXPIRED,),
}

# What was asked for, and by whom; what it was made as of, once that is known; and what came out.
_ASKED = (
    "ref", "report", "parameters", "format", "origin", "requested_by_id", "schedule_id", "period_first", "repeats_id",
    "watermark", "is_personal", "is_kept", "schema_version",
)  # fmt: skip
_AS_OF = ("as_of", "bounds")
_MADE = ("rows", "totals", "sha256", "size", "file_key", "code_version", "finished_at", "agrees")


def _differ(names: tuple[str, ...]) -> str:
    new, old = (", ".join(f"{row}.{name}" for name in names) for row in ("NEW", "OLD"))
    return f"({new}) IS DISTINCT FROM ({old})"


class Export(HasStatus):
    """`parameters`: {"pool", "first_day", "last_day", "options"}; `totals`: column → currency → sum in minor units."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="Its name in marks and links.")
    report = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    format = models.CharField(max_length=10, choices=FileFormat)
    schema_version = models.PositiveSmallIntegerField(help_text="Of the report's columns and their meaning.")
    as_of = models.DateTimeField(null=True, blank=True, help_text="The instant of its look at the books.")
    bounds = models.JSONField(default=dict, blank=True, help_text="The last row of each table that it looks at.")
    code_version = models.CharField(max_length=60, blank=True, default="")
    status = models.CharField(max_length=10, choices=ExportState)
    origin = models.CharField(max_length=10, choices=ExportOrigin)
    is_personal = models.BooleanField(help_text="It names people.")
    is_kept = models.BooleanField(default=True, db_default=True, help_text="Whether the file lies in our store.")
    watermark = models.CharField(max_length=500, blank=True, default="", help_text="Stands in every row and page.")
    rows = models.PositiveBigIntegerField(null=True, blank=True)
    totals = models.JSONField(default=dict, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    size = models.PositiveBigIntegerField(null=True, blank=True, help_text="Bytes.")
    file_key = models.CharField(max_length=200, blank=True, default="", help_text="Its random name in the store.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    needs_approval = models.BooleanField(default=False, db_default=False)
    schedule = models.ForeignKey(
        ExportSchedule, on_delete=models.PROTECT, null=True, blank=True, related_name="exports"
    )
    period_first = models.DateField(null=True, blank=True, help_text="First day of the schedule's period.")
    repeats = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="repetitions",
        help_text="The export that was made again to compare.",
    )  # fmt: skip
    agrees = models.BooleanField(null=True, blank=True, help_text="Whether the same bytes came out.")
    rows_done = models.PositiveBigIntegerField(default=0, db_default=0)
    rows_expected = models.PositiveBigIntegerField(null=True, blank=True, help_text="What the database reckons.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    started_at = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(null=True, blank=True, help_text="The worker's last sign of life.")
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = EXPORT_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("export_personal", "Can export reports that name people"),
            ("approve_export", "Can approve an export of another"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ExportState.values), name="export_status_known"),
            models.UniqueConstraint(fields=["status"], condition=Q(status=ExportState.RUNNING), name="export_one_slot"),
            models.UniqueConstraint(fields=["file_key"], condition=~Q(file_key=""), name="export_file_key_unique"),
            models.UniqueConstraint(fields=["schedule", "period_first"], name="export_period_once"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")), name="export_two_names"
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(status__in=(ExportState.WAITING, ExportState.CANCELLED))
                | Q(approved_by__isnull=False),
                name="export_is_approved",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=WRITTEN)
                | Q(sha256__regex=r"^[0-9a-f]{64}$", rows__isnull=False, size__isnull=False, finished_at__isnull=False)
                & (Q(is_kept=False) | ~Q(file_key="")),
                name="export_written_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(origin=ExportOrigin.STAFF) | Q(requested_by__isnull=False), name="export_of_staff_is_named"
            ),
            models.CheckConstraint(
                condition=Q(origin=ExportOrigin.SCHEDULE, schedule__isnull=False, period_first__isnull=False)
                | ~Q(origin=ExportOrigin.SCHEDULE) & Q(schedule__isnull=True, period_first__isnull=True),
                name="export_of_a_schedule",
            ),
            models.CheckConstraint(
                condition=Q(is_personal=False) | Q(is_kept=False) | ~Q(watermark=""), name="export_is_marked"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status=ExportState.QUEUED), name="export_queued"),
            models.Index(fields=["expires_at"], condition=Q(status=ExportState.DONE), name="export_done"),
            models.Index(fields=["id"], condition=Q(status=ExportState.FAILED), name="export_failed"),
        ]
        triggers = [
            status_guard(EXPORT_TRANSITIONS),
            Guard(
                name="export_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=f"""
                    IF {_differ(_ASKED)}
                       OR OLD.as_of IS NOT NULL AND {_differ(_AS_OF)}
                       OR OLD.status IN ('done', 'expired') AND {_differ(_MADE)} THEN
                        RAISE EXCEPTION 'what an export is of, and what came out, never changes'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'export_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_exportchange", ("approved_by_id", "attempts", "error", "sha256")),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Export {self.pk}: {self.report}"


class ExportChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("export")]

    def __str__(self) -> str:
        return f"Change {self.pk} of export {self.subject_id}"


class DownloadWay(Words):
    """Through which door."""

    ADMIN = "admin", "The back office"
    API = "api", "The API"
    LINK = "link", "A signed link"


class ExportDownload(models.Model):
    """Who fetched a file, when, and from where. `nonce` is the link's: it opens once."""

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="downloads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=ClockTimestamp())
    way = models.CharField(max_length=5, choices=DownloadWay)
    address = models.GenericIPAddressField(null=True, blank=True)
    nonce = models.UUIDField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["nonce"], name="export_link_opens_once"),
            models.CheckConstraint(
                condition=Q(way=DownloadWay.LINK, nonce__isnull=False)
                | ~Q(way=DownloadWay.LINK) & Q(nonce__isnull=True),
                name="export_link_has_nonce",
            ),
        ]
        triggers = [
            *append_only(),
            feeds(
                "export",
                verb="'downloaded'",
                subject="n.export_id",
                actor="n.by_id",
                reason="''",
                data="'way', n.way",
                alike="n.way",
            ),
        ]

    def __str__(self) -> str:
        return f"Download {self.pk} of export {self.export_id}"
