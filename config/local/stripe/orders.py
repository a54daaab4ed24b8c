"""What was ordered for objects that do not exist yet: the next refund is to be pending, the next charge settles in eur.

An order is taken by the first objects that come, as often as it says. Orders survive a restart, unlike faults, since
a lost one would only show as money that moved otherwise than the test believes.
"""

import json

from config.local.stripe.wire import Json
from config.local.stripe.work import Work

SETTING = "orders"
NAMES = ("refund", "charge")


def place(work: Work, name: str, wish: Json, times: int) -> Json:
    """Puts an order behind those already waiting for this kind of object."""
    waiting = listed(work)
    waiting[name].append({**wish, "times": times})
    _write(work, waiting)
    return waiting


def take(work: Work, name: str) -> Json:
    """What the oldest order wishes for, used once; empty without an order."""
    waiting = listed(work)
    if not waiting[name]:
        return {}
    order = waiting[name][0]
    order["times"] -= 1
    if order["times"] == 0:
        waiting[name].pop(0)
    _write(work, waiting)
    return {field: value for field, value in order.items() if field != "times"}


def listed(work: Work) -> dict[str, list[Json]]:
    row = work.db.execute("SELECT value FROM setting WHERE name = ?", (SETTING,)).fetchone()
    found = {} if row is None else json.loads(row["value"])
    return {name: found.get(name, []) for name in NAMES}


def _write(work: Work, waiting: dict[str, list[Json]]) -> None:
    work.db.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (SETTING, json.dumps(waiting)))
