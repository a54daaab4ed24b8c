"""Linking entries into the chain, some seconds after they were committed, and closing the days that are over.

Only here does anybody take turns. An entry that is seen is committed, so it can be linked; one that commits later is
linked later. The order of the chain is therefore that of linking, not of ids: nothing is waited for, and nothing that
comes late is passed over.
"""

import logging
from datetime import date

from django.db import connection, transaction

from config import metrics, outbox
from config.locks import try_advisory_lock
from config.models import AuditDay

logger = logging.getLogger(__name__)

metrics.counted_when_looked(
    "audit_unlinked", "Entries of the audit that wait for their link.", (), "SELECT count(*) FROM config_auditpending"
)
metrics.counted_when_looked(
    "audit_unlinked_seconds", "Age of the oldest of them.", (),
    """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(e.at)), 0)
    FROM (SELECT entry_id FROM config_auditpending ORDER BY entry_id LIMIT 1) p JOIN config_auditentry e
        ON e.id = p.entry_id
    """,
)  # fmt: skip

DAY_MAIL = "mail.audit_day_closed"
AT_ONCE = 1000
MOST = 50_000

_SEAL = """
    WITH oldest AS MATERIALIZED (  -- Chosen once: a plan may run a subselect again for each row, past its limit.
        SELECT entry_id FROM config_auditpending ORDER BY entry_id LIMIT %s FOR UPDATE SKIP LOCKED
    ), due AS MATERIALIZED (
        DELETE FROM config_auditpending WHERE entry_id IN (SELECT entry_id FROM oldest) RETURNING entry_id
    )
    INSERT INTO config_auditlink (entry_id) SELECT entry_id FROM due ORDER BY entry_id
"""
# Days with links that are past and not closed, the oldest first.
_OVER = """
    SELECT DISTINCT day FROM config_auditlink l
    WHERE day < (clock_timestamp() AT TIME ZONE 'UTC')::date
      AND day > coalesce((SELECT max(day) FROM config_auditday), '-infinity')
    ORDER BY day
"""


def seal(*, limit: int = MOST) -> int:
    """Link what waits, oldest first, at most `limit`; how many. Somebody else at work: none, they see to it."""
    count = 0
    while count < limit:
        done = _seal_some(min(AT_ONCE, limit - count))
        count += done
        if done < AT_ONCE:
            break
    return count


@transaction.atomic
def _seal_some(limit: int) -> int:
    if not try_advisory_lock("config.audit.sealing"):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_SEAL, [limit])
        return int(cursor.rowcount)


@transaction.atomic
def close_days() -> list[AuditDay]:
    """Close the days that are past, with everything linked that was seen by now; what they come to is mailed.

    None while more waits than can be linked at once: it may be of such a day.
    """
    if not try_advisory_lock("config.audit.closing") or seal() >= MOST:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_OVER)
        days = [row[0] for row in cursor.fetchall()]
    return [_close(day) for day in days]


def _close(day: date) -> AuditDay:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO config_auditday (day) VALUES (%s)", [day])
    closed = AuditDay.objects.get(day=day)
    # Also in the log, which other machines keep: whoever rewrites the chain would have to rewrite it there.
    logger.info("audit day %s is closed: %s entries, head %s", closed.day, closed.entries, closed.head)
    outbox.post(kind=DAY_MAIL, key=f"audit-day-{day}", payload={"day": day.isoformat()})
    return closed
