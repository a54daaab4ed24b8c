"""What the home page tells of money: what waits for a person or a second name, and whether it all agrees."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.home import Panel, Queue, among, panel, queue
from payments.admin.finance_page import tie_out_shown
from payments.models import (
    CancellationState,
    CorrectionState,
    ExportState,
    ManualState,
    PayoutState,
    PeriodState,
    ReceiptState,
    RefundState,
    ScheduleState,
    WriteOffState,
)
from payments.models.discrepancy import OPEN_STATES, URGENT
from payments.models.dispute import TO_ANSWER
from payments.reconciliation.tie_outs import checked

OPEN = among("status", *OPEN_STATES)
IS_URGENT = among("kind", *sorted(URGENT))


def _money_panel(request: HttpRequest) -> dict[str, Any]:
    found = checked()
    return {
        "found": found,
        "agreeing": sum(bool(row.agrees) for row in found.rows),
        "others": [tie_out_shown(row) for row in found.rows if not row.agrees],
    }


queue(
    Queue(
        "urgent", _("Urgent discrepancies"), "payments_discrepancy", f"{OPEN} AND {IS_URGENT}",
        since="opened_at", query="?urgency=urgent", is_urgent=True, icon="error",
    ),
    Queue(
        "discrepancies", _("Open discrepancies"), "payments_discrepancy", f"{OPEN} AND NOT {IS_URGENT}",
        since="opened_at", query="?urgency=other", patience=timedelta(days=3), icon="compare_arrows",
    ),
    Queue(
        "refunds", _("Refunds for a second name"), "payments_refund", among("status", RefundState.REQUESTED),
        since="created_at", query="?status__exact=requested", icon="undo",
    ),
    Queue(
        "disputes", _("Disputes to answer"), "payments_dispute", among("status", *TO_ANSWER),
        since="coalesce(evidence_due_at, opened_at)", query="?waits_for=us", is_due=True, patience=timedelta(days=3),
        icon="report",
    ),
    Queue(
        "receipts", _("Money without a place"), "payments_receipt", among("status", ReceiptState.UNAPPLIED),
        since="received_at", query="?look_at=unapplied", patience=timedelta(days=3), icon="money_off",
    ),
    Queue(
        "payouts", _("Payouts for a second name"), "payments_payout", among("status", PayoutState.REQUESTED),
        since="requested_at", query="?status__exact=requested", icon="emoji_events",
    ),
    Queue(
        "handed_over", _("Handed over, for a second name"), "payments_manualrecord",
        among("status", ManualState.RECORDED), since="recorded_at", icon="payments",
    ),
    Queue(
        "corrections", _("Corrected prizes for a second name"), "payments_prizecorrection",
        among("status", CorrectionState.REQUESTED), since="requested_at", query="?status__exact=requested", icon="tune",
    ),
    Queue(
        "write_offs", _("Write-offs for a second name"), "payments_writeoff", among("status", WriteOffState.REQUESTED),
        since="requested_at", query="?status__exact=requested", icon="remove_done",
    ),
    Queue(
        "cancellations", _("Cancellations for a second name"), "payments_cancellation",
        among("status", CancellationState.PROPOSED), since="proposed_at", query="?status__exact=proposed",
        icon="event_busy",
    ),
    Queue(
        "periods", _("Months for a second name"), "payments_periodclose", among("status", PeriodState.PROPOSED),
        since="proposed_at", query="?status__exact=proposed", icon="event_available",
    ),
    Queue(
        "failed_reports", _("Reports that failed"), "payments_export", among("status", ExportState.FAILED),
        since="created_at", query="?status__exact=failed", icon="summarize",
    ),
    Queue(
        "stopped_schedules", _("Scheduled reports that stopped by themselves"), "payments_exportschedule",
        f"{among('status', ScheduleState.STOPPED)} AND stopped_because <> ''", since="created_at",
        query="?state=broken", is_urgent=True, icon="schedule",
    ),
)  # fmt: skip
panel(
    Panel(
        "money", _("Does the money agree?"), "payments.view_reconciliationrun", "payments/home_money.html",
        _money_panel, icon="account_balance",
    ),
)  # fmt: skip
