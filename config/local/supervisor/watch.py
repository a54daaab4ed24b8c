"""Tells a program that fell with its server from one that fell by its own fault.

Celery's worker, for one, may end when its broker is killed under it. The server comes back by itself, so whatever fell
with it is started again; anything else that ends, ends the whole run.
"""

import time

from config.local.services import lease
from config.local.services.process import is_alive

# After a server has come back its clients may still stumble over connections that they kept.
AFTERMATH = 30.0


class ServerWatch:
    """Watches the embedded servers of this home for a change of process."""

    def __init__(self) -> None:
        self._known = running()
        self._changed_at = float("-inf")

    def look(self) -> None:
        """Call often."""
        now = running()
        if now != self._known:
            self._known = now
            self._changed_at = time.monotonic()

    def was_replaced(self) -> bool:
        """Whether a server is away, or was a short while ago."""
        self.look()
        return time.monotonic() - self._changed_at < AFTERMATH


def running() -> dict[str, int]:
    """The process of each embedded server that runs; servers of somebody else's are none of these."""
    states = {name: lease.KeptServer(name).state() for name in lease.SERVERS}
    ids = {name: int(state["server"]) for name, state in states.items() if state}
    return {name: pid for name, pid in ids.items() if is_alive(pid)}
