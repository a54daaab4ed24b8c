"""One client's queue: bounded, and gone with whoever does not read."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from config.live.words import Message

# Of messages that wait for one client. A season's results at once are fewer; somebody who reads has none waiting.
LONGEST_QUEUE = 512


class TooSlow(Exception):
    """The client does not read as fast as things happen."""


class Closing(Exception):
    """The process stops, or has lost its way: the client may come back and ask for what it missed."""


class Listener:
    """What waits for a client. Only messages above `seen` are taken, so nothing comes twice or out of order.

    `on_drop` is called when it is too slow: it may be in the middle of a message that nobody takes.
    """

    __slots__ = ("_awake", "_ended", "_on_drop", "_waiting", "seen")

    def __init__(self, seen: int, on_drop: Callable[[], object] = lambda: None) -> None:
        self.seen = seen
        self._on_drop = on_drop
        self._waiting: deque[Message] = deque()
        self._awake = asyncio.Event()
        self._ended: type[Exception] | None = None

    def offer(self, messages: Iterable[Message]) -> bool:
        """Let them wait for the client; False when it has too many waiting already, and gets nothing any more."""
        for message in messages:
            if message.number > self.seen:
                self.seen = message.number
                self._waiting.append(message)
        if len(self._waiting) > LONGEST_QUEUE:
            self.end(TooSlow)
            self._on_drop()
        if self._waiting or self._ended:
            self._awake.set()
        return self._ended is None

    def end(self, why: type[Exception]) -> None:
        """Forget what waits; the client is told why instead."""
        self._waiting.clear()
        self._ended = self._ended or why
        self._awake.set()

    async def take(self) -> list[Message]:
        """All that waits, as soon as anything does. Raises TooSlow or Closing."""
        await self._awake.wait()
        if self._ended is not None:
            raise self._ended
        self._awake.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken
