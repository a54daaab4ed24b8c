"""The front as granian calls it: a real event loop in a thread of its own, and calls from any thread."""

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from config.web.front import Front
from config.web.rsgi import Blocks

PATIENCE = 10


class Headers:
    """Of a request, as granian has them: only visible ASCII is told with its value."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = [(name.lower(), value) for name, value in pairs]

    def keys(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self.pairs))

    def items(self) -> list[tuple[str, str]]:
        return [pair for pair in self.pairs if pair[1].isascii() and (not pair[1] or pair[1].isprintable())]


@dataclass
class Scope:
    """A request."""

    path: str
    method: str = "GET"
    headers: Headers = field(default_factory=lambda: Headers(("Host", "testserver")))
    query_string: str = ""
    http_version: str = "1.1"
    server: str = "127.0.0.1:8000"
    client: str = "198.18.0.1:40000"
    scheme: str = "http"
    authority: str | None = None


class Way:
    """Takes one answer, as granian does: a file is read by a thread, and only as fast as `may_read` lets it."""

    def __init__(self, *blocks: bytes | Exception) -> None:
        self.blocks = list(blocks)
        self.status, self.headers, self.body, self.by = 0, {}, b"", ""
        self.may_read, self.has_gone = threading.Event(), threading.Event()
        self.may_read.set()
        self.reader: threading.Thread | None = None

    async def __call__(self) -> bytes:
        return b"".join([await self.__anext__() for _ in range(len(self.blocks))])

    def __aiter__(self) -> Blocks:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if not self.blocks:
            return b""
        block = self.blocks.pop(0)
        if isinstance(block, Exception):
            raise block
        return block

    def _begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        assert not self.status, "answered twice"
        self.status, self.headers, self.by = status, dict(headers), threading.current_thread().name

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._begin(status, headers)

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.body = body
        self._begin(status, headers)

    def response_file(self, status: int, headers: list[tuple[str, str]], file: str) -> None:
        self._begin(status, headers)
        self.reader = threading.Thread(target=self._read, args=(file,), daemon=True)
        self.reader.start()

    def _read(self, path: str) -> None:
        read = []
        with open(path, "rb", buffering=0) as file:
            while not self.has_gone.is_set():
                assert self.may_read.wait(PATIENCE)
                block = b"" if self.has_gone.is_set() else file.read(128 * 1024)
                if not block:
                    break
                read.append(block)
        self.body = b"".join(read)


class Served:
    """A front that serves until it is left."""

    def __init__(self, gate: Any) -> None:
        self.front = Front(gate)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="loop", daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        self.loop.call_soon_threadsafe(self.front.__rsgi_init__, self.loop)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.front.close()
        self.loop.close()

    def send(self, scope: Scope, way: Way) -> "Future[None]":
        """Begin a call; its end."""
        return asyncio.run_coroutine_threadsafe(self.front.__rsgi__(scope, way), self.loop)

    def call(self, path: str, method: str = "GET", *blocks: bytes | Exception, **options: Any) -> Way:
        """One call, and what came of it."""
        way = Way(*blocks)
        self.send(Scope(path, method, **options), way).result(PATIENCE)
        if way.reader is not None:
            way.reader.join(PATIENCE)
        return way
