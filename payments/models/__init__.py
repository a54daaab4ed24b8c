"""Money coming in: payments (intents), receipts (money that arrived), and the inbox of provider news."""

from payments.models.payment import Payment, PaymentChange, PaymentState, Provider
from payments.models.receipt import Receipt, ReceiptChange, ReceiptState
from payments.models.unpaid import UnpaidRequest
from payments.models.webhook import WebhookEvent, WebhookState

__all__ = [
    "Payment",
    "PaymentChange",
    "PaymentState",
    "Provider",
    "Receipt",
    "ReceiptChange",
    "ReceiptState",
    "UnpaidRequest",
    "WebhookEvent",
    "WebhookState",
]
