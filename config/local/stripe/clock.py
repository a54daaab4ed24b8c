"""The double's own time: the machine's clock plus a remembered distance that only grows.

Expiry, idempotency keys, webhook retries, settlement of money: all of them follow this clock, so a test can live
through three days in a second. What a receiver compares with its own clock, the signature's timestamp, does not.
"""

import time

from config.local.stripe.store import Store

SETTING = "clock_offset"


class Clock:
    """Moves at the pace of real time, and jumps ahead when told. Remembers its jumps over restarts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = float(store.setting(SETTING, "0"))

    def now(self) -> float:
        return time.time() + self._offset

    @property
    def offset(self) -> float:
        return self._offset

    def advance(self, seconds: float) -> None:
        """Refuses to go back: what has expired stays expired."""
        if seconds < 0:
            raise ValueError("The clock cannot go back.")
        with self._store.transaction():
            self._offset += seconds
            self._store.set_setting(SETTING, repr(self._offset))

    def reset(self) -> None:
        """Back to real time; only together with throwing away everything that was dated."""
        self._offset = 0.0
        self._store.set_setting(SETTING, "0")
