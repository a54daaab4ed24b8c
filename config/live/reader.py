"""The one reader of a process: woken by NOTIFY, and looking every second whether it was woken or not.

A connection that breaks is made anew, and the next look starts at the numbers that were handed on last, so nothing is
missed or told twice, however long the database was away.
"""

import asyncio
import contextlib
import logging
from typing import Any

import psycopg
from channels.db import database_sync_to_async
from django.db import connection
from django.db.utils import Error

from config.live import figures
from config.live.hub import Hub

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# Events of one look: fanned out before the next, so that nobody's queue gets a whole season at once.
AT_A_TIME = 100
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


class Reader:
    """Feeds a hub until it is cancelled."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.is_connected = False
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Never returns."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_for_ever())
            tasks.create_task(self._listen_for_ever())

    async def look(self) -> None:
        """Hand on what is new."""
        while seen := self.hub.seen():
            events = await database_sync_to_async(self.hub.source.since)(seen, AT_A_TIME)
            self.hub.publish(events)
            if len(events) < AT_A_TIME:
                break
            # Let those who wait for these be served before the next.
            await asyncio.sleep(0)

    async def _look_for_ever(self) -> None:
        pause = FIRST_PAUSE
        while True:
            self._woken.clear()
            try:
                await self.look()
            except Error as failure:
                self.is_connected = False
                figures.READS.labels("failed").inc()
                logger.warning("what is new cannot be read: %s; again in %.1f s", type(failure).__name__, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            self.is_connected, pause = True, FIRST_PAUSE
            figures.READS.labels("done").inc()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), LOOK_SECONDS)

    async def _listen_for_ever(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**_parameters(), autocommit=True) as listening:
                    await listening.execute(f"LISTEN {self.hub.source.channel}")
                    pause = FIRST_PAUSE
                    self._woken.set()
                    async for _ in listening.notifies():
                        self._woken.set()
            except psycopg.Error as failure:
                # Without it everything is told a second later.
                logger.warning("nobody wakes the reader: %s; again in %.1f s", type(failure).__name__, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def _parameters() -> dict[str, Any]:
    """As Django connects, without what belongs to its own kind of connection."""
    given = connection.get_connection_params()
    return {
        name: value for name, value in given.items() if name not in ("cursor_factory", "context", "prepare_threshold")
    }
