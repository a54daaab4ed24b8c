"""Taking news in, and counting what nobody signed. A statement each, so parallel copies cannot collide."""

import hashlib
import json
import logging

from django.conf import settings
from django.db import DatabaseError, connection

from config import metrics
from config.errors import Code, DomainError
from payments import figures
from payments.models import DiscrepancyKind
from payments.providers.notices import Notice
from payments.services.discrepancies import raise_discrepancy
from payments.services.inbox.kinds import is_followed

logger = logging.getLogger(__name__)

DELIVERIES = metrics.counter("webhook_deliveries", "News that came in, repetitions included.", ["type"])
REFUSALS = metrics.counter("webhook_refusals", "News that nobody signed.", ["provider"])

STORE = """
    INSERT INTO payments_webhookevent AS e (
        provider, event_id, event_type, object_id, livemode, api_version, snapshot_event_id, payload,
        deliveries, status, ignored_because, attempts, error
    ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, 1, 'received', '', 0, '')
    ON CONFLICT (provider, event_id) DO UPDATE SET deliveries = e.deliveries + 1
    RETURNING id, deliveries
"""
COUNT_REFUSAL = """
    INSERT INTO payments_webhookrefusal AS r (provider, hour, times, sample_sha256)
    VALUES (%s, date_trunc('hour', clock_timestamp(), 'UTC'), 1, %s)
    ON CONFLICT (provider, hour) DO UPDATE
    SET times = r.times + 1, sample_sha256 = excluded.sample_sha256, last_at = clock_timestamp()
    RETURNING times, hour
"""


class NotStored(DomainError):
    """500: the news could not be kept, and nobody may believe that it was."""

    def __init__(self) -> None:
        super().__init__(Code.INTERNAL_ERROR, "This could not be stored. Send it again.")


def receive_notice(*, notice: Notice, provider: str) -> int:
    """Store proved news, or count it once more; the row's id. Raises `NotStored`: the provider must bring it again."""
    try:
        event_id = _store(notice, provider)
    except DatabaseError as error:
        logger.warning("news %s was not stored: %s", notice.event_id, type(error).__name__)
        raise NotStored from error
    DELIVERIES.labels(notice.event_type if is_followed(notice.event_type) else "other").inc()
    return event_id


def note_refusal(*, provider: str, body: bytes) -> int:
    """Count news whose signature was refused; how often that was in this hour. Of the text a fingerprint is kept.

    Without a database the caller is refused all the same: 0.
    """
    REFUSALS.labels(provider).inc()
    try:
        with connection.cursor() as cursor:
            cursor.execute(COUNT_REFUSAL, [provider, hashlib.sha256(body).hexdigest()])
            times, hour = cursor.fetchone()
        # Once at the limit and at each multiple of it: who floods us does not write into the queue with every call.
        if times % settings.WEBHOOK_REFUSALS_PER_HOUR == 0:
            _tell(provider, times, f"{hour:%Y-%m-%d %H:00} UTC")
    except DatabaseError as error:
        logger.warning("a refused webhook was not counted: %s", type(error).__name__)
        return 0
    return int(times)


def _store(notice: Notice, provider: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            STORE,
            [
                provider, notice.event_id, notice.event_type, notice.object_id, notice.livemode, notice.api_version,
                notice.snapshot_event_id, json.dumps(notice.payload),
            ],
        )  # fmt: skip
        event_id, deliveries = cursor.fetchone()
    if deliveries > 1:
        figures.WEBHOOK_DUPLICATES.labels(provider).inc()
    return int(event_id)


def _tell(provider: str, times: int, hour: str) -> None:
    raise_discrepancy(
        kind=DiscrepancyKind.SIGNATURES,
        object_key=f"webhooks:{provider}",
        sentence=f"{times} webhooks of {provider} with a wrong signature came in the hour of {hour}.",
        suggestion="Compare the endpoint's signing secret with ours. If they agree, somebody tries to forge news.",
        details={"hour": hour},
    )
