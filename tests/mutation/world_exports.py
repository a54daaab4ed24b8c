"""A row of each export, schedule and closed month."""

from datetime import date

from config.clock import database_now
from payments.models import (
    DownloadWay,
    Every,
    Export,
    ExportDownload,
    ExportOrigin,
    ExportSchedule,
    ExportState,
    FileFormat,
    PeriodClose,
    PeriodState,
)
from payments.services.periods import digest_of
from tests.factories.accounts import FinanceFactory


def build() -> None:
    """Written, fetched, running, and one of a schedule; a month that is closed, and one that is proposed."""
    who, now = FinanceFactory(), database_now()
    schedule = ExportSchedule.objects.create(
        name="Daily", report="payments", format="csv", every=Every.DAY, next_first=date(2026, 3, 1), created_by=who
    )
    schedule.recipients.add(who)
    export = Export.objects.create(
        report="payments", format=FileFormat.CSV, schema_version=1, status=ExportState.DONE, requested_by=who,
        origin=ExportOrigin.STAFF, is_personal=False, as_of=now, bounds={"posting": 1}, rows=1, size=1,
        sha256="0" * 64, file_key="a.csv", finished_at=now,
    )  # fmt: skip
    ExportDownload.objects.create(export=export, by=who, way=DownloadWay.LINK, nonce=export.ref)
    Export.objects.create(
        report="payments", format=FileFormat.CSV, schema_version=1, status=ExportState.RUNNING, is_personal=False,
        origin=ExportOrigin.SCHEDULE, schedule=schedule, period_first=date(2026, 2, 28), repeats=export,
    )  # fmt: skip
    closed = PeriodClose(
        first_day=date(2026, 1, 1), last_day=date(2026, 1, 31), status=PeriodState.CLOSED, proposed_by=who,
        closed_by=FinanceFactory(), closed_at=now,
    )  # fmt: skip
    closed.digest = digest_of(closed)
    closed.save()
    PeriodClose.objects.create(first_day=date(2026, 2, 1), last_day=date(2026, 2, 28), proposed_by=who)
