"""Leaving a host alone that fails, and not making its trouble worse by trying again.

One breaker for each purpose and host, shared by all threads of a process. `closed`: calls go through; some failures in
a row, and it is `open`: calls are refused at once (`CircuitOpen`), nothing is sent. When the host has rested, it is
`half-open`: one call goes through as a probe, and the others are still refused. The probe decides: closed, or open
again for twice as long.

Beside it stands a budget of retries: each call pays in a tenth of one, so a host that fails now and then is tried
again, and one that fails all the time gets a tenth more calls, not three times as many.
"""

import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from config import metrics
from config.http.failures import CircuitOpen
from config.http.purposes import Purpose

LONGEST_REST = 300.0
RETRIES_AT_FIRST, RETRY_FOR_EACH_CALL = 10.0, 0.1
MOST_HOSTS = 1000

OPENED = metrics.counter("outgoing_circuits_opened", "Times that a failing host was left alone.", ["purpose"])
REFUSED = metrics.counter("outgoing_circuit_refusals", "Calls not made because the host rests.", ["purpose"])
RETRIES = metrics.counter("outgoing_retries", "Calls tried again.", ["purpose"])
UNAFFORDABLE = metrics.counter("outgoing_retries_unaffordable", "Calls not tried again: too many were.", ["purpose"])


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Outcome(StrEnum):
    """What a call says about the host. `neither`: it was ours to end, or to refuse."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEITHER = "neither"


class Breaker:
    """Of one host. `clock` counts seconds."""

    def __init__(self, purpose: Purpose, clock: Callable[[], float] = time.monotonic) -> None:
        self._purpose, self._clock = purpose, clock
        self._lock = threading.Lock()
        self._failures = 0
        self._rest = purpose.rest
        self._rests_until: float | None = None
        self._is_probed = False
        self._retries = RETRIES_AT_FIRST

    @property
    def state(self) -> State:
        """As the next call would find it."""
        with self._lock:
            return self._state()

    @contextmanager
    def passing(self) -> Iterator["Passage"]:
        """Around one call, retries included. Raises `CircuitOpen` while the host rests or is being probed."""
        is_probe = self._enter()
        passage = Passage()
        try:
            yield passage
        finally:
            self._leave(passage.outcome, is_probe)

    def may_retry(self) -> bool:
        """Take one retry from the budget, if one is left."""
        with self._lock:
            is_affordable = self._retries >= 1
            self._retries -= is_affordable
        (RETRIES if is_affordable else UNAFFORDABLE).labels(self._purpose.name).inc()
        return is_affordable

    def _state(self) -> State:
        if self._rests_until is None:
            return State.CLOSED
        return State.OPEN if self._clock() < self._rests_until else State.HALF_OPEN

    def _enter(self) -> bool:
        with self._lock:
            state = self._state()
            if state is State.CLOSED:
                self._retries = min(self._retries + RETRY_FOR_EACH_CALL, RETRIES_AT_FIRST)
                return False
            if state is State.HALF_OPEN and not self._is_probed:
                self._is_probed = True
                return True
            wait = max((self._rests_until or 0) - self._clock(), 1.0)
        REFUSED.labels(self._purpose.name).inc()
        raise CircuitOpen(wait)

    def _leave(self, outcome: Outcome, is_probe: bool) -> None:
        with self._lock:
            if is_probe:
                self._is_probed = False
            if outcome is Outcome.SUCCEEDED:
                self._failures, self._rest, self._rests_until = 0, self._purpose.rest, None
            elif outcome is Outcome.FAILED:
                self._failures += 1
                # A call that began before the host was left alone says nothing new.
                if is_probe or (self._rests_until is None and self._failures >= self._purpose.opens_after):
                    self._open(is_again=is_probe)

    def _open(self, *, is_again: bool) -> None:
        self._rest = min(self._rest * 2, LONGEST_REST) if is_again else self._purpose.rest
        # Not all processes come back in the same moment.
        self._rests_until = self._clock() + self._rest * random.uniform(0.8, 1.2)
        OPENED.labels(self._purpose.name).inc()


class Passage:
    """One call on its way; whoever makes it says how it ended."""

    outcome = Outcome.NEITHER


_breakers: OrderedDict[tuple[str, str, int], Breaker] = OrderedDict()
_lock = threading.Lock()


def breaker_of(purpose: Purpose, host: str, port: int) -> Breaker:
    """The one of that host. Of very many hosts, those not called for longest are forgotten."""
    key = (purpose.name, host, port)
    with _lock:
        found = _breakers.get(key)
        if found is None:
            found = _breakers[key] = Breaker(purpose)
            if len(_breakers) > MOST_HOSTS:
                _breakers.popitem(last=False)
        _breakers.move_to_end(key)
        return found


def forget() -> None:
    """Every host is as new. For tests, whose servers come and go on the same ports."""
    with _lock:
        _breakers.clear()
