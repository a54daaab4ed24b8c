"""What both transports do with a client that comes, and with one that has gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs

from config.errors import Code
from config.live import figures
from config.live.doors import Doors, TurnedAway, header
from config.live.hub import Hub
from config.live.listener import Closing, Listener, TooSlow
from config.live.words import Message

# As many digits as a bigint takes.
LONGEST_NUMBER = 18
# Somebody who takes nothing for so long is gone, whatever the network says.
STALLED_SECONDS = 15.0
# What is left to tell a client that is hung up on.
LAST_WORDS_SECONDS = 1.0


def seen_by(scope: dict[str, Any]) -> int | None:
    """Up to which number the client has seen everything: `?last_event_id=` or `Last-Event-ID`; None: nothing yet.

    The header is what browsers send by themselves, so it is the newer one. Raises TurnedAway for what is no number.
    """
    asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=20)
    given = header(scope, b"last-event-id") or (asked.get("last_event_id") or [""])[-1]
    if not given:
        return None
    if not (given.isascii() and given.isdigit()) or len(given) > LONGEST_NUMBER:
        raise TurnedAway(Code.VALIDATION_ERROR)
    return int(given)


def hang_up(scope: dict[str, Any]) -> None:
    """End the connection without waiting until what was written is read. Not every server can."""
    abort: Callable[[], None] | None = (scope.get("extensions") or {}).get("outlast.abort")
    if abort is not None:
        abort()


class Arrival:
    """One client at one topic, from its coming in to its leaving."""

    def __init__(self, hub: Hub, doors: Doors, *, transport: str) -> None:
        self.hub, self.doors, self.transport = hub, doors, transport
        self._place: str | None = None
        self._topic = 0
        self._listener: Listener | None = None
        self._first: list[Message] = []

    async def come_in(self, scope: dict[str, Any], topic: int) -> None:
        """Raises TurnedAway: no room, a number that is none, or nothing to listen to."""
        seen = seen_by(scope)
        self._place = self.doors.enter(scope)
        figures.CLIENTS.labels(self.transport).inc()
        joined = await self.hub.join(topic, seen, lambda: self._drop(scope))
        if joined is None:
            raise TurnedAway(Code.NOT_FOUND)
        self._topic, (self._listener, self._first) = topic, joined

    async def messages(self, *, every: float | None = None) -> AsyncIterator[list[Message]]:
        """What the client is to be told; with `every`, an empty list after so many seconds without anything.

        Raises TooSlow or Closing.
        """
        assert self._listener is not None, "only who has come in is told anything"
        if self._first:
            yield self._first
            self._first = []
        while True:
            taken: list[Message] = []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    taken = await self._listener.take()
            yield taken

    def _drop(self, scope: dict[str, Any]) -> None:
        """Too slow: told so, if it takes that in time, and gone."""
        figures.DROPPED.labels("slow").inc()
        asyncio.get_running_loop().call_later(LAST_WORDS_SECONDS, hang_up, scope)

    def go(self) -> None:
        """The client is gone. May be called twice."""
        if self._listener is not None:
            self.hub.leave(self._topic, self._listener)
            self._listener = None
        if self._place is not None:
            self.doors.leave(self._place)
            figures.CLIENTS.labels(self.transport).dec()
            self._place = None


__all__ = ["LAST_WORDS_SECONDS", "STALLED_SECONDS", "Arrival", "Closing", "TooSlow", "hang_up", "seen_by"]
