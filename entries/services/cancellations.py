"""What becomes of the requests of a cancelled pool: those not decided are turned down, those not paid withdrawn.

One statement for all of them, however many there are. Paid ones stay: whoever keeps the money gives it back, place by
place (`lost_places`).
"""

from typing import Any

from django.db import connection, transaction

from accounts.models import User
from config import outbox
from config.audit import attribute
from entries.models import RequestKind, RequestStatus
from entries.services.places import OWING
from pools.models import Pool, PoolStatus

REASON = "the pool was cancelled"

# In the order of ids, and with the pool's row held, like everybody who changes requests.
END = """
    UPDATE entries_request q
    SET status = CASE q.status WHEN 'pending' THEN 'rejected' ELSE 'withdrawn' END, payment_status = 'not_due',
        decided_at = coalesce(q.decided_at, clock_timestamp()), decided_by_id = coalesce(q.decided_by_id, %(by)s),
        reason = %(reason)s
    FROM (SELECT id FROM entries_request
          WHERE pool_id = %(pool)s AND (status = 'pending' OR status = 'approved' AND payment_status = ANY(%(owing)s))
          ORDER BY id FOR NO KEY UPDATE) ending
    WHERE q.id = ending.id
"""

# A key that was posted before changes nothing, so whoever ended earlier for this reason gets no second mail.
MAILS = """
    SELECT %(name)s || '-' || id, jsonb_build_object('request', id) FROM entries_request
    WHERE (pool_id, reason, status, kind) = (%(pool)s, %(reason)s, %(status)s, %(kind)s) ORDER BY id
"""
CLOSED = """
    SELECT 'request-closed-' || id, jsonb_build_object('request', id) FROM entries_request
    WHERE (pool_id, reason, status) = (%(pool)s, %(reason)s, 'withdrawn') AND fee_cents > 0 ORDER BY id
"""
TOLD = (
    ("request_rejected", RequestStatus.REJECTED, RequestKind.ENTRY),
    ("request_withdrawn", RequestStatus.WITHDRAWN, RequestKind.ENTRY),
    ("buy_back_withdrawn", RequestStatus.WITHDRAWN, RequestKind.BUY_BACK),
)


@transaction.atomic
def end_requests(pool: Pool, by: User | None) -> int:
    """End what waits in a cancelled pool, and tell the players; how many. Twice is as good as once."""
    ask: dict[str, Any] = {"pool": pool.pk, "reason": REASON, "by": None if by is None else by.pk}
    attribute(by=by, reason=REASON)
    with connection.cursor() as cursor:
        cursor.execute(END, ask | {"owing": [str(status) for status in OWING]})
        ended = int(cursor.rowcount)
    if ended:
        for name, status, kind in TOLD:
            about = {"name": name, "status": str(status), "kind": str(kind)}
            outbox.post_many(kind=f"mail.{name}", rows=MAILS, params=ask | about)
        outbox.post_many(kind="request.closed", rows=CLOSED, params=ask)
    return ended


@outbox.handler("pool.cancelled")
@transaction.atomic
def end_late_requests(payload: dict[str, Any]) -> None:
    """Whoever asked while the pool was being cancelled was not seen by it."""
    pool = Pool.objects.locked().get(pk=payload["pool"])
    if pool.status == PoolStatus.CANCELLED:
        end_requests(pool, None)
