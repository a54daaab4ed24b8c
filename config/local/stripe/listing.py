"""Lists, newest first: `limit`, `starting_after`, `ending_before`, time windows and exact filters."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

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
    "transfer": ("destination", "transfer_group"),
    "event": (),
}
WINDOWS: dict[str, tuple[str, ...]] = {"payout": ("created", "arrival_date")}
OPERATORS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass
class Wanted:
    """Conditions, and in which order the rows that meet them come."""

    conditions: list[str]
    values: list[object]
    # By time, where nothing but time narrows a list: a window far back is found without reading what came after it.
    order: tuple[str, ...] = field(default=("seq",))

    def add(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values.extend(values)


def page(work: Work, kind: str, url: str, params: Params) -> Json:
    limit = params.integer("limit", low=1, high=100) or 10
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise InvalidParameter("You can only specify one of starting_after and ending_before.", param="ending_before")
    wanted = _conditions(work, kind, params)
    params.finish()
    if before:
        _beyond(work, kind, wanted, ">", before, "ending_before")
    elif after:
        _beyond(work, kind, wanted, "<", after, "starting_after")
    found = _rows(work, wanted, "ASC" if before else "DESC", limit)
    shown = found[:limit][::-1] if before else found[:limit]
    return as_list([present(work, body) for body in shown], url, has_more=len(found) > limit)


def as_list(data: Sequence[Json], url: str, *, has_more: bool = False) -> Json:
    return {"object": "list", "data": list(data), "has_more": has_more, "url": url}


def _conditions(work: Work, kind: str, params: Params) -> Wanted:
    wanted = Wanted(["kind = ?"], [kind])
    for name in FILTERS[kind]:
        if (value := params.text(name)) is not None:
            wanted.add(f"json_extract(body, '$.{name}') = ?", value)
    is_narrow = len(wanted.conditions) > 1
    for name in WINDOWS.get(kind, ("created",)):
        for bound, instant in params.window(name).items():
            column = "created" if name == "created" else f"json_extract(body, '$.{name}')"
            wanted.add(f"{column} {OPERATORS[bound]} ?", instant)
            if name == "created" and not is_narrow:
                wanted.order = ("created", "seq")
    if kind == "event":
        condition, more = events.read_filters(work, params)
        wanted.add(condition, *more)
    if kind == "balance_transaction" and (payout := params.text("payout")) is not None:
        condition, more = payout_moves.items_filter(work, payout)
        wanted.add(condition, *more)
        wanted.order = ("seq",)
    return wanted


def _rows(work: Work, wanted: Wanted, direction: str, limit: int) -> list[Json]:
    """One row more than asked for, to know whether there are more."""
    # Built of the constants above alone; what a caller sends is always a parameter.
    order = ", ".join(f"{column} {direction}" for column in wanted.order)
    query = f"SELECT body FROM object WHERE {' AND '.join(wanted.conditions)} ORDER BY {order} LIMIT ?"
    return [json.loads(row["body"]) for row in work.db.execute(query, (*wanted.values, limit + 1))]


def _beyond(work: Work, kind: str, wanted: Wanted, operator: str, id: str, param: str) -> None:
    """On from this one. Where the order is by time, the place is looked up by it, not the window's near end."""
    work.get(kind, id, param=param)
    place = work.db.execute("SELECT created, seq FROM object WHERE id = ?", (id,)).fetchone()
    if wanted.order != ("seq",):
        near = ("created < ?", "created <= ?") if operator == "<" else ("created > ?", "created >= ?")
        # With a plus before it, a column's index is left alone.
        wanted.conditions = [f"+{one}" if one in near else one for one in wanted.conditions]
    columns = ", ".join(wanted.order)
    wanted.add(
        f"({columns}) {operator} ({', '.join('?' for _ in wanted.order)})", *(place[name] for name in wanted.order)
    )
