"""`expand[]`: replacing an id by the object it names, along a dotted path of at most four steps."""

import json

from config.local.stripe.errors import InvalidParameter
from config.local.stripe.listing import as_list
from config.local.stripe.objects.views import present
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

MAX_DEPTH = 4
EXPANDABLE: dict[str, frozenset[str]] = {
    "checkout.session": frozenset(
        {"payment_intent", "customer", "invoice", "subscription", "setup_intent", "payment_link"}
    ),
    "payment_intent": frozenset({"latest_charge", "customer", "application", "on_behalf_of", "review"}),
    "charge": frozenset(
        {"payment_intent", "balance_transaction", "failure_balance_transaction", "customer", "application", "review"}
    ),
    "refund": frozenset({"charge", "payment_intent", "balance_transaction", "failure_balance_transaction"}),
    "dispute": frozenset({"charge", "payment_intent"}),
    "balance_transaction": frozenset({"source"}),
    "payout": frozenset({"balance_transaction", "failure_balance_transaction"}),
    "transfer": frozenset({"balance_transaction"}),
    "transfer_reversal": frozenset({"balance_transaction"}),
}


def expand(work: Work, body: Json, paths: list[str]) -> Json:
    """The object or list with every path expanded. Refuses a path that leads to nothing expandable."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_DEPTH:
            raise InvalidParameter(f"You cannot expand more than {MAX_DEPTH} levels of a property.", param="expand")
        body = _walk(work, body, steps, path)
    return body


def _walk(work: Work, body: Json, steps: list[str], path: str) -> Json:
    name, rest = steps[0], steps[1:]
    if body["object"] == "list":
        if name != "data" or not rest:
            raise _refusal(path)
        return {**body, "data": [_walk(work, item, rest, path) for item in body["data"]]}
    value = _expanded(work, body, name, path)
    if rest and value is not None and _leads_on(name, value, rest[0]):
        value = _walk(work, value, rest, path)
    return {**body, name: value}


def _leads_on(name: str, value: Json, next_name: str) -> bool:
    """A source may be of several kinds; a path through it goes on only where that kind has the property."""
    return name != "source" or next_name in EXPANDABLE.get(value["object"], ())


def _expanded(work: Work, body: Json, name: str, path: str) -> Json | None:
    kind, value = body["object"], body.get(name)
    if isinstance(value, dict) and "object" in value:
        return value  # an earlier path has been here
    if kind == "checkout.session" and name == "line_items":
        return line_items(work, body)
    if kind == "charge" and name == "refunds":
        return _refunds(work, body)
    if name not in EXPANDABLE.get(kind, ()):
        raise _refusal(path)
    return _by_id(work, value) if isinstance(value, str) else None


def line_items(work: Work, session: Json) -> Json:
    items = work.hidden(session["id"])["line_items"]
    return as_list(items, f"/v1/checkout/sessions/{session['id']}/line_items")


def _refunds(work: Work, charge: Json) -> Json:
    rows = work.db.execute(
        "SELECT body FROM object WHERE kind = 'refund' AND json_extract(body, '$.charge') = ? "
        "ORDER BY seq DESC LIMIT 11",
        (charge["id"],),
    ).fetchall()
    refunds = [json.loads(row["body"]) for row in rows]
    return as_list(refunds[:10], f"/v1/refunds?charge={charge['id']}", has_more=len(refunds) > 10)


def _by_id(work: Work, id: str) -> Json:
    row = work.db.execute("SELECT body FROM object WHERE id = ?", (id,)).fetchone()
    return present(work, json.loads(row["body"]))


def _refusal(path: str) -> InvalidParameter:
    return InvalidParameter(f"This property cannot be expanded ({path}).", param="expand")
