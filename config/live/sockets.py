"""A topic over a WebSocket: a snapshot or what was missed, then each event as one text message of JSON.

Clients listen, and say nothing. What a closed socket means is in its code (`docs/live.md`).
"""

import asyncio
import contextlib
from enum import IntEnum
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db.utils import Error

from config.errors import Code
from config.live import figures
from config.live.arrival import LAST_WORDS_SECONDS, STALLED_SECONDS, Arrival, Closing, TooSlow, hang_up
from config.live.doors import Doors, TurnedAway, allowed_origin
from config.live.hub import Busy, Hub


class CloseCode(IntEnum):
    """Why we close a socket. Of these only the 44…: coming back at once does not help."""

    RESTART = 1012
    TRY_LATER = 1013
    SAID_SOMETHING = 1008
    BAD_NUMBER = 4400
    NOT_FOUND = 4404
    TOO_SLOW = 4408


CLOSE_CODES = {Code.NOT_FOUND: CloseCode.NOT_FOUND, Code.VALIDATION_ERROR: CloseCode.BAD_NUMBER}


class TopicSocket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One client. The address names the topic."""

    def __init__(self, *, hub: Hub, doors: Doors) -> None:
        super().__init__()
        self.arrival = Arrival(hub, doors, transport="websocket")
        self.telling: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Whatever it ends with, the place is free again: somebody may leave while coming in."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()

    async def connect(self) -> None:
        """Let the client in, or say why not: with a status where it had better not try, else with a code."""
        try:
            allowed_origin(self.scope)
            await self.arrival.come_in(self.scope, int(self.scope["url_route"]["kwargs"]["topic"]))
        except TurnedAway as away:
            self.arrival.go()
            await self._turn_away(away)
            return
        except (Error, Busy):
            self.arrival.go()
            await self.accept()
            await self.close(CloseCode.TRY_LATER)
            return
        await self.accept()
        self.telling = asyncio.create_task(self._tell())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """There is nothing that a client could say."""
        figures.DROPPED.labels("talking").inc()
        await self._close(CloseCode.SAID_SOMETHING)

    async def disconnect(self, code: int) -> None:
        """Whoever closed it."""
        self._leave()

    def _leave(self) -> None:
        self.arrival.go()
        if self.telling is not None:
            self.telling.cancel()

    async def _tell(self) -> None:
        try:
            async for messages in self.arrival.messages():
                for message in messages:
                    async with asyncio.timeout(STALLED_SECONDS):
                        await self.base_send({"type": "websocket.send", "text": message.text})
        except Closing:
            await self._close(CloseCode.RESTART)
        except (TooSlow, TimeoutError):
            await self._close(CloseCode.TOO_SLOW)
        except OSError:
            # The client left while we were speaking; the server says so as well, and `disconnect` is called.
            return

    async def _close(self, code: CloseCode) -> None:
        """With a last word, as far as the client takes it."""
        self.arrival.go()
        with contextlib.suppress(TimeoutError, OSError, RuntimeError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await self.close(code)
                return
        hang_up(self.scope)

    async def _turn_away(self, away: TurnedAway) -> None:
        if (code := CLOSE_CODES.get(away.code)) is not None:
            # A page in a browser sees the code, where it would not see a status.
            await self.accept()
            await self.close(code)
            return
        start: dict[str, Any] = {"type": "websocket.http.response.start", "status": away.status}
        await self.base_send({**start, "headers": away.headers()})
        await self.base_send({"type": "websocket.http.response.body", "body": away.body()})
