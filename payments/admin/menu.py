"""Where the sidebar leads to money, and to the books about it."""

from django.utils.translation import gettext_lazy as _

from config.menu import Group, Line, menu

menu(
    Group.MONEY,
    Line(
        "",
        _("Does the money agree?"),
        "account_balance",
        10,
        "payments_reconciliationrun_finance",
        "payments.view_reconciliationrun",
    ),
    Line("payments_discrepancy", _("Discrepancies"), "compare_arrows", 20),
    Line("payments_payment", _("Payments"), "credit_card", 30),
    Line("payments_receipt", _("Receipts"), "receipt_long", 40),
    Line("payments_unpaidrequest", _("Unpaid"), "hourglass_bottom", 50),
    Line("payments_refund", _("Refunds"), "undo", 60),
    Line("payments_dispute", _("Disputes"), "report", 70),
    Line("payments_manualrecord", _("Handed over"), "payments", 80),
    Line("payments_payout", _("Payouts to winners"), "redeem", 90),
    Line("payments_payoutaccount", _("Where winners are paid"), "account_box", 100),
    Line("payments_prizebooking", _("Prizes"), "military_tech", 110),
    Line("payments_prizecorrection", _("Corrected prizes"), "tune", 120),
    Line("payments_cancellation", _("Cancelled pools"), "event_busy", 130),
    Line("payments_entrymoney", _("Entries and their money"), "savings", 140),
    Line("payments_taxform", _("Tax forms"), "description", 150),
    Line("payments_taxyear", _("Tax years"), "calendar_month", 160),
)
menu(
    Group.BOOKS,
    Line("", _("Reports"), "summarize", 10, "payments_export_centre", "payments.export_reports"),
    Line("payments_export", _("Written reports"), "history", 15),
    Line("payments_exportschedule", _("Scheduled reports"), "schedule", 20),
    Line("payments_journalentry", _("Journal"), "menu_book", 30),
    Line("payments_account", _("Accounts"), "account_tree", 40),
    Line("payments_periodclose", _("Closed months"), "event_available", 50),
    Line("payments_journalbatch", _("Handed to accounting"), "output", 60),
    Line("payments_accountmapping", _("Accounts elsewhere"), "swap_horiz", 70),
    Line("payments_reconciliationrun", _("Reconciliation runs"), "sync", 80),
    Line("payments_movement", _("Movements at providers"), "swap_vert", 90),
    Line("payments_providerpayout", _("Transfers from providers"), "call_received", 100),
    Line("payments_bankstatement", _("Bank statements"), "article", 110),
    Line("payments_bankline", _("Lines of statements"), "notes", 120),
    Line("payments_bankaccount", _("Bank accounts"), "account_balance_wallet", 130),
    Line("payments_writeoff", _("Write-offs"), "remove_done", 140),
    Line("payments_foreignobject", _("Not ours"), "travel_explore", 150),
)
menu(
    Group.WATCH,
    Line("payments_webhookevent", _("Webhooks received"), "call_merge", 80),
    Line("payments_webhookrefusal", _("Webhooks refused"), "gpp_bad", 90),
)  # fmt: skip
