"""Money in the back office: to look at, to ask the provider about, to decide about, to report."""

from payments.admin import home, menu, pool_ends
from payments.admin.accounting import AccountMappingAdmin, JournalBatchAdmin
from payments.admin.bank import BankAccountAdmin, BankStatementAdmin
from payments.admin.bank_lines import BankLineAdmin
from payments.admin.cancellations import CancellationAdmin
from payments.admin.discrepancies import DiscrepancyAdmin
from payments.admin.disputes import DisputeAdmin
from payments.admin.entry_money import EntryMoneyAdmin
from payments.admin.export_schedules import ExportScheduleAdmin
from payments.admin.exports import ExportAdmin
from payments.admin.ledger import JournalEntryAdmin
from payments.admin.ledger_accounts import AccountAdmin
from payments.admin.manual import ManualRecordAdmin
from payments.admin.movements import MovementAdmin
from payments.admin.payments import PaymentAdmin
from payments.admin.payout_accounts import PayoutAccountAdmin
from payments.admin.payouts import PayoutAdmin
from payments.admin.periods import PeriodCloseAdmin
from payments.admin.prize_bookings import PrizeBookingAdmin
from payments.admin.prize_corrections import PrizeCorrectionAdmin
from payments.admin.provider_payouts import ProviderPayoutAdmin
from payments.admin.receipts import ReceiptAdmin
from payments.admin.refunds import RefundAdmin
from payments.admin.runs import ReconciliationRunAdmin
from payments.admin.taxes import TaxFormAdmin, TaxYearAdmin
from payments.admin.unpaid import UnpaidRequestAdmin
from payments.admin.webhooks import WebhookEventAdmin, WebhookRefusalAdmin
from payments.admin.write_offs import ForeignObjectAdmin, WriteOffAdmin

__all__ = [
    "AccountAdmin",
    "AccountMappingAdmin",
    "BankAccountAdmin",
    "BankLineAdmin",
    "BankStatementAdmin",
    "CancellationAdmin",
    "DiscrepancyAdmin",
    "DisputeAdmin",
    "EntryMoneyAdmin",
    "ExportAdmin",
    "ExportScheduleAdmin",
    "ForeignObjectAdmin",
    "JournalBatchAdmin",
    "JournalEntryAdmin",
    "ManualRecordAdmin",
    "MovementAdmin",
    "PaymentAdmin",
    "PayoutAccountAdmin",
    "PayoutAdmin",
    "PeriodCloseAdmin",
    "PrizeBookingAdmin",
    "PrizeCorrectionAdmin",
    "ProviderPayoutAdmin",
    "ReceiptAdmin",
    "ReconciliationRunAdmin",
    "RefundAdmin",
    "TaxFormAdmin",
    "TaxYearAdmin",
    "UnpaidRequestAdmin",
    "WebhookEventAdmin",
    "WebhookRefusalAdmin",
    "WriteOffAdmin",
    "home",
    "menu",
    "pool_ends",
]
