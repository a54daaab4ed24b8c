"""Events: a snapshot of what changed, kept for 30 days, and sent to the webhook endpoint in the form it asked for."""

from config.local.stripe import webhooks
from config.local.stripe.account import API_VERSION
from config.local.stripe.faults import Strikes
from config.local.stripe.objects import thin_events
from config.local.stripe.objects.views import present
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

KEPT_SECONDS = 30 * 86_400


def emit(work: Work, type: str, body: Json, previous: Json | None = None) -> None:
    """Records that `body` changed and queues its webhook, unless a fault swallows the event altogether."""
    strikes = work.faults.for_event(type)
    if "suppress" in strikes:
        return
    data: Json = {"object": present(work, body)}
    if previous is not None:
        data["previous_attributes"] = previous
    event = work.insert("event", "evt", _fields(work, type, data))
    if "event_livemode" in strikes:
        work.change(event, livemode=True, data={**data, "object": {**data["object"], "livemode": True}})
    if work.account.endpoint.takes_snapshots:
        webhooks.enqueue(work, event, strikes)
    if work.account.endpoint.takes_thin:
        _send_twin(work, event, body, strikes)
    webhooks.count_pending(work, event)


def _send_twin(work: Work, event: Json, body: Json, strikes: Strikes) -> None:
    """What strikes the event strikes its twin too; rules whose type begins with `v1.` strike the twin alone."""
    own = work.faults.for_event(f"v1.{event['type']}")
    if "suppress" not in own:
        webhooks.enqueue(work, thin_events.add_twin(work, event, body), strikes.joined(own))


def _fields(work: Work, type: str, data: Json) -> Json:
    return {
        "api_version": API_VERSION,
        "data": data,
        "pending_webhooks": 0,
        "request": {"id": work.cause.request_id, "idempotency_key": work.cause.idempotency_key},
        "type": type,
    }


def read_filters(work: Work, params: Params) -> tuple[str, list[object]]:
    """SQL for the filters of the event list. Older events than 30 days are never listed."""
    wanted, values = ["created >= ?"], [work.now - KEPT_SECONDS]  # type: list[str], list[object]
    types = params.texts("types")
    one_type = params.text("type")
    if types or one_type:
        patterns = types or [one_type or ""]
        wanted.append("(" + " OR ".join("json_extract(body, '$.type') GLOB ?" for _ in patterns) + ")")
        values += patterns
    delivered = params.flag("delivery_success")
    if delivered is not None:
        wanted.append("json_extract(body, '$.pending_webhooks') " + ("= 0" if delivered else "> 0"))
    return " AND ".join(wanted), values
