"""Fetching the news that a provider could not bring: after an outage of ours, however long, nobody has to do anything.

The list is read from where the last reading ended, a little earlier, so that what was written late is not passed over.
News that is here already is left alone; what is new waits in the inbox like any other.
"""

import logging
from datetime import timedelta

from config import metrics
from config.clock import database_now
from payments.models import NoticeCursor, WebhookEvent
from payments.providers import online_provider
from payments.services.inbox import receive_notice

logger = logging.getLogger(__name__)

FETCHED = metrics.counter("webhooks_fetched", "News that could not be brought, and was fetched.", ["provider"])
OVERLAP = timedelta(hours=1)
# Stripe lists no older news. Reading too far is no harm, so the clocks need not agree.
KEPT = timedelta(days=30)


def fetch_missed_notices() -> int:
    """Take in whatever the online provider could not deliver; how many were new. Raises `ProviderError`.

    Where the reading breaks off, it begins at the same place the next time.
    """
    provider = online_provider()
    began = database_now()
    cursor = NoticeCursor.objects.filter(provider=provider.name).first()
    since = max(began - KEPT, cursor.at - OVERLAP) if cursor is not None else began - KEPT
    found = 0
    for notice in provider.missed_notices(since=since):
        if not WebhookEvent.objects.filter(provider=provider.name, event_id=notice.event_id).exists():
            receive_notice(notice=notice, provider=provider.name)
            found += 1
    NoticeCursor.objects.update_or_create(provider=provider.name, defaults={"at": began})
    if found:
        FETCHED.labels(provider.name).inc(found)
        logger.warning("%s events of %s had not been delivered, and were fetched", found, provider.name)
    return found
