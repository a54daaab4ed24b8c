"""Secrets, and what is sent: the body, and the headers of Standard Webhooks (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from accounts.models.webhooks import WebhookDelivery, WebhookEndpoint

PREFIX = "whsec_"
SECRET_BYTES = 32
API_VERSION = "v1"


def new_secret() -> str:
    """256 random bits, as subscribers get them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body_of(delivery: WebhookDelivery) -> bytes:
    """What is told, the same bytes in every attempt."""
    said: dict[str, Any] = {
        "id": delivery.event_id,
        "type": delivery.type,
        "created_at": delivery.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "api_version": API_VERSION,
        "sequence": delivery.pk,
        "data": delivery.data,
    }
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


def headers_of(delivery: WebhookDelivery, body: bytes, *, now: datetime) -> Mapping[str, str]:
    """Id, time of this attempt, and a signature under each secret that is good now."""
    stamp = str(int(now.timestamp()))
    signed = f"{delivery.event_id}.{stamp}.".encode() + body
    signatures = [_signature(secret, signed) for secret in good_secrets(delivery.endpoint, now=now)]
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery.event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def good_secrets(endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """The present one, and for a day the one before."""
    until = endpoint.previous_secret_until
    previous = endpoint.previous_secret if until is not None and now < until else None
    return [secret for secret in (endpoint.secret, previous) if secret]


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
