"""Telling it again: one delivery, or all since an instant. The same event with the same id: a repeat can be seen."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.models.webhook_types import DeliveryStatus
from accounts.models.webhooks import WebhookDelivery, WebhookEndpoint
from accounts.services.webhooks.endpoints import hurry, own_endpoint
from config.audit import attribute, record
from config.clock import ClockTimestamp
from config.errors import Code, InvalidTransition, NotFound

ENDED = (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)
MOST_AT_ONCE = 10_000


@transaction.atomic
def replay(*, delivery_id: int, endpoint: WebhookEndpoint, by: User) -> WebhookDelivery:
    """Send a delivery that has ended once more, now. Refuses one that waits or was cancelled, and what is not there."""
    delivery = WebhookDelivery.objects.locked().filter(pk=delivery_id, endpoint=endpoint).first()
    if delivery is None:
        raise NotFound(Code.NOT_FOUND, "There is no such delivery of this endpoint.")
    if delivery.status not in ENDED or not endpoint.is_enabled:
        state = delivery.status if endpoint.is_enabled else "of an endpoint that is off"
        raise InvalidTransition("delivery", state, "replayed")
    _put_back([delivery.pk], endpoint, by)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay_since(*, user: User, endpoint_id: int, since: datetime, statuses: Collection[str], now: datetime) -> int:
    """Send all deliveries since an instant again that ended so; how many.

    At most ten thousand, the oldest first: ask again from the last one's instant for the rest. Refuses with NOT_FOUND
    what is not theirs, with INVALID_TRANSITION an endpoint that is off.
    """
    endpoint = own_endpoint(user=user, endpoint_id=endpoint_id)
    if not endpoint.is_enabled:
        raise InvalidTransition("webhook endpoint", "off", "replayed")
    chosen = WebhookDelivery.objects.filter(
        endpoint=endpoint, created_at__gte=since, created_at__lte=now, status__in=set(statuses) & set(ENDED)
    )
    ids = list(chosen.locked(skip_busy=True).order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    _put_back(ids, endpoint, user)
    return len(ids)


def _put_back(ids: list[int], endpoint: WebhookEndpoint, by: User) -> None:
    attribute(by=by)
    WebhookDelivery.objects.filter(pk__in=ids).update(
        status=DeliveryStatus.PENDING, due_at=ClockTimestamp(), tries=0, is_replay=True, ended_at=None
    )
    record(action="webhook_endpoint.replayed", subject=endpoint, person=endpoint.user_id, data={"count": len(ids)})
    hurry()
