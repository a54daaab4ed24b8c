"""The versions of things, asked for from an event loop: like `config.pages.versions`, without a thread for each asker.

One statement is under way at a time; whoever comes meanwhile is asked for by the next one, which begins after all of
its askers came, and so sees every change that was committed before they asked.
"""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import suppress

from config.pages.versions import PATIENCE, Ask, Version

_Askers = list[tuple[int, "asyncio.Future[Version | None]"]]


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
