"""What subscribers are told of requests and entries: ids and what the API shows, never a pick."""

from accounts.models.webhook_feeds import in_utc, tells_subscribers
from accounts.models.webhook_types import EventType
from config.triggers import Guard

ENTRY_TYPES = (
    EventType.ENTRY_CREATED,
    EventType.ENTRY_ELIMINATED,
    EventType.ENTRY_REVIVED,
    EventType.ENTRY_WON,
    EventType.ENTRY_VOIDED,
)
REQUEST_TYPES = (
    EventType.REQUEST_CREATED,
    EventType.REQUEST_APPROVED,
    EventType.REQUEST_REJECTED,
    EventType.REQUEST_WITHDRAWN,
    EventType.REQUEST_EXPIRED,
)

# As the change left it: what has happened to the entry since is told by an event of its own.
ENTRY_ROWS = f"""
    SELECT CASE WHEN n.from_status = '' THEN '{EventType.ENTRY_CREATED}'
                WHEN n.from_status = n.to_status THEN NULL
                WHEN n.to_status = 'eliminated' THEN '{EventType.ENTRY_ELIMINATED}'
                WHEN n.to_status = 'active' THEN '{EventType.ENTRY_REVIVED}'
                WHEN n.to_status = 'winner' THEN '{EventType.ENTRY_WON}'
                WHEN n.to_status = 'void' THEN '{EventType.ENTRY_VOIDED}' END AS type,
           'entry-change-' || n.id AS key, e.user_id, e.pool_id,
           jsonb_build_object(
               'entry', jsonb_build_object(
                   'id', e.id, 'pool', e.pool_id, 'user', e.user_id, 'number', e.number, 'status', n.to_status,
                   'strikes', n.details -> 'strikes', 'eliminated_round', n.details -> 'eliminated_round_number',
                   'eliminated_reason', CASE WHEN n.details ->> 'eliminated_code' <> '' THEN jsonb_build_object(
                       'code', n.details -> 'eliminated_code', 'rules_version', n.details -> 'rules_version') END,
                   'prize_cents', n.details -> 'prize_cents', 'suspended', n.details -> 'is_suspended'),
               'previous_status', nullif(n.from_status, '')) AS data
    FROM new_rows n JOIN entries_entry e ON e.id = n.subject_id
"""

REQUEST_ROWS = f"""
    SELECT CASE WHEN n.from_status = '' AND n.to_status = 'pending' THEN '{EventType.REQUEST_CREATED}'
                WHEN n.from_status = n.to_status THEN NULL
                WHEN n.to_status = 'approved' THEN '{EventType.REQUEST_APPROVED}'
                WHEN n.to_status = 'rejected' THEN '{EventType.REQUEST_REJECTED}'
                WHEN n.to_status = 'withdrawn' THEN '{EventType.REQUEST_WITHDRAWN}'
                WHEN n.to_status = 'expired' THEN '{EventType.REQUEST_EXPIRED}' END AS type,
           'request-change-' || n.id AS key, q.user_id, q.pool_id,
           jsonb_build_object(
               'request', jsonb_build_object(
                   'id', q.id, 'kind', q.kind, 'pool', q.pool_id, 'user', q.user_id, 'number', q.number,
                   'status', n.to_status, 'payment_status', n.details -> 'payment_status',
                   'fee_cents', n.details -> 'fee_cents', 'currency', nullif(q.currency, ''),
                   'reason', n.details -> 'reason', 'pay_by', {in_utc("q.pay_by")},
                   'bought_entry', q.bought_entry_id),
               'previous_status', nullif(n.from_status, '')) AS data
    FROM new_rows n JOIN entries_request q ON q.id = n.subject_id
"""


def tells_of_entries() -> Guard:
    """Of the history of entries."""
    return tells_subscribers(ENTRY_ROWS, types=ENTRY_TYPES)


def tells_of_requests() -> Guard:
    """Of the history of requests."""
    return tells_subscribers(REQUEST_ROWS, types=REQUEST_TYPES)
