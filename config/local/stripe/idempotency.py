"""Idempotency keys, as Stripe treats them.

The first answer to a key is kept for 24 hours and given again, 5xx included, with `Idempotent-Replayed: true`; after
that the key is new. Another request under a known key is refused with 400, a second one while the first still runs
with 409. Refused parameters, 401, 409 and 429 are never kept: no endpoint had begun.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from config.local.stripe.errors import IdempotencyMismatch, InvalidParameter, KeyInUse
from config.local.stripe.forms import Tree
from config.local.stripe.wire import Json, Response
from config.local.stripe.work import Work

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Attempt:
    """What makes two requests the same: the key, the endpoint, and every parameter."""

    key: str
    endpoint: str
    fingerprint: str

    @classmethod
    def of(cls, key: str, endpoint: str, parameters: Tree) -> "Attempt":
        if not 1 <= len(key) <= LONGEST_KEY:
            raise InvalidParameter(f"Idempotency keys have 1 to {LONGEST_KEY} characters, not {len(key)}.")
        canonical = json.dumps(parameters, sort_keys=True)
        return cls(key, endpoint, hashlib.sha256(canonical.encode()).hexdigest())


class KeysInUse:
    """The keys being worked on. Only in memory: a killed process works on nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        with self._lock:
            if key in self._keys:
                raise KeyInUse(key)
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def recall(work: Work, attempt: Attempt) -> Response | None:
    """The answer kept for this attempt. Refuses a key that was used for something else."""
    work.db.execute("DELETE FROM idempotency WHERE created <= ?", (work.now - KEPT_SECONDS,))
    row = work.db.execute("SELECT * FROM idempotency WHERE key = ?", (attempt.key,)).fetchone()
    if row is None:
        return None
    if row["endpoint"] != attempt.endpoint:
        raise IdempotencyMismatch(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{attempt.endpoint}' vs '{row['endpoint']}'). Try using a key other than '{attempt.key}' if you meant "
            "to execute a different request."
        )
    if row["fingerprint"] != attempt.fingerprint:
        raise IdempotencyMismatch(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
            f"using a key other than '{attempt.key}' if you meant to execute a different request."
        )
    return Response(row["status"], row["body"]).with_headers(
        Idempotent_Replayed="true", Original_Request=row["request"]
    )


def remember(work: Work, attempt: Attempt, response: Response, request_id: str) -> None:
    """Keeps the answer, in the same transaction as what it tells of."""
    work.db.execute(
        "INSERT INTO idempotency (key, created, endpoint, fingerprint, status, body, request) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (attempt.key, work.now, attempt.endpoint, attempt.fingerprint, response.status, response.body, request_id),
    )


def listed(work: Work) -> list[Json]:
    rows = work.db.execute("SELECT key, created, endpoint, status, request FROM idempotency ORDER BY created, key")
    return [dict(row) for row in rows]
