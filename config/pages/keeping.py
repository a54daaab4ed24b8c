"""Pages as they are sent, kept by their version in this process and in Redis, and built by one at a time.

A page is never kept longer than it is right: whoever looks reads the version first, and takes a page only if it was
built for that version and the clock has not reached the next instant at which it changes by itself (a lock passes).
Pages of a version never change, so it does not matter who wrote them, nor when. Redis only spares building: without
it, and when it forgets, each process builds for itself.
"""

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django_redis import get_redis_connection
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from config.api.conditional import weak
from config.metrics import counter
from config.pages.packing import head_of, pack
from config.pages.registry import Shown
from config.pages.versions import Version

logger = logging.getLogger(__name__)

AWAY = (ConnectionInterrupted, RedisError, OSError)
# After Redis has failed, nobody waits for it again so soon.
REST_SECONDS = 5.0
KEPT_SECONDS = 3600
MOST_PAGES, MOST_BYTES = 1024, 32 * 1024 * 1024
# So long is waited for somebody else who builds the same page; a builder that was killed holds nobody up for longer.
PATIENCE = 0.5
LOOK_AGAIN = 0.02

LOOKED = counter("pages", "Where pages came from: memory, redis, built by us, or waited for.", ["page", "source"])


@dataclass(frozen=True, slots=True)
class Kept:
    """One page at one version. `until` is the instant, in seconds, from which it is wrong whatever its version."""

    version: str
    until: float
    data: bytes
    pagination: Mapping[str, Any] | None
    # Where the list goes on, for callers whose cursors are their own.
    after: tuple[Any, ...]
    tag: str
    # All that comes before `meta`, compressed, to be continued (`config.pages.packing`), and its check sum.
    packed: bytes
    checked: int

    def is_right(self, at: Version) -> bool:
        """Whether this is what the rows say."""
        return self.version == at.text and at.now < self.until


def kept(shown: Shown, version: Version, until: float) -> Kept:
    """The page of what was built."""
    encoded = shown.encoded
    pagination = None if encoded.pagination is None else dict(encoded.pagination)
    # What is for one caller alone is not worth the work.
    packed, checked = pack(head_of(encoded.data)) if until else (b"", 0)
    return Kept(version.text, until, encoded.data, pagination, shown.after, weak(encoded.digest()), packed, checked)


class Redis:
    """Pages in Redis, under their name and version. Every method may fail quietly: then nothing is there."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    def get(self, name: str, version: str) -> Kept | None:
        """The page, if somebody has put it there."""
        found = self._try(lambda client: client.get(_key(name, version)))
        return None if found is None else _read(version, found)

    def put(self, name: str, page: Kept) -> None:
        """Let the others have it."""
        self._try(lambda client: client.set(_key(name, page.version), _written(page), ex=KEPT_SECONDS))

    def claim(self, name: str, version: str) -> str | None:
        """A claim to build this page, if nobody else has one; it ends by itself. Empty where Redis is away."""
        token = uuid4().hex
        key, milliseconds = _key(name, version) + ":building", round(2000 * PATIENCE)
        taken = self._try(lambda client: [client.set(key, token, nx=True, px=milliseconds)], default=[True])
        return token if taken[0] else None

    def release(self, name: str, version: str) -> None:
        """Let the next one build. Whoever held it for too long may end another's claim: then two build the same."""
        self._try(lambda client: client.delete(_key(name, version) + ":building"))

    def _try(self, do: Callable[[Any], Any], default: Any = None) -> Any:
        if time.monotonic() < self._rests_until:
            return default
        try:
            return do(get_redis_connection("limits"))
        except AWAY as failure:
            self._rests_until = time.monotonic() + REST_SECONDS
            logger.warning("pages without Redis for %.0f s: %s", REST_SECONDS, type(failure).__name__)
            return default


def _key(name: str, version: str) -> str:
    return f"outlast:page:{name}:{version}"


