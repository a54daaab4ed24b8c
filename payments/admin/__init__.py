"""Money in the back office: to look at, to ask the provider about, to report."""

from payments.admin.payments import PaymentAdmin
from payments.admin.receipts import ReceiptAdmin
from payments.admin.unpaid import UnpaidRequestAdmin
from payments.admin.webhooks import WebhookEventAdmin

__all__ = ["PaymentAdmin", "ReceiptAdmin", "UnpaidRequestAdmin", "WebhookEventAdmin"]
