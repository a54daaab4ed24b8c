"""Everything the double remembers, in one SQLite file.

One connection and one lock: every request is one transaction, alone. That is how Stripe looks from outside (it locks
the objects a request touches), and a killed process loses nothing that was answered.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    hidden TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_created ON object (kind, created, seq);
CREATE INDEX IF NOT EXISTS object_payment_intent ON object (kind, json_extract(body, '$.payment_intent'), seq);
CREATE INDEX IF NOT EXISTS object_charge ON object (kind, json_extract(body, '$.charge'), seq);
CREATE INDEX IF NOT EXISTS object_source ON object (kind, json_extract(body, '$.source'), seq);
CREATE INDEX IF NOT EXISTS object_type ON object (kind, json_extract(body, '$.type'), seq);
CREATE INDEX IF NOT EXISTS object_payout ON object (kind, json_extract(hidden, '$.payout'), seq);
CREATE TABLE IF NOT EXISTS timer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due INTEGER NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS timer_due ON timer (due, id);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    request TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS idempotency_created ON idempotency (created);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'held', 'delivered', 'lost', 'swallowed', 'failed')),
    created REAL NOT NULL,
    due REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, due, id);
CREATE INDEX IF NOT EXISTS delivery_event ON delivery (event);
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery INTEGER NOT NULL REFERENCES delivery (id),
    at REAL NOT NULL,
    url TEXT NOT NULL,
    status INTEGER,
    error TEXT,
    seconds REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS attempt_delivery ON attempt (delivery);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

EVERY_TABLE = ("attempt", "delivery", "idempotency", "timer", "object", "setting")


class Closed(Exception):
    """The double is stopping; the file is closed."""


class Store:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._open = True
        self._depth = 0
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        # NORMAL survives a killed process; only a power cut may lose the last moment.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Alone with the data, all or nothing. Nested use by the same thread joins the outer transaction."""
        with self._lock:
            if not self._open:
                raise Closed
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._connection
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._commit()

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            # A full disk, for example. Left open, the transaction would swallow every later one.
            self._connection.execute("ROLLBACK")
            raise

    def setting(self, name: str, default: str) -> str:
        with self.transaction() as db:
            row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
            return str(row["value"]) if row else default

    def set_setting(self, name: str, value: str) -> None:
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))

    def clear(self) -> None:
        """Forgets everything, as on the first day."""
        with self.transaction() as db:
            for table in EVERY_TABLE:
                db.execute(f"DELETE FROM {table}")  # the names are the constants above

    def close(self) -> None:
        with self._lock:
            if self._open:
                self._open = False
                self._connection.close()
