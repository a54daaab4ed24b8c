"""A topic as server-sent events: the same messages, each under the name of its kind, with its number as `id`."""

import asyncio
import contextlib
import secrets
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.db.utils import Error

from config.errors import Code
from config.live.arrival import LAST_WORDS_SECONDS, STALLED_SECONDS, Arrival, Closing, TooSlow, hang_up
from config.live.doors import Doors, TurnedAway, allowed_origin
from config.live.hub import Busy, Hub

# A comment after so many seconds without events: proxies hang up on what is silent, and we learn who has gone.
QUIET_SECONDS = 15.0
# Milliseconds after which a browser comes back by itself, spread out: after a restart all of them do.
COME_BACK = (1000, 4000)


class TopicStream(AsyncConsumer):  # type: ignore[misc]  # channels has no types
    """One client. The address names the topic."""

    def __init__(self, *, hub: Hub, doors: Doors) -> None:
        self.arrival = Arrival(hub, doors, transport="stream")
        self.telling: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Whatever it ends with, the place is free again."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.arrival.go()
            if self.telling is not None:
                self.telling.cancel()

    async def http_request(self, message: dict[str, Any]) -> None:
        """Let the client in, or answer like any other operation of the API. What a body says is nothing to us."""
        if self.telling is not None or message.get("more_body"):
            return
        try:
            if self.scope["method"] != "GET":
                raise TurnedAway(Code.METHOD_NOT_ALLOWED)
            origin = allowed_origin(self.scope)
            await self.arrival.come_in(self.scope, int(self.scope["url_route"]["kwargs"]["topic"]))
        except TurnedAway as away:
            self.arrival.go()
            await self._turn_away(away)
        except (Error, Busy):
            self.arrival.go()
            await self._turn_away(TurnedAway(Code.SERVICE_UNAVAILABLE, retry_after=2))
        else:
            await self._begin(origin)
            self.telling = asyncio.create_task(self._tell())

    async def http_disconnect(self, message: dict[str, Any]) -> None:
        """The client is gone, or was told everything."""
        raise StopConsumer

    async def _begin(self, origin: str) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            # nginx would wait until a buffer is full.
            (b"x-accel-buffering", b"no"),
            (b"x-content-type-options", b"nosniff"),
            (b"vary", b"Origin"),
        ]
        if origin:
            headers.append((b"access-control-allow-origin", origin.encode("latin-1")))
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._write(b"retry: %d\n\n" % (COME_BACK[0] + secrets.randbelow(COME_BACK[1] - COME_BACK[0])))

    async def _tell(self) -> None:
        try:
            async for messages in self.arrival.messages(every=QUIET_SECONDS):
                async with asyncio.timeout(STALLED_SECONDS):
                    await self._write(b"".join(message.stream for message in messages) or b": still here\n\n")
        except Closing:
            await self._end()
        except (TooSlow, TimeoutError):
            self.arrival.go()
            hang_up(self.scope)
        except OSError:
            return

    async def _end(self) -> None:
        """The end of the stream: a browser comes back by itself, and says what it has seen."""
        self.arrival.go()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await self.send({"type": "http.response.body", "body": b"", "more_body": False})
                return
        hang_up(self.scope)

    async def _write(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": True})

    async def _turn_away(self, away: TurnedAway) -> None:
        await self.send({"type": "http.response.start", "status": away.status, "headers": away.headers()})
        await self.send({"type": "http.response.body", "body": away.body(), "more_body": False})
        raise StopConsumer
