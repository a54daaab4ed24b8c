"""The fault controls under /_double, described in the package's own documentation. For this machine only."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from urllib.parse import urlsplit

from config.local import stripe
from config.local.stripe import idempotency, orders, webhooks
from config.local.stripe.account import STYLES
from config.local.stripe.commands import COMMANDS
from config.local.stripe.commands.bodies import Refused, only
from config.local.stripe.courier import Courier
from config.local.stripe.double import Double
from config.local.stripe.errors import StripeError
from config.local.stripe.faults import BadRule
from config.local.stripe.objects.views import present
from config.local.stripe.wire import Json, Request, Response, json_response, text_response
from config.local.stripe.work import Work

OWN_NAMES = {"127.0.0.1", "localhost"}
MOST_SECONDS = 600.0


class UnknownControl(StripeError):
    status = 404

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"There is no control {method} {path}; see GET /_double.")


def answer(double: Double, courier: Courier, request: Request) -> Response:
    if not _is_local(request):
        return _problem(403, "The fault controls answer this machine only.")
    path = request.path.rstrip("/")
    if (request.method, path) == ("GET", "/_double"):
        return text_response(200, stripe.__doc__ or "")
    try:
        return json_response(200, _run(double, courier, (request.method, path), _read_body(request)))
    except StripeError as error:
        return error.response()
    except (Refused, BadRule, ValueError) as error:
        return _problem(400, str(error))


def _run(double: Double, courier: Courier, address: tuple[str, str], body: Json) -> Json:
    """Controls of the machinery, and commands that move money in one transaction."""
    if address in ACTIONS:
        return ACTIONS[address](double, courier, body)
    if address not in COMMANDS:
        raise UnknownControl(*address)
    with double.work() as work:
        return COMMANDS[address](work, body)


def _is_local(request: Request) -> bool:
    """Neither another machine, nor a web page of somebody else's that reaches here through the user's browser."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    origin = request.headers.get("origin")
    own_page = origin is None or urlsplit(origin).hostname in OWN_NAMES
    return request.peer == "127.0.0.1" and host in OWN_NAMES and own_page


def _problem(status: int, message: str) -> Response:
    return json_response(status, {"error": {"message": message}})


def _read_body(request: Request) -> Json:
    if not request.body:
        return {}
    body = json.loads(request.body)
    if not isinstance(body, dict):
        raise Refused("The body must be a JSON object.")
    return body


def _health(double: Double, courier: Courier, body: Json) -> Json:
    return {"status": "ok"}


def _clock(double: Double, courier: Courier, body: Json) -> Json:
    return {"now": double.clock.now(), "ahead_of_real_time": double.clock.offset}


def _advance(double: Double, courier: Courier, body: Json) -> Json:
    seconds = only(body, advance=0.0)["advance"]
    if not 0 <= seconds <= 10 * 366 * 86_400:
        raise Refused("advance must be from 0 seconds to ten years")
    double.advance(seconds)
    return _clock(double, courier, {})


def _list_faults(double: Double, courier: Courier, body: Json) -> Json:
    return {"faults": double.faults.listed()}


def _add_fault(double: Double, courier: Courier, body: Json) -> Json:
    return asdict(double.faults.add(**body))


def _lift_faults(double: Double, courier: Courier, body: Json) -> Json:
    wanted = only(body, id=None, action=None)
    return {"lifted": double.faults.lift(wanted["id"], action=wanted["action"])}


def _list_webhooks(double: Double, courier: Courier, body: Json) -> Json:
    with double.work() as work:
        return {"deliveries": webhooks.listed(work)}


def _release(double: Double, courier: Courier, body: Json) -> Json:
    """Lifts the hold, then sends what was held one by one, so that the order asked for is the order of arrival."""
    wanted = only(body, order="created", type="*", seed=0)
    if wanted["order"] not in webhooks.ORDERS:
        raise Refused(f"order must be one of {', '.join(webhooks.ORDERS)}")
    double.faults.lift(action="hold")
    with double.work() as work:
        ids = webhooks.held_ids(work, order=wanted["order"], type=wanted["type"], seed=wanted["seed"])
    return {"released": [sent for id in ids if (sent := _send_now(double, courier, id))]}


