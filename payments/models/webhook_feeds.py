"""What subscribers are told of money: that it came, that it did not, that it went back."""

from accounts.models.webhook_feeds import in_utc, tells_subscribers
from accounts.models.webhook_types import EventType
from config.triggers import Guard

# Once a status is reached: what else of the row changes is nobody's business outside.
PAYMENT_ROWS = f"""
    SELECT CASE WHEN n.from_status = n.to_status THEN NULL
                WHEN n.to_status = 'succeeded' THEN '{EventType.PAYMENT_RECEIVED}'
                WHEN n.to_status = 'failed' THEN '{EventType.PAYMENT_FAILED}' END AS type,
           'payment-change-' || n.id AS key, q.user_id, q.pool_id,
           jsonb_build_object('payment', jsonb_build_object(
               'id', p.id, 'request', p.request_id, 'pool', q.pool_id, 'user', q.user_id, 'status', n.to_status,
               'amount_cents', p.amount_cents, 'currency', p.currency, 'provider', p.provider,
               'created_at', {in_utc("p.created_at")})) AS data
    FROM new_rows n
    JOIN payments_payment p ON p.id = n.subject_id
    JOIN entries_request q ON q.id = p.request_id
"""

REFUND_ROWS = f"""
    SELECT CASE WHEN n.to_status = 'succeeded' AND n.from_status <> 'succeeded'
                THEN '{EventType.PAYMENT_REFUNDED}' END AS type,
           'refund-change-' || n.id AS key, q.user_id, q.pool_id,
           jsonb_build_object('refund', jsonb_build_object(
               'id', r.id, 'payment', p.id, 'request', p.request_id, 'pool', q.pool_id, 'user', q.user_id,
               'amount_cents', r.amount_cents, 'currency', r.currency, 'provider', r.provider,
               'created_at', {in_utc("r.created_at")})) AS data
    FROM new_rows n
    JOIN payments_refund r ON r.id = n.subject_id
    JOIN payments_receipt t ON t.id = r.receipt_id
    JOIN payments_payment p ON p.id = t.payment_id
    JOIN entries_request q ON q.id = p.request_id
"""


def tells_of_payments() -> Guard:
    """Of the history of payments."""
    return tells_subscribers(PAYMENT_ROWS, types=(EventType.PAYMENT_RECEIVED, EventType.PAYMENT_FAILED))


def tells_of_refunds() -> Guard:
    """Of the history of refunds."""
    return tells_subscribers(REFUND_ROWS, types=(EventType.PAYMENT_REFUNDED,))
