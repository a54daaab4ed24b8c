"""A subscriber: a real server that takes deliveries, and knows on its own whether they are genuine."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from django.db import connection

from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.models.webhook_types import EventType
from accounts.services.webhooks.endpoints import SUBSCRIBABLE, make_endpoint
from accounts.services.webhooks.sending import deliver_due
from tests.support.bad_server import Asked, BadServer, status

PATH = "/hooks?token=hush"


def subscribed(user, server: BadServer, **choices) -> WebhookEndpoint:
    """An endpoint at the server; of all events unless said otherwise. From now on the server answers 204."""
    server.does(status(204))
    return make_endpoint(user=user, **{"url": server.address(PATH), "events": list(SUBSCRIBABLE), **choices})


def told(server: BadServer) -> list[dict[str, Any]]:
    """The bodies that came, in the order in which they did."""
    return [json.loads(asked.body) for asked in server.asked]


def types(server: BadServer) -> list[str]:
    return sorted(body["type"] for body in told(server))


def is_signed(asked: Asked, secret: str) -> bool:
    """By the text of Standard Webhooks, without a line of ours."""
    message, stamp = asked.headers["webhook-id"], asked.headers["webhook-timestamp"]
    assert abs(time.time() - int(stamp)) < 300
    mac = hmac.new(base64.b64decode(secret[6:]), f"{message}.{stamp}.".encode() + asked.body, hashlib.sha256)
    given = [part.split(",", 1) for part in asked.headers["webhook-signature"].split(" ")]
    return ["v1", base64.b64encode(mac.digest()).decode()] in given


def post(endpoint: WebhookEndpoint, number: int = 1) -> WebhookDelivery:
    """A delivery as a trigger leaves it."""
    return WebhookDelivery.objects.create(
        endpoint=endpoint, event_id=f"evt_{endpoint.pk}_{number}", type=EventType.POOL_ENDED, data={"pool": number}
    )


def again() -> int:
    """Let the wait of everything that waits be over, and send it."""
    make_due()
    return deliver_due(seconds=10)


def make_due() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_webhookdelivery SET due_at = clock_timestamp() WHERE status = 'pending'")


def attempts(delivery: WebhookDelivery) -> list[tuple[str, int | None, str]]:
    return list(delivery.attempts.order_by("id").values_list("cause", "status_code", "error"))
