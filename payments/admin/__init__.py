"""Money in the back office: to look at, to ask the provider about, to decide about, to report."""

from payments.admin.discrepancies import DiscrepancyAdmin
from payments.admin.payments import PaymentAdmin
from payments.admin.receipts import ReceiptAdmin
from payments.admin.unpaid import UnpaidRequestAdmin
from payments.admin.webhooks import WebhookEventAdmin

__all__ = ["DiscrepancyAdmin", "PaymentAdmin", "ReceiptAdmin", "UnpaidRequestAdmin", "WebhookEventAdmin"]