def _resend(double: Double, courier: Courier, body: Json) -> Json:
    wanted = only(body, event="", copies=1)
    if not 1 <= wanted["copies"] <= 100:
        raise Refused("copies must be from 1 to 100")
    with double.work() as work:
        event = webhooks.find_event(work, wanted["event"])
        if event is None:
            raise Refused(f"No such event: {wanted['event']!r}")
        ids = webhooks.resend(work, event, wanted["copies"])
    return {"released": [sent for id in ids if (sent := _send_now(double, courier, id))]}


def _send_now(double: Double, courier: Courier, id: int) -> Json | None:
    with double.work() as work:
        delivery = webhooks.claim(work, id)
    if delivery is None:
        return None
    outcome = courier.deliver(delivery)
    event = delivery.event
    return {"event": event["id"], "type": event["type"], "status": outcome.status, "error": outcome.error}


def _drain(double: Double, courier: Courier, body: Json) -> Json:
    timeout = only(body, timeout=10.0)["timeout"]
    if not 0 <= timeout <= MOST_SECONDS:
        raise Refused(f"timeout must be from 0 to {MOST_SECONDS:g}")
    return {"unsettled": double.settle(timeout)}


def _show_endpoint(double: Double, courier: Courier, body: Json) -> Json:
    shown = asdict(double.account.endpoint)
    return {name: value for name, value in shown.items() if name not in ("secret", "thin_secret")}


def _set_endpoint(double: Double, courier: Courier, body: Json) -> Json:
    wanted = only(
        body,
        url="",
        secret="",
        style="snapshot",
        thin_url="",
        thin_secret="",
        enabled=True,
        signature_age=0,
        timeout=20.0,
    )
    endpoint = double.account.endpoint
    for name in ("url", "thin_url"):
        if name in body and urlsplit(wanted[name]).scheme not in ("http", "https"):
            raise Refused(f"{name} must be an http or https address")
    if wanted["style"] not in STYLES:
        raise Refused(f"style must be one of {', '.join(STYLES)}")
    changed = replace(endpoint, **{name: wanted[name] for name in body})
    if changed.takes_thin and not changed.thin_secret:
        raise Refused("thin events must be signed: give thin_secret")
    double.account.endpoint = endpoint = changed
    if not endpoint.enabled:
        with double.work() as work:
            webhooks.give_up_pending(work)
    return _show_endpoint(double, courier, {})


def _list_requests(double: Double, courier: Courier, body: Json) -> Json:
    return {"requests": list(double.requests)}


def _state(double: Double, courier: Courier, body: Json) -> Json:
    with double.work() as work:
        return {
            "clock": _clock(double, courier, {}),
            "endpoint": _show_endpoint(double, courier, {}),
            "objects": _objects(work),
            "deliveries": webhooks.listed(work),
            "idempotency_keys": idempotency.listed(work),
            "faults": double.faults.listed(),
            "orders": orders.listed(work),
        }


def _objects(work: Work) -> dict[str, list[Json]]:
    """Everything, by kind, oldest first."""
    kinds: dict[str, list[Json]] = {}
    for row in work.db.execute("SELECT kind, body FROM object ORDER BY seq"):
        kinds.setdefault(row["kind"], []).append(present(work, json.loads(row["body"])))
    return kinds


def _reset(double: Double, courier: Courier, body: Json) -> Json:
    double.reset()
    return {"status": "reset"}


ACTIONS: dict[tuple[str, str], Callable[[Double, Courier, Json], Json]] = {
    ("GET", "/_double/health"): _health,
    ("GET", "/_double/state"): _state,
    ("GET", "/_double/requests"): _list_requests,
    ("POST", "/_double/reset"): _reset,
    ("GET", "/_double/clock"): _clock,
    ("POST", "/_double/clock"): _advance,
    ("GET", "/_double/faults"): _list_faults,
    ("POST", "/_double/faults"): _add_fault,
    ("DELETE", "/_double/faults"): _lift_faults,
    ("GET", "/_double/endpoint"): _show_endpoint,
    ("POST", "/_double/endpoint"): _set_endpoint,
    ("GET", "/_double/webhooks"): _list_webhooks,
    ("POST", "/_double/webhooks/release"): _release,
    ("POST", "/_double/webhooks/resend"): _resend,
    ("POST", "/_double/webhooks/drain"): _drain,
}
