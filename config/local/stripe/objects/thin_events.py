"""Thin events: a note that something happened, without the thing itself, of no API version.

What the API under /v1 announces has a thin twin beside its snapshot, `v1.` before its type, with an id of its own and
the snapshot's in `snapshot_event`. Alerts about Stripe's own health exist in this form alone.
"""

from datetime import UTC, datetime

from config.local.stripe import webhooks
from config.local.stripe.errors import ResourceMissing
from config.local.stripe.ids import new_id
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

KIND = webhooks.THIN
KEPT_SECONDS = 30 * 86_400
ALERT = "v2.core.health.event_generation_failure.resolved"
ADDRESSES = {
    "charge": "/v1/charges/",
    "checkout.session": "/v1/checkout/sessions/",
    "dispute": "/v1/disputes/",
    "payment_intent": "/v1/payment_intents/",
    "payout": "/v1/payouts/",
    "refund": "/v1/refunds/",
}


def add_twin(work: Work, event: Json, body: Json) -> Json:
    """The thin form of a snapshot that was just made."""
    twin = _insert(
        work,
        f"v1.{event['type']}",
        livemode=event["livemode"],
        related_object=related(body),
        snapshot_event=event["id"],
    )
    work.hide(event["id"], twin=twin["id"])
    return twin


def add_alert(work: Work, event_type: str, body: Json) -> Json:
    """Stripe admits that this event about this object never came into being."""
    data = {
        "alert_id": new_id("halert", 40),
        "grouping_key": new_id("_grouping", 40),
        "impact": {"event_type": event_type, "related_object": related(body), "related_object_id": body["id"]},
        "resolved_at": instant(work.now),
        "summary": "We have failed to create a notification for your Stripe account.",
    }
    return _insert(work, ALERT, data=data)


def related(body: Json) -> Json:
    return {"id": body["id"], "type": body["object"], "url": ADDRESSES[body["object"]] + body["id"]}


def _insert(work: Work, type: str, *, livemode: bool = False, **fields: object) -> Json:
    reason = {"id": work.cause.request_id, "idempotency_key": work.cause.idempotency_key}
    return work.insert(
        KIND,
        "evt",
        {
            "context": None,
            "created": instant(work.now),
            "livemode": livemode,
            "reason": {"request": reason, "type": "request"} if work.cause.request_id else None,
            "type": type,
            **fields,
        },
        livemode=False,
    )


def retrieve(work: Work, id: str) -> Json:
    """GET /v2/core/events/{id}, for 30 days."""
    event = work.get(KIND, id)
    if datetime.fromisoformat(event["created"]).timestamp() < work.now - KEPT_SECONDS:
        raise ResourceMissing(KIND, id)
    return event


def as_sent(event: Json) -> Json:
    """The body of the webhook: all but what has to be fetched."""
    return {name: value for name, value in event.items() if name != "data"}


def instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
