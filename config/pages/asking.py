"""The versions of things, asked for from an event loop: like `config.pages.versions`, without a thread for each asker.

One statement is under way at a time; whoever comes meanwhile is asked for by the next one, which begins after all of
its askers came, and so sees every change that was committed before they asked.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Protocol

from config.pages.versions import PATIENCE, Ask, Version

_Askers = list[tuple[int, "asyncio.Future[Version | None]"]]


class Executor(Protocol):
    """Whoever runs what must not run in the loop."""

    def submit(self, function: Callable[..., None], /, *given: Any) -> object:
        """Run it soon, elsewhere."""


class OneThread:
    """A thread that does one thing after another; nobody hears what came of it, which is what futures cost most for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._given: SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None] = SimpleQueue()
        self._is_begun = False

    def submit(self, function: Callable[..., None], /, *given: Any) -> None:
        """Do it after what was given before. Begun with the first; for one thread to call."""
        if not self._is_begun:
            self._is_begun = True
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        self._given.put((function, given))

    def shutdown(self) -> None:
        """Let it go, after what was given."""
        self._given.put(None)

    def _work(self) -> None:
        while (one := self._given.get()) is not None:
            function, given = one
            function(*given)


class LoopVersions:
    """For the loop's own thread alone. `executor` sends the statements: one thread, with a connection of its own."""

    def __init__(self, ask: Ask, loop: asyncio.AbstractEventLoop, executor: Executor) -> None:
        self._ask = ask
        self._loop = loop
        self._executor = executor
        self._next: _Askers = []
        self._began: float | None = None

    def read(self, key: int) -> "asyncio.Future[Version | None]":
        """The version as of now. None where there is no such thing, and where asking failed or takes long."""
        future: asyncio.Future[Version | None] = self._loop.create_future()
        if self._began is not None and time.monotonic() - self._began > PATIENCE:
            future.set_result(None)
            return future
        self._next.append((key, future))
        if self._began is None:
            self._begin()
        return future

    def _begin(self) -> None:
        """Once everything that has come by now is read, so that those ask together."""
        self._began = time.monotonic()
        self._loop.call_soon(self._send)

    def _send(self) -> None:
        askers, self._next = self._next, []
        late = self._loop.call_later(PATIENCE, self._give_up, askers)
        self._executor.submit(self._told, askers, late)

    def _told(self, askers: _Askers, late: asyncio.TimerHandle) -> None:
        """By the executor's thread."""
        found: Mapping[int, Version] = {}
        # Where it fails, whoever asked goes on to a thread that asks again, and is told what is wrong.
        with suppress(Exception):
            found = self._ask(frozenset(key for key, _ in askers))
        # Where the loop has ended, nobody waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, askers, found, late)

    def _tell(self, askers: _Askers, found: Mapping[int, Version], late: asyncio.TimerHandle) -> None:
        late.cancel()
        self._began = None
        for key, future in askers:
            if not future.done():
                future.set_result(found.get(key))
        if self._next:
            self._begin()

    def _give_up(self, askers: _Askers) -> None:
        """Those who wait are let go, and those who wait for the next one; the statement goes on."""
        waiting, self._next = askers + self._next, []
        for _, future in waiting:
            if not future.done():
                future.set_result(None)
