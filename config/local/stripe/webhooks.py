"""The queue of webhook deliveries: which event is still to be sent, when, and how every attempt went.

A delivery is tried at once and then ever more slowly, for three days, until the receiver answers 2xx. Order is not
promised, nor that an event comes once. An event's `pending_webhooks` falls when the first delivery of one of its forms,
snapshot or thin, succeeds.

States: pending (waits for `due`), sending, held (until released), delivered, lost (never sent, and Stripe knows),
swallowed (never sent, and Stripe believes it arrived), failed (given up).
"""

import json
import random
import sqlite3
from dataclasses import dataclass

from config.local.stripe.faults import Strikes
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

MINUTE, HOUR = 60, 3600
# Seconds between attempts; the last one repeats. Stripe publishes no table, only "up to three days, backing off".
# The first steps are short, so that a web server restarted in development misses nothing.
BACKOFF = (2, 5, 15, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 12 * HOUR)
GIVE_UP_AFTER = 72 * HOUR
THIN = "v2.core.event"
ORDERS = ("created", "reversed", "shuffled")


@dataclass(frozen=True, slots=True)
class Delivery:
    id: int
    event: Json
    created: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt went; `status` is None when no answer came."""

    status: int | None
    error: str | None
    seconds: float
    url: str

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def enqueue(work: Work, event: Json, strikes: Strikes) -> None:
    """Puts the event in the queue, as often and in the state that the faults ask for."""
    state = _first_state(work, strikes)
    for _ in range(strikes.copies()):
        work.db.execute(
            "INSERT INTO delivery (event, state, created, due) VALUES (?, ?, ?, ?)",
            (event["id"], state, work.now, work.now + strikes.seconds("delay")),
        )
    work.woke = True


def count_pending(work: Work, event: Json) -> None:
    """Writes into a snapshot how many forms of it, itself and its thin twin, have yet to be delivered."""
    forms = (event["id"], work.hidden(event["id"]).get("twin"))
    row = work.db.execute(
        "SELECT count(*) AS n FROM (SELECT event FROM delivery WHERE event IN (?, ?) GROUP BY event "
        "HAVING sum(state IN ('delivered', 'swallowed')) = 0)",
        forms,
    ).fetchone()
    work.change(event, pending_webhooks=row["n"])


def find_event(work: Work, id: str) -> Json | None:
    """In either form."""
    return work.find("event", id) or work.find(THIN, id)


def _first_state(work: Work, strikes: Strikes) -> str:
    if not work.account.endpoint.enabled:
        return "failed"
    for action, state in (("lose", "lost"), ("swallow", "swallowed"), ("hold", "held")):
        if action in strikes:
            return state
    return "pending"


def claim_due(work: Work, now: float) -> Delivery | None:
    """Takes the next delivery that is due, so that no other sender takes it."""
    row = work.db.execute(
        "SELECT id FROM delivery WHERE state = 'pending' AND due <= ? ORDER BY due, id LIMIT 1", (now,)
    ).fetchone()
    return None if row is None else claim(work, row["id"])


def claim(work: Work, id: int) -> Delivery | None:
    """Takes this delivery, unless somebody is sending it or it is done with."""
    taken = work.db.execute(
        "UPDATE delivery SET state = 'sending' WHERE id = ? AND state IN ('pending', 'held')", (id,)
    )
    if taken.rowcount == 0:
        return None
    row = work.db.execute("SELECT event, created FROM delivery WHERE id = ?", (id,)).fetchone()
    event = find_event(work, row["event"])
    return None if event is None else Delivery(id, event, row["created"])


def record(work: Work, delivery: Delivery, outcome: Outcome, now: float) -> None:
    """Writes the attempt down, and decides whether and when to try again. Of a forgotten event, nothing is written."""
    if find_event(work, delivery.event["id"]) is None:
        return
    work.db.execute(
        "INSERT INTO attempt (delivery, at, url, status, error, seconds) VALUES (?, ?, ?, ?, ?, ?)",
        (delivery.id, now, outcome.url, outcome.status, outcome.error, outcome.seconds),
    )
    state, due = ("delivered", now) if outcome.succeeded else _next_try(work, delivery, now)
    work.db.execute("UPDATE delivery SET state = ?, due = ? WHERE id = ?", (state, due, delivery.id))
    snapshot = work.find("event", delivery.event.get("snapshot_event") or delivery.event["id"])
    if outcome.succeeded and snapshot is not None:
        count_pending(work, snapshot)
    work.woke = True


def _next_try(work: Work, delivery: Delivery, now: float) -> tuple[str, float]:
    tried = work.db.execute("SELECT count(*) AS n FROM attempt WHERE delivery = ?", (delivery.id,)).fetchone()["n"]
    due = now + BACKOFF[min(tried, len(BACKOFF)) - 1]
    if due > delivery.created + GIVE_UP_AFTER or not work.account.endpoint.enabled:
        return "failed", now
    return "pending", due


def next_due(work: Work) -> float | None:
    row = work.db.execute("SELECT min(due) AS due FROM delivery WHERE state = 'pending'").fetchone()
    return None if row["due"] is None else float(row["due"])


def count_unsettled(work: Work, now: float) -> int:
    """Deliveries on their way or due at this moment."""
    row = work.db.execute(
        "SELECT count(*) AS n FROM delivery WHERE state = 'sending' OR (state = 'pending' AND due <= ?)", (now,)
    ).fetchone()
    return int(row["n"])


def resume_interrupted(work: Work) -> None:
    """After a kill nobody knows whether the receiver got it, so it is sent again."""
    work.db.execute("UPDATE delivery SET state = 'pending' WHERE state = 'sending'")


def give_up_pending(work: Work) -> None:
    """What a disabled endpoint means for deliveries under way."""
    work.db.execute("UPDATE delivery SET state = 'failed' WHERE state = 'pending'")


def resend(work: Work, event: Json, copies: int) -> list[int]:
    """Queues an old event again, as its button in the Dashboard does."""
    rows = [
        work.db.execute(
            "INSERT INTO delivery (event, state, created, due) VALUES (?, 'held', ?, ?)",
            (event["id"], work.now, work.now),
        )
        for _ in range(copies)
    ]
    return [int(row.lastrowid or 0) for row in rows]


def held_ids(work: Work, *, order: str, type: str, seed: int) -> list[int]:
    """The held deliveries whose event type matches, in the order in which they are to be let go."""
    rows = work.db.execute(
        "SELECT delivery.id FROM delivery JOIN object ON object.id = delivery.event "
        "WHERE delivery.state = 'held' AND json_extract(object.body, '$.type') GLOB ? ORDER BY delivery.id",
        (type,),
    ).fetchall()
    ids = [int(row["id"]) for row in rows]
    if order == "reversed":
        ids.reverse()
    if order == "shuffled":
        random.Random(seed).shuffle(ids)  # an order to test with, not a secret
    return ids


def listed(work: Work) -> list[Json]:
    """Every delivery with its attempts, oldest first."""
    attempts: dict[int, list[Json]] = {}
    for row in work.db.execute("SELECT delivery, at, url, status, error, seconds FROM attempt ORDER BY id"):
        described = dict(row)
        attempts.setdefault(described.pop("delivery"), []).append(described)
    rows: list[sqlite3.Row] = work.db.execute(
        "SELECT delivery.*, object.body FROM delivery JOIN object ON object.id = delivery.event ORDER BY delivery.id"
    ).fetchall()
    return [_described(row, attempts.get(row["id"], [])) for row in rows]


def _described(row: sqlite3.Row, attempts: list[Json]) -> Json:
    return {
        "id": row["id"],
        "event": row["event"],
        "type": json.loads(row["body"])["type"],
        "state": row["state"],
        "created": row["created"],
        "due": row["due"],
        "attempts": attempts,
    }