def _written(page: Kept) -> bytes:
    about = {
        "until": page.until, "tag": page.tag, "pagination": page.pagination, "after": page.after,
        "checked": page.checked, "data": len(page.data),
    }  # fmt: skip
    return json.dumps(about).encode() + b"\n" + page.data + page.packed


def _read(version: str, written: bytes) -> Kept | None:
    try:
        line, _, rest = written.partition(b"\n")
        about = json.loads(line)
        data, packed = rest[: about["data"]], rest[about["data"] :]
        after = tuple(about["after"])
        return Kept(version, about["until"], data, about["pagination"], after, about["tag"], packed, about["checked"])
    except (ValueError, KeyError, TypeError):
        return None


@dataclass(slots=True)
class _Flight:
    """One building, and those who wait for it."""

    landed: threading.Event = field(default_factory=threading.Event)
    page: Kept | None = None


# Builds a page for a version; None where there is none to be shown to everybody.
Build = Callable[[Version], Kept | None]


class Keeper:
    """Pages of this process, and the way to those of the others."""

    def __init__(self, redis: Redis | None = None) -> None:
        self.redis = redis or Redis()
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0
        self._flights: dict[tuple[str, str], _Flight] = {}

    def at_hand(self, name: str, version: Version) -> Kept | None:
        """The page, if this process has it."""
        with self._lock:
            page = self._pages.get(name)
            if page is None or not page.is_right(version):
                return None
            self._pages.move_to_end(name)
            return page

    def find(self, kind: str, name: str, version: Version, build: Build) -> Kept | None:
        """The page of this version: at hand, from Redis, from whoever builds it now, or built by us."""
        if (page := self.at_hand(name, version)) is not None:
            LOOKED.labels(kind, "memory").inc()
            return page
        with self._lock:
            flight = self._flights.get((name, version.text))
            if flight is None:
                mine = self._flights[name, version.text] = _Flight()
        if flight is not None:
            flight.landed.wait(PATIENCE)
            if flight.page is not None and flight.page.is_right(version):
                LOOKED.labels(kind, "waited").inc()
                return flight.page
            return self._build(kind, name, version, build)
        try:
            mine.page = self._fetch(kind, name, version) or self._build_once(kind, name, version, build)
            return mine.page
        finally:
            with self._lock:
                del self._flights[name, version.text]
            mine.landed.set()

    def forget(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._pages.clear()
            self._bytes = 0

    def _fetch(self, kind: str, name: str, version: Version) -> Kept | None:
        page = self.redis.get(name, version.text)
        if page is None or not page.is_right(version):
            return None
        LOOKED.labels(kind, "redis").inc()
        self._remember(name, page)
        return page

    def _build_once(self, kind: str, name: str, version: Version, build: Build) -> Kept | None:
        """Built by us, unless another process does so; one that has not finished in time is not waited for."""
        claim = self.redis.claim(name, version.text)
        deadline = time.monotonic() + PATIENCE
        while claim is None and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN)
            if (page := self._fetch(kind, name, version)) is not None:
                return page
            claim = self.redis.claim(name, version.text)
        try:
            return self._build(kind, name, version, build)
        finally:
            if claim is not None:
                self.redis.release(name, version.text)

    def _build(self, kind: str, name: str, version: Version, build: Build) -> Kept | None:
        LOOKED.labels(kind, "built").inc()
        page = build(version)
        # What does not hold until the next look is for this caller alone.
        if page is not None and page.is_right(version):
            self._remember(name, page)
            self.redis.put(name, page)
        return page

    def _remember(self, name: str, page: Kept) -> None:
        with self._lock:
            before = self._pages.pop(name, None)
            self._bytes += _size(page) - (0 if before is None else _size(before))
            self._pages[name] = page
            while len(self._pages) > MOST_PAGES or self._bytes > MOST_BYTES:
                _, oldest = self._pages.popitem(last=False)
                self._bytes -= _size(oldest)


def _size(page: Kept) -> int:
    return len(page.data) + len(page.packed)
