"""One transaction on the double's objects: what endpoints, the hosted page and timers all work with."""

import json
import sqlite3
from dataclasses import dataclass

from config.local.stripe.account import Account
from config.local.stripe.errors import ResourceMissing
from config.local.stripe.faults import Faults
from config.local.stripe.ids import new_id
from config.local.stripe.wire import Json


@dataclass(frozen=True, slots=True)
class Cause:
    """The API request behind a change; both None when a customer or the clock caused it."""

    request_id: str | None = None
    idempotency_key: str | None = None


class Work:
    """Reads, writes and announces; all of it commits together, or none. `now` is the double's own time."""

    def __init__(self, db: sqlite3.Connection, *, now: int, account: Account, faults: Faults, cause: Cause) -> None:
        self.db = db
        self.now = now
        self.account = account
        self.faults = faults
        self.cause = cause
        self.woke = False  # whether something became due that a background thread must hear of

    def find(self, kind: str, id: str) -> Json | None:
        row = self.db.execute("SELECT body FROM object WHERE id = ? AND kind = ?", (id, kind)).fetchone()
        return None if row is None else _load(row["body"])

    def get(self, kind: str, id: str, *, param: str = "id") -> Json:
        """Refuses an unknown id the way Stripe does."""
        body = self.find(kind, id)
        if body is None:
            raise ResourceMissing(kind, id, param=param)
        return body

    def insert(
        self, kind: str, prefix: str, fields: Json, *, hidden: Json | None = None, livemode: bool = True
    ) -> Json:
        """A new object, dated now. `hidden` is what Stripe knows of it and does not show."""
        body: Json = {"id": new_id(prefix), "object": kind, "created": self.now, **fields}
        if livemode:
            body["livemode"] = False
        self.db.execute(
            "INSERT INTO object (id, kind, created, body, hidden) VALUES (?, ?, ?, ?, ?)",
            (body["id"], kind, self.now, json.dumps(body), json.dumps(hidden or {})),
        )
        return body

    def change(self, body: Json, **fields: object) -> Json:
        """Writes the given fields into the object, and answers what they were before."""
        before = {name: body.get(name) for name in fields}
        body.update(fields)
        self.db.execute("UPDATE object SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))
        return {name: value for name, value in before.items() if value != body[name]}

    def hidden(self, id: str) -> Json:
        row = self.db.execute("SELECT hidden FROM object WHERE id = ?", (id,)).fetchone()
        return {} if row is None else _load(row["hidden"])

    def hide(self, id: str, **fields: object) -> None:
        """Adds to what Stripe knows of the object and does not show."""
        known = {**self.hidden(id), **fields}
        self.db.execute("UPDATE object SET hidden = ? WHERE id = ?", (json.dumps(known), id))

    def all(self, kind: str, **wanted: str) -> list[Json]:
        """The objects of a kind whose fields have these values, oldest first."""
        # The names are those of the caller's keywords, never of a request.
        conditions = "".join(f" AND json_extract(body, '$.{name}') = ?" for name in wanted)
        query = f"SELECT body FROM object WHERE kind = ?{conditions} ORDER BY seq"
        return [_load(row["body"]) for row in self.db.execute(query, (kind, *wanted.values()))]

    def schedule(self, due: int, action: str, id: str) -> None:
        """Has the timer `action` run on the object once the clock reads `due`."""
        self.db.execute("INSERT INTO timer (due, action, object) VALUES (?, ?, ?)", (due, action, id))
        self.woke = True


def _load(text: str) -> Json:
    loaded: Json = json.loads(text)
    return loaded
