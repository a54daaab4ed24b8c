"""What should be true before a month is closed, and what closing it seals, in numbers.

Nothing here refuses: what is open is said, and whoever closes decides; the close keeps how many doubts were open then.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.exports.schedules import last_of
from payments.models import (
    BankAccount,
    Cancellation,
    CancellationState,
    CorrectionState,
    Discrepancy,
    Every,
    Export,
    ExportSchedule,
    ExportState,
    FeedCursor,
    ManualRecord,
    ManualState,
    Payout,
    PayoutState,
    PrizeCorrection,
    Receipt,
    ReceiptState,
    Refund,
    RefundState,
    ScheduleState,
    WriteOff,
    WriteOffState,
)
from payments.models.discrepancy import OPEN_STATES, URGENT
from payments.reconciliation.tie_outs import checked

# What waits for a second name, and since when.
SECOND_NAMES = (
    (Refund, "created_at", RefundState.REQUESTED),
    (Payout, "requested_at", PayoutState.REQUESTED),
    (ManualRecord, "recorded_at", ManualState.RECORDED),
    (PrizeCorrection, "requested_at", CorrectionState.REQUESTED),
    (WriteOff, "requested_at", WriteOffState.REQUESTED),
    (Cancellation, "proposed_at", CancellationState.PROPOSED),
)
UNFINISHED = (ExportState.WAITING, ExportState.QUEUED, ExportState.RUNNING, ExportState.FAILED)
MOVED = """
    SELECT j.currency_id, j.livemode, count(DISTINCT j.id),
           coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0)::bigint,
           coalesce(-sum(p.amount) FILTER (WHERE p.amount < 0), 0)::bigint
    FROM payments_journalentry j JOIN payments_posting p ON p.journal_entry_id = j.id
    WHERE j.finance_date BETWEEN %s AND %s
    GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list: None where it cannot be known. `page` is the name of the page that it leads to."""

    name: str
    label: str | Promise
    holds: bool | None
    found: str
    page: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a month's entries move in one currency and mode."""

    currency: str
    livemode: bool
    entries: int
    debits: int
    credits: int


def checks_of(first_day: date, last_day: date) -> list[Check]:
    """All of them, in the order of the work; a dozen queries."""
    end = datetime.combine(last_day + timedelta(days=1), time(), settings.FINANCE_TIME_ZONE)
    return [
        _tie_outs(end),
        _read(end),
        _bank(last_day),
        _doubts(end),
        _waiting_money(end),
        _second_names(end),
        _reports(first_day, last_day),
    ]


def moved_in(first_day: date, last_day: date) -> list[Moved]:
    """What the month's entries come to, by currency; one query."""
    with connection.cursor() as cursor:
        cursor.execute(MOVED, [first_day, last_day])
        return [Moved(*row) for row in cursor.fetchall()]


def _tie_outs(end: datetime) -> Check:
    found = checked()
    if found.at is None or found.at < end:
        told = gettext("They have not been asked since the month ended.")
        return Check("tie_outs", _("The money agrees"), None, told, "payments_reconciliationrun_finance")
    agreeing = sum(bool(row.agrees) for row in found.rows)
    told = gettext("%(agreeing)s of %(all)s counts are the same on both sides, asked on %(at)s UTC.") % {
        "agreeing": agreeing, "all": len(found.rows), "at": f"{found.at:%Y-%m-%d %H:%M}",
    }  # fmt: skip
    holds = {"green": True, "red": False}.get(found.verdict)
    return Check("tie_outs", _("The money agrees"), holds, told, "payments_reconciliationrun_finance")


def _read(end: datetime) -> Check:
    behind = [cursor for cursor in FeedCursor.objects.order_by("provider") if cursor.through < end]
    is_any = bool(behind) or FeedCursor.objects.exists()
    told = ", ".join(f"{one.provider}: {one.through:%Y-%m-%d %H:%M} UTC" for one in behind)
    if not behind:
        told = gettext("Through the end of the month.") if is_any else gettext("No provider was ever read.")
    return Check(
        "read", _("All movements of the providers have been read"), not behind if is_any else None, told,
        "payments_reconciliationrun_changelist",
    )  # fmt: skip


def _bank(last_day: date) -> Check:
    accounts = BankAccount.objects.filter(is_active=True).annotate(through=Max("statements__last_on")).order_by("pk")
    known = list(accounts)
    behind = [one for one in known if one.through is None or one.through < last_day]
    told = ", ".join(f"{one.name}: {one.through or '–'}" for one in behind)
    if not behind:
        told = gettext("Through the end of the month.") if known else gettext("No bank account is kept here.")
    return Check(
        "bank", _("The bank’s statements are here"), not behind if known else None, told,
        "payments_bankstatement_changelist",
    )  # fmt: skip


def _doubts(end: datetime) -> Check:
    # All that are open: what is doubtful about a month is mostly found after its end, by the run of the night.
    found = Discrepancy.objects.filter(status__in=OPEN_STATES).aggregate(
        count=Count("pk"),
        before=Count("pk", filter=Q(opened_at__lt=end)),
        urgent=Count("pk", filter=Q(kind__in=URGENT)),
    )
    told = gettext("In all %(count)s, from before its end %(before)s, urgent %(urgent)s.") % found
    return Check("doubts", _("No discrepancy is open"), found["count"] == 0, told, "payments_discrepancy_changelist")


def _waiting_money(end: datetime) -> Check:
    count = Receipt.objects.filter(status=ReceiptState.UNAPPLIED, received_at__lt=end).count()
    told = gettext("%(count)s receipts of it wait for a place or their way back.") % {"count": count}
    page = "payments_receipt_changelist"
    return Check("money", _("All money has a place"), count == 0, told, page, "?look_at=unapplied")


def _second_names(end: datetime) -> Check:
    count = sum(
        model._default_manager.filter(Q(**{"status": state, f"{since}__lt": end})).count()
        for model, since, state in SECOND_NAMES
    )
    told = gettext("%(count)s from before its end wait for a second name.") % {"count": count}
    page = "payments_reconciliationrun_finance"
    return Check("names", _("Nothing waits for a second name"), count == 0, told, page)


def _reports(first_day: date, last_day: date) -> Check:
    begun = ExportSchedule.objects.filter(next_first__lte=last_day).exclude(status=ScheduleState.DELETED)
    names = [
        one.name
        for one in begun.order_by("pk")
        if (one.status == ScheduleState.ACTIVE or one.stopped_because) and _ends(one, one.next_first) <= last_day
    ]
    asked = Export.objects.filter(schedule__isnull=False, status__in=UNFINISHED, period_first__lte=last_day)
    unfinished = sum(
        first_day <= _ends(export.schedule, export.period_first) <= last_day
        for export in asked.select_related("schedule")
        if export.schedule is not None and export.period_first is not None
    )
    told = gettext("%(count)s of its scheduled reports are not written.") % {"count": len(names) + unfinished}
    if names:
        told = f"{told} {', '.join(names)}"
    holds = not names and not unfinished
    return Check("reports", _("Its scheduled reports are written"), holds, told, "payments_exportschedule_changelist")


def _ends(schedule: ExportSchedule, first: date) -> date:
    """A report belongs to the month in which its period ends: it cannot be written before."""
    return last_of(first, Every(schedule.every))
