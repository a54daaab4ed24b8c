"""Taking up what is due: a few deliveries of one endpoint at a time, so that no subscriber keeps the others waiting.

Whoever takes a delivery up has it for the length of a lease; a worker that dies loses it to the next one. How many of
an endpoint are under way at once is counted behind the lock of its health row, over all workers.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection, transaction

from accounts.models.webhook_types import AttemptCause
from accounts.models.webhooks import WebhookAttempt, WebhookDelivery

# Longer than a call may take, with time for a busy machine.
LEASE = timedelta(seconds=60)
AT_ONCE, AT_ONCE_WHILE_FAILING = 4, 1

UNDER_WAY = """
    SELECT count(*) FROM accounts_webhookdelivery d
    WHERE d.endpoint_id = e.endpoint_id AND d.leased_until IS NOT NULL AND d.leased_until > clock_timestamp()
"""
FREE = f"""
    (CASE WHEN e.failing_since IS NULL THEN {AT_ONCE} ELSE {AT_ONCE_WHILE_FAILING} END - ({UNDER_WAY}))
"""
# Whoever was served longest ago comes first. A row that somebody holds is being served just now.
CHOOSE = f"""
    SELECT e.endpoint_id FROM accounts_webhookhealth e
    JOIN accounts_webhookendpoint h ON h.id = e.endpoint_id AND h.off_because = '' AND h.removed_at IS NULL
    WHERE (e.failing_since IS NULL OR NOT %(healthy)s) AND {FREE} > 0
      AND EXISTS (SELECT 1 FROM accounts_webhookdelivery d WHERE d.endpoint_id = e.endpoint_id
                  AND d.status = 'pending' AND d.due_at <= clock_timestamp())
    ORDER BY e.served_at NULLS FIRST, e.endpoint_id LIMIT 1 FOR NO KEY UPDATE OF e SKIP LOCKED
"""
# Counted again, by a statement of its own: it sees what others took up before the lock was ours.
TAKE = f"""
    WITH due AS (
        SELECT d.id, d.leased_until FROM accounts_webhookdelivery d
        WHERE d.endpoint_id = %(endpoint)s AND d.status = 'pending' AND d.due_at <= clock_timestamp()
        ORDER BY d.due_at, d.id
        LIMIT greatest(0, (SELECT {FREE} FROM accounts_webhookhealth e WHERE e.endpoint_id = %(endpoint)s))
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE accounts_webhookdelivery d
    SET tries = d.tries + 1, leased_until = clock_timestamp() + %(lease)s, due_at = clock_timestamp() + %(lease)s
    FROM due WHERE due.id = d.id
    RETURNING d.id, due.leased_until IS NOT NULL
"""
SERVED = "UPDATE accounts_webhookhealth SET served_at = clock_timestamp() WHERE endpoint_id = %(endpoint)s"


@transaction.atomic
def claim(*, only_healthy: bool = False) -> Sequence[WebhookDelivery]:
    """Take up what is due of one endpoint, with its owner; nothing where nothing is, or everybody is at their limit.

    `only_healthy` passes over endpoints whose last delivery failed.
    """
    with connection.cursor() as cursor:
        cursor.execute(CHOOSE, {"healthy": only_healthy})
        chosen = cursor.fetchone()
        if chosen is None:
            return ()
        ask = {"endpoint": chosen[0], "lease": LEASE}
        cursor.execute(SERVED, ask)
        cursor.execute(TAKE, ask)
        taken = dict(cursor.fetchall())
    found = (
        WebhookDelivery.objects.select_related("endpoint__user", "endpoint__health").filter(pk__in=taken).order_by("pk")
    )
    deliveries = list(found)
    _note_lost([one for one in deliveries if taken[one.pk]])
    return deliveries


def cause_of(delivery: WebhookDelivery) -> AttemptCause:
    """Why this attempt is made; the first of an event has no other cause."""
    if delivery.tries > 1:
        return AttemptCause.RETRY
    return AttemptCause.REPLAY if delivery.is_replay else AttemptCause.EVENT


def _note_lost(deliveries: Sequence[WebhookDelivery]) -> None:
    """Whoever had them before did not come back: whether they arrived, nobody knows."""
    WebhookAttempt.objects.bulk_create(
        WebhookAttempt(delivery=one, cause=AttemptCause.RETRY, duration_ms=0, error="interrupted: it may have arrived")
        for one in deliveries
    )
