"""The ASGI application: a socket and a stream for each topic, a probe, and nothing else."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from config.errors import Code
from config.live.doors import Doors, TurnedAway
from config.live.hub import Hub
from config.live.reader import Reader
from config.live.sockets import TopicSocket
from config.live.source import Source
from config.live.streams import TopicStream

logger = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


def live_application(source: Source, *, socket: str, stream: str) -> ProtocolTypeRouter:
    """Serve the source's topics: `socket` and `stream` are patterns of addresses with a group `topic`."""
    hub, doors = Hub(source), Doors()
    reader = Reader(hub)
    probe: Any = Probe(reader)
    pages = [route(stream, TopicStream.as_asgi(hub=hub, doors=doors)), route(r"^health/(live|ready)$", probe)]
    sockets = [route(socket, TopicSocket.as_asgi(hub=hub, doors=doors))]
    return ProtocolTypeRouter(
        {
            "http": URLRouter([*pages, route(r"", nothing_here)]),
            "websocket": URLRouter([*sockets, route(r"", no_such_socket)]),
            "lifespan": Lifespan(hub, reader),
        }
    )


def route(pattern: str, application: Any) -> Any:
    """Channels takes Django's patterns, with applications where Django has views."""
    return re_path(pattern, application)


class Lifespan:
    """Reads while the server runs. The server finds the hub in its state, to say goodbye before it stops."""

    def __init__(self, hub: Hub, reader: Reader) -> None:
        self.hub, self.reader = hub, reader

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        scope["state"]["hub"] = self.hub
        reading = asyncio.create_task(self.reader.run())
        reading.add_done_callback(end_with)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await send({"type": "lifespan.shutdown.complete"})


def end_with(reading: asyncio.Task[None]) -> None:
    """A process that does not read any more tells nobody anything: it ends, and another takes its place."""
    if not reading.cancelled():
        logger.critical("the reader has ended", exc_info=reading.exception())
        signal.raise_signal(signal.SIGTERM)


class Probe:
    """`/health/live`, and `/health/ready`: 503 while the database cannot be read, or the process stops."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        is_ready = self.reader.is_connected and not self.reader.hub.is_closing
        if is_ready or scope["path"].endswith("/live"):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"ok\n"})
        else:
            await _answer(send, TurnedAway(Code.SERVICE_UNAVAILABLE, retry_after=2))


async def nothing_here(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Every other address is the web server's."""
    await _answer(send, TurnedAway(Code.NOT_FOUND))


async def no_such_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The same for sockets."""
    await _answer(send, TurnedAway(Code.NOT_FOUND), kind="websocket.http.response")
    while (await receive())["type"] != "websocket.disconnect":
        pass
    # The server takes note of the end before we are heard to have ended.
    await asyncio.sleep(0)


async def _answer(send: Send, away: TurnedAway, kind: str = "http.response") -> None:
    await send({"type": f"{kind}.start", "status": away.status, "headers": away.headers()})
    await send({"type": f"{kind}.body", "body": away.body()})
