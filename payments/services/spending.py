"""What a player spent in a month, as far as we know of it: what was started there or came, less what went back.

Money counts in the month in which its payment was started, also where it came, or went back, in the next one: a refund
makes no room in a later month. What came and waits without a place counts until it has gone back.
"""

from django.db import connection

from accounts.services.spending import Month, counts_spending
from payments.models import ReceiptState, RefundState
from payments.models.payment import LIVE_STATES

SPENT = """
    WITH mine AS (
        SELECT p.id, p.status, p.amount_cents, p.currency
        FROM entries_request q JOIN payments_payment p ON p.request_id = q.id
        WHERE q.user_id = %(user)s AND p.created_at >= %(begins)s AND p.created_at < %(ends)s
          AND p.id IS DISTINCT FROM %(but)s
    )
    SELECT coalesce((SELECT sum(amount_cents) FROM mine WHERE status = ANY(%(live)s) AND currency = %(currency)s), 0)
         + coalesce((SELECT sum(t.amount_cents - back.cents)
                     FROM mine JOIN payments_receipt t ON t.payment_id = mine.id
                     CROSS JOIN LATERAL (SELECT coalesce(sum(f.amount_cents), 0) AS cents FROM payments_refund f
                                         WHERE f.receipt_id = t.id AND f.status = %(refunded)s) back
                     WHERE t.currency = %(currency)s AND t.status <> %(charged_back)s), 0)
"""


@counts_spending
def spent_in(user_id: int, currency: str, month: Month, but_payment: int | None) -> int:
    """Minor units of one currency, one payment left out if it is named."""
    with connection.cursor() as cursor:
        cursor.execute(
            SPENT,
            {
                "user": user_id,
                "currency": currency,
                "begins": month.begins_at,
                "ends": month.ends_at,
                "but": but_payment,
                "live": [str(state) for state in LIVE_STATES],
                "refunded": str(RefundState.SUCCEEDED),
                "charged_back": str(ReceiptState.CHARGED_BACK),
            },
        )
        return int(cursor.fetchone()[0])
