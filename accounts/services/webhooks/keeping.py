"""What is kept of webhooks, for how long, and for whom."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from accounts.models import User
from accounts.models.webhooks import KEPT_DAYS, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.services.closing import forgets
from accounts.services.own_data import Row, section
from accounts.services.webhooks import endpoints
from config import housekeeping, metrics

KEPT = timedelta(days=KEPT_DAYS)


@housekeeping.forgets(
    "webhook deliveries", f"{KEPT_DAYS} days after their event", task="accounts.tasks.forget_webhook_deliveries"
)
def forget_old_deliveries(*, now: datetime, limit: int = 10_000) -> int:
    """Delete old deliveries with their attempts, then removed endpoints of which nothing is left; how many deliveries.

    What was replayed lately stays until the last attempt is old as well.
    """
    old = WebhookDelivery.objects.filter(created_at__lt=now - KEPT).exclude(attempts__at__gte=now - KEPT)
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:limit])
    WebhookAttempt.objects.filter(delivery__in=ids).delete()
    _, deleted = WebhookDelivery.objects.filter(pk__in=ids).delete()
    WebhookEndpoint.objects.filter(removed_at__lt=now - KEPT, deliveries=None).delete()
    return deleted.get(WebhookDelivery._meta.label, 0)


@forgets
def forget_endpoints(user: User) -> None:
    """The account is closed."""
    endpoints.forget_endpoints(user)


@section("webhook_endpoints")
def own_endpoints(user: User) -> Iterable[Row]:
    """Where somebody has events sent; never the secrets."""
    columns = ("id", "name", "url", "events", "covers", "pools", "off_because", "created_at", "removed_at")
    yield from WebhookEndpoint.objects.filter(user=user).order_by("id").values(*columns).iterator(chunk_size=500)


@section("webhook_deliveries")
def own_deliveries(user: User) -> Iterable[Row]:
    """What was sent there."""
    columns = ("id", "endpoint", "event_id", "type", "data", "status", "created_at", "ended_at")
    own = WebhookDelivery.objects.filter(endpoint__user=user)
    yield from own.order_by("id").values(*columns).iterator(chunk_size=500)


metrics.counted_when_looked(
    "webhook_deliveries_due", "Deliveries to subscribers that are due and not sent.", (),
    """SELECT count(*) FROM (
           SELECT 1 FROM accounts_webhookdelivery d JOIN accounts_webhookendpoint h ON h.id = d.endpoint_id
           WHERE d.status = 'pending' AND d.due_at <= clock_timestamp() AND h.off_because = '' LIMIT 100000) due""",
)  # fmt: skip
metrics.counted_when_looked(
    "webhook_oldest_due_seconds", "How long the oldest delivery that is due has been so.", (),
    """SELECT coalesce(extract(epoch FROM clock_timestamp() - min(d.due_at)), 0) FROM accounts_webhookdelivery d
       JOIN accounts_webhookendpoint h ON h.id = d.endpoint_id AND h.off_because = ''
       WHERE d.status = 'pending' AND d.due_at <= clock_timestamp()""",
)  # fmt: skip
metrics.counted_when_looked(
    "webhook_endpoints", "Endpoints of subscribers, by why they are off; empty: they are on.", ("off_because",),
    "SELECT off_because, count(*) FROM accounts_webhookendpoint WHERE removed_at IS NULL GROUP BY off_because",
)  # fmt: skip
