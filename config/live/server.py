"""The process: uvicorn, with what it leaves open closed.

Small buffers in the kernel and in the process, so that who does not read is noticed after some kilobytes and not after
megabytes; a time limit and a size limit on what comes before a request; an end to connections that nobody reads from;
and a goodbye to all who listen before it stops.
"""

import asyncio
import logging
import signal
import socket
from typing import Any, cast

import uvicorn
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from config.descriptors import allow_descriptors
from config.live.hub import Hub

# Bytes. Linux doubles the first one.
KERNEL_BUFFER = 32 * 1024
WRITE_BUFFER = 16 * 1024
LARGEST_HEAD = 16 * 1024
# What a client may say in one message. It has nothing to say, so this is only what is refused politely.
LARGEST_MESSAGE = 1024
# Seconds.
HEAD_PATIENCE = 10.0
PING_EVERY = PING_PATIENCE = 20.0
FLUSH_PATIENCE = 3.0
STOP_PATIENCE = 4
# Connections beyond those who listen: probes, handshakes, goodbyes.
SPARE_CONNECTIONS = 200
SPARE_FILES = 500


class SocketProtocol(WebSocketsSansIOProtocol):
    """A socket whose buffers are small, and that ends when we say so."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER)

    async def run_asgi(self) -> None:
        cast(dict[str, Any], self.scope)["extensions"]["outlast.abort"] = self.transport.abort
        await super().run_asgi()
        self._end_soon()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._end_soon()

    def shutdown(self) -> None:
        super().shutdown()
        self._end_soon()

    def _end_soon(self) -> None:
        """Closing waits until all is read, and whoever does not read would be waited for without an end."""
        self.loop.call_later(FLUSH_PATIENCE, self.transport.abort)


class PageProtocol(HttpToolsProtocol):
    """HTTP: a request has to come in time and be of a sensible size."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._head = 0
        self._patience = self.loop.call_later(HEAD_PATIENCE, transport.abort)
        if len(self.connections) > settings.LIVE_CLIENTS + SPARE_CONNECTIONS:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        if self._head > LARGEST_HEAD:
            self.transport.abort()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(dict[str, Any], self.scope)["extensions"] = {"outlast.abort": self.transport.abort}

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._patience.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._patience.cancel()
        super().handle_websocket_upgrade()

    def shutdown(self) -> None:
        super().shutdown()
        self.loop.call_later(FLUSH_PATIENCE, self.transport.abort)


class LiveServer(uvicorn.Server):
    """Says goodbye first."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        hub: Hub | None = self.lifespan.state.get("hub")
        for listening in sockets or []:
            listening.close()
        if hub is not None:
            hub.close()
            await asyncio.sleep(0.1)
        await super().shutdown(sockets)


def listening_socket(host: str, port: int) -> socket.socket:
    """Bound; whatever is accepted from it has its small buffer."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
    made.bind((host, port))
    made.setblocking(False)
    return made


def serve(application: str, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    # uvicorn stops in order, and then ends itself by the signal once more: that is no failure of ours.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _leave)
    # One line for each client that comes would be all that the log says.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    allow_descriptors(settings.LIVE_CLIENTS + SPARE_CONNECTIONS + SPARE_FILES)
    config = uvicorn.Config(
        application,
        http=PageProtocol,
        ws=SocketProtocol,
        ws_max_size=LARGEST_MESSAGE,
        ws_ping_interval=PING_EVERY,
        ws_ping_timeout=PING_PATIENCE,
        # One text for all, instead of a compressor for each.
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_PATIENCE,
    )
    LiveServer(config).run(sockets=[listening_socket(host, port)])


def _leave(*_: object) -> None:
    raise SystemExit(0)
