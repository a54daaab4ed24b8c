"""The version of a thing's pages, read anew for every answer: exactly what is committed at this moment.

Many ask at once, and one statement can answer all of them: whoever comes while one is on its way waits for the next
one, which begins after all of its askers came, and so sees every change that was committed before they asked. A thread
of its own asks, over one connection, however many want to know; they only wait.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Nobody waits longer for the question of another.
PATIENCE = 0.25


@dataclass(frozen=True, slots=True)
class Version:
    """What is committed, and when that was read: seconds of PostgreSQL's clock."""

    text: str
    now: float


# Asks about all of these; who is not there has none. Raises what the database raises.
Ask = Callable[[frozenset[int]], Mapping[int, Version]]


class _Asker:
    """Somebody who wants to know about one key, and waits for their turn."""

    __slots__ = ("found", "key", "turn")

    def __init__(self, key: int) -> None:
        self.key = key
        self.found: Mapping[int, Version] | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class Versions:
    """Asks for versions, one statement at a time, from a thread that begins with the first question."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._lock = threading.Lock()
        self._askers: queue.SimpleQueue[_Asker] | None = None
        self._pid = 0
        self._busy_since: float | None = None

    def read(self, key: int) -> Version | None:
        """The version as of now; None where there is no such thing. Raises what the database raises."""
        found = self._shared(key)
        # Where asking for all failed, or takes long, each asks alone, and is told what is wrong.
        return (self.ask(frozenset((key,))) if found is None else found).get(key)

    def _shared(self, key: int) -> Mapping[int, Version] | None:
        """What one statement for all says of this key and others; None where it failed or takes long."""
        askers, since = self._queue(), self._busy_since
        if since is not None and time.monotonic() - since > PATIENCE:
            return None
        mine = _Asker(key)
        askers.put(mine)
        # Given up, it is answered nevertheless; nobody listens.
        return mine.found if mine.turn.acquire(timeout=PATIENCE) else None

    def _queue(self) -> "queue.SimpleQueue[_Asker]":
        # A fork inherits the object but not its thread.
        askers = self._askers
        if askers is None or self._pid != os.getpid():
            with self._lock:
                if self._askers is None or self._pid != os.getpid():
                    self._askers, self._pid, self._busy_since = queue.SimpleQueue(), os.getpid(), None
                    threading.Thread(target=self._answer, args=(self._askers,), name="versions", daemon=True).start()
                askers = self._askers
        return askers

    def _answer(self, askers: "queue.SimpleQueue[_Asker]") -> None:
        while True:
            together = [askers.get()]
            while not askers.empty():
                together.append(askers.get())
            self._busy_since = time.monotonic()
            try:
                found: Mapping[int, Version] | None = self.ask(frozenset(one.key for one in together))
            except Exception:  # noqa: BLE001  # whoever asked asks again alone, and is told what is wrong
                found = None
            self._busy_since = None
            for one in together:
                one.found = found
                one.turn.release()
