"""The version of a thing's pages, read anew for every answer: exactly what is committed at this moment.

Many ask at once, and one statement can answer all of them: whoever comes while one is on its way waits for the next
one, which begins after all of its askers came, and so sees every change that was committed before they asked. One
connection is busy with it at any time, however many ask.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# Nobody waits longer for the question of another; then it is asked anew.
PATIENCE = 0.25


@dataclass(frozen=True, slots=True)
class Version:
    """What is committed, and when that was read: seconds of PostgreSQL's clock."""

    text: str
    now: float


# Asks about all of these; who is not there has none. Raises what the database raises.
Ask = Callable[[frozenset[int]], Mapping[int, Version]]


@dataclass(slots=True)
class _Round:
    """Those who ask with one statement."""

    keys: set[int] = field(default_factory=set)
    done: threading.Event = field(default_factory=threading.Event)
    found: Mapping[int, Version] | None = None


class Versions:
    """Asks for versions, one statement at a time."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        # The statement that is on its way, which nobody may join any more; and the one after it.
        self._running: _Round | None = None
        self._next: _Round | None = None

    def read(self, key: int) -> Version | None:
        """The version as of now; None where there is no such thing. Raises what the database raises."""
        with self._lock:
            ahead = self._running
            mine = self._next = self._next or _Round()
            mine.keys.add(key)
            leads = ahead is None and self._begin(mine)
        if ahead is not None:
            ahead.done.wait(PATIENCE)
            with self._lock:
                leads = self._running is None and self._begin(mine)
        if leads:
            return self._run(mine).get(key)
        mine.done.wait(PATIENCE)
        # Where whoever asked for all failed, or takes long, each asks alone.
        found = self._ask(frozenset((key,))) if mine.found is None else mine.found
        return found.get(key)

    def _begin(self, mine: _Round) -> bool:
        """Make it the running one, if nobody has; called under the lock."""
        if self._next is not mine:
            return False
        self._running, self._next = mine, None
        return True

    def _run(self, mine: _Round) -> Mapping[int, Version]:
        try:
            mine.found = self._ask(frozenset(mine.keys))
            return mine.found
        finally:
            with self._lock:
                self._running = None
            mine.done.set()
