"""The double itself: its memory, its clock, its faults, and the one way to work on them."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.local.stripe import timers, webhooks
from config.local.stripe.account import Account
from config.local.stripe.clock import Clock
from config.local.stripe.faults import Faults
from config.local.stripe.idempotency import KeysInUse
from config.local.stripe.store import Store
from config.local.stripe.wire import Json
from config.local.stripe.work import Cause, Work

DATABASE = Path("data") / "stripe-double.sqlite3"
REQUESTS_KEPT = 2000


class Bell:
    """Wakes the background threads. Who counts the strokes before looking for work misses none."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.strokes = 0

    def ring(self) -> None:
        with self._condition:
            self.strokes += 1
            self._condition.notify_all()

    def wait(self, seen: int, seconds: float) -> None:
        """Sleeps until the next stroke after `seen`, but no longer than this."""
        with self._condition:
            self._condition.wait_for(lambda: self.strokes != seen, timeout=max(0.0, seconds))


class Double:
    def __init__(self, home: Path, account: Account) -> None:
        self.account = account
        self.store = Store(home / DATABASE)
        self.clock = Clock(self.store)
        self.faults = Faults()
        self.keys_in_use = KeysInUse()
        self.bell = Bell()
        self.requests: deque[Json] = deque(maxlen=REQUESTS_KEPT)
        with self.work() as work:
            webhooks.resume_interrupted(work)

    @contextmanager
    def work(self, cause: Cause | None = None) -> Iterator[Work]:
        """One transaction, begun by doing whatever fell due since the last one."""
        with self.store.transaction() as db:
            now = int(self.clock.now())
            work = Work(db, now=now, account=self.account, faults=self.faults, cause=Cause())
            timers.run_due(work, now)
            work.cause = cause or Cause()
            yield work
        if work.woke:
            self.bell.ring()

    def advance(self, seconds: float) -> None:
        """Moves the clock ahead; what falls due on the way happens before this returns, webhooks soon after."""
        self.clock.advance(seconds)
        with self.work() as work:
            work.woke = True

    def reset(self) -> None:
        """Forgets everything: objects, events, keys, deliveries, faults, the log of requests, the clock's jumps."""
        with self.store.transaction():
            self.store.clear()
            self.clock.reset()
        self.faults.lift()
        self.requests.clear()

    def settle(self, seconds: float) -> int:
        """Waits until no webhook is due or on its way; answers how many still are when the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self.bell.strokes
            with self.work() as work:
                unsettled = webhooks.count_unsettled(work, self.clock.now())
            left = deadline - time.monotonic()
            if unsettled == 0 or left <= 0:
                return unsettled
            self.bell.wait(seen, min(left, 0.5))

    def close(self) -> None:
        self.store.close()
