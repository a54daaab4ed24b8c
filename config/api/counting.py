"""Counting calls in Redis: the only module that knows django-ratelimit.

Two ways count in the same windows. `add_one` is the library's own. `add_to_all` counts several at once in one round
trip, over a connection that the thread keeps: for the calls that are many. After a failure Redis is left alone for a
few seconds, so only the first caller waits for it; both ways then say that nobody counted.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.cache import caches
from django.http import HttpRequest
from django_ratelimit import core
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import ConnectionError, RedisError

logger = logging.getLogger(__name__)

FAILURES = (ConnectionInterrupted, RedisError, OSError)
PAUSE_SECONDS = 5.0
_rests_until = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """Of one kind of call, of one caller (hashed): at most so many in so many seconds."""

    name: str
    allowed: int
    seconds: int
    whom: str

    @property
    def ends_at(self) -> int:
        """When it ends, in seconds of the epoch. Windows of different callers end at different moments."""
        end: int = core._get_window(self.whom, self.seconds)
        return end

    def key(self, ends_at: int) -> str:
        """What the library calls this window in the cache."""
        name: str = core._make_cache_key(self.name, ends_at, (self.allowed, self.seconds), self.whom, core.ALL)
        return name


@dataclass(frozen=True, slots=True)
class Count:
    """How often a caller has called in a window, this call included, and how to take this one back."""

    used: int
    seconds_left: int
    take_back: Callable[[], object]


def add_one(window: Window, request: HttpRequest) -> Count | None:
    """Count a call. None where nobody is counting."""
    if is_resting():
        return None
    rate = (window.allowed, window.seconds)
    try:
        used: dict[str, Any] | None = core.get_usage(
            request, group=window.name, key=lambda group, request: window.whom, rate=rate, increment=True
        )
    except FAILURES as failure:
        _rest(failure)
        return None
    # A window that Redis forgot between two commands counts as nothing known.
    if used is None or used["time_left"] < 0:
        return None
    # The library keeps no way back, so its own name for this window is asked for.
    name = window.key(window.ends_at)
    return Count(used["count"], max(used["time_left"], 1), partial(_take_back, name))


def add_to_all(windows: Sequence[Window]) -> list[Count] | None:
    """Count one call in each of the windows, in one round trip. None where nobody is counting."""
    if is_resting():
        return None
    ends = [window.ends_at for window in windows]
    names = [window.key(end) for window, end in zip(windows, ends, strict=True)]
    try:
        used = _line().add(names, [window.seconds + core.EXPIRATION_FUDGE for window in windows])
    except FAILURES as failure:
        _rest(failure)
        return None
    now = int(time.time())
    return [
        Count(count, max(end - now, 1), partial(_take_back, name))
        for count, end, name in zip(used, ends, names, strict=True)
    ]


def is_resting() -> bool:
    """Whether Redis is left alone at the moment."""
    return time.monotonic() < _rests_until


def reset_pause() -> None:
    """Ask Redis again at once."""
    global _rests_until
    _rests_until = 0.0


def _rest(failure: Exception) -> None:
    global _rests_until
    _rests_until = time.monotonic() + PAUSE_SECONDS
    logger.warning("rate limits without Redis for %.0f s: %s", PAUSE_SECONDS, type(failure).__name__)


def _take_back(name: str) -> None:
    caches["limits"].decr(name)


class _Line:
    """A connection of this thread, with the settings of the cache's own: where, who, in what time."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache
        self.pool = cache.client.get_client(write=True).connection_pool
        self.connection = self.pool.connection_class(**self.pool.connection_kwargs)

    def add(self, names: Sequence[str], seconds: Sequence[int]) -> list[int]:
        """Raise each count by one; those that are not there begin, and end after so many seconds."""
        asked = []
        for name, after in zip(names, seconds, strict=True):
            key = str(self.cache.make_key(name))
            asked += [("SET", key, 0, "EX", after, "NX"), ("INCR", key)]
        packed = self.connection.pack_commands(asked)
        was_open = self.connection.is_connected
        try:
            return self._ask(packed, len(asked))
        except (ConnectionError, OSError):
            if not was_open:
                raise
        # It had been closed while nobody used it, as after a restart of Redis.
        return self._ask(packed, len(asked))

    def _ask(self, packed: Any, commands: int) -> list[int]:
        try:
            self.connection.send_packed_command(packed)
            answers = [self.connection.read_response() for _ in range(commands)]
        except BaseException:
            # Or the next one would read what is answered to this one.
            self.connection.disconnect()
            raise
        return [int(answer) for answer in answers[1::2]]


_held = threading.local()


def _line() -> _Line:
    cache = caches["limits"]
    line: _Line | None = getattr(_held, "line", None)
    if line is None or line.cache is not cache:
        line = _held.line = _Line(cache)
    return line
