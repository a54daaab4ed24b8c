"""Lists, newest first: `limit`, `starting_after`, `ending_before`, time windows and exact filters."""

import json
from collections.abc import Sequence

from config.local.stripe.errors import InvalidParameter
from config.local.stripe.objects import events, payout_moves
from config.local.stripe.objects.views import present
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

# Exact filters by kind: parameter and field have the same name.
FILTERS: dict[str, tuple[str, ...]] = {
    "checkout.session": ("payment_intent", "status"),
    "payment_intent": (),
    "charge": ("payment_intent",),
    "refund": ("charge", "payment_intent"),
    "dispute": ("charge", "payment_intent"),
    "balance_transaction": ("currency", "source", "type"),
    "payout": ("status",),
    "event": (),
}
WINDOWS: dict[str, tuple[str, ...]] = {"payout": ("created", "arrival_date")}
OPERATORS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def page(work: Work, kind: str, url: str, params: Params) -> Json:
    limit = params.integer("limit", low=1, high=100) or 10
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise InvalidParameter("You can only specify one of starting_after and ending_before.", param="ending_before")
    wanted, values = _conditions(work, kind, params)
    params.finish()
    if before:
        found = _rows(work, [*wanted, "seq > ?"], [*values, _place(work, kind, before, "ending_before")], "ASC", limit)
    elif after:
        found = _rows(work, [*wanted, "seq < ?"], [*values, _place(work, kind, after, "starting_after")], "DESC", limit)
    else:
        found = _rows(work, wanted, values, "DESC", limit)
    shown = found[:limit][::-1] if before else found[:limit]
    return as_list([present(work, body) for body in shown], url, has_more=len(found) > limit)


def as_list(data: Sequence[Json], url: str, *, has_more: bool = False) -> Json:
    return {"object": "list", "data": list(data), "has_more": has_more, "url": url}


def _conditions(work: Work, kind: str, params: Params) -> tuple[list[str], list[object]]:
    wanted: list[str] = ["kind = ?"]
    values: list[object] = [kind]
    for name in FILTERS[kind]:
        if (value := params.text(name)) is not None:
            wanted.append(f"json_extract(body, '$.{name}') = ?")
            values.append(value)
    for name in WINDOWS.get(kind, ("created",)):
        for bound, instant in params.window(name).items():
            wanted.append(f"json_extract(body, '$.{name}') {OPERATORS[bound]} ?")
            values.append(instant)
    if kind == "event":
        condition, more = events.read_filters(work, params)
        return [*wanted, condition], [*values, *more]
    if kind == "balance_transaction" and (payout := params.text("payout")) is not None:
        condition, more = payout_moves.items_filter(work, payout)
        return [*wanted, condition], [*values, *more]
    return wanted, values


def _rows(work: Work, wanted: list[str], values: list[object], direction: str, limit: int) -> list[Json]:
    """One row more than asked for, to know whether there are more."""
    # Built of the constants above alone; what a caller sends is always a parameter.
    query = f"SELECT body FROM object WHERE {' AND '.join(wanted)} ORDER BY seq {direction} LIMIT ?"
    return [json.loads(row["body"]) for row in work.db.execute(query, (*values, limit + 1))]


def _place(work: Work, kind: str, id: str, param: str) -> int:
    work.get(kind, id, param=param)
    return int(work.db.execute("SELECT seq FROM object WHERE id = ?", (id,)).fetchone()["seq"])
