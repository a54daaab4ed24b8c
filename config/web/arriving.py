"""Requests as granian's event loop brings them (RSGI), told as WSGI tells them.

Differences to granian's own way of telling: a header with an underscore in its name is nobody's (with it, anybody could
say what a proxy says with a hyphen), and one that comes twice is said twice, not for the last time.
"""

import asyncio
import io
import sys
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from config.web.rsgi import Scope, Way

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIEnvironment

PLAIN = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
BETWEEN = {"HTTP_COOKIE": "; "}


def environ_of(scope: Scope) -> "WSGIEnvironment":
    """The environment of a request, without its body. Values that are no visible ASCII are told as empty."""
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    names = scope.headers.keys()
    for key, value in scope.headers.items():
        name = _name(key)
        if name is not None:
            before = environ.get(name)
            environ[name] = value if before is None else before + BETWEEN.get(name, ",") + value
    for key in names:
        if (name := _name(key)) is not None:
            environ.setdefault(name, "")
    if scope.authority and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority
    return environ


@lru_cache(maxsize=512)
def _name(header: str) -> str | None:
    if "_" in header:
        return None
    name = header.upper().replace("-", "_")
    return name if name in PLAIN else f"HTTP_{name}"


async def take_body(environ: "WSGIEnvironment", way: Way, *, limit: int) -> None:
    """Give the request its body: whole where it is at most `limit` bytes, else as it comes. Raises when it breaks off.

    A chunked one gets a length, so far as it is read: one byte past `limit` is enough to see that it is too large.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in environ and not length:
        body = await _up_to(way, limit + 1)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = BytesIO(body)
    elif not length or length == "0":
        environ["wsgi.input"] = BytesIO()
    elif length.isascii() and length.isdigit() and int(length) <= limit:
        environ["wsgi.input"] = BytesIO(await way())
    else:
        environ["wsgi.input"] = io.BufferedReader(_Coming(way, asyncio.get_running_loop()))


async def _up_to(way: Way, most: int) -> bytes:
    body = bytearray()
    blocks = way.__aiter__()
    while len(body) < most and (block := await blocks.__anext__()):
        body += block
    return bytes(body[:most])


class _Coming(io.RawIOBase):
    """A body that is still coming, read by a thread that works on the request, never by the loop itself."""

    def __init__(self, way: Way, loop: asyncio.AbstractEventLoop) -> None:
        self._way = way
        self._loop = loop
        self._blocks: Any = None
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if not self._rest:
            self._rest = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
        view = memoryview(buffer).cast("B")
        taken = self._rest[: len(view)]
        view[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    async def _next(self) -> bytes:
        """Empty at the end, also where the caller has gone: whoever reads knows the length."""
        if self._blocks is None:
            self._blocks = self._way.__aiter__()
        try:
            return bytes(await self._blocks.__anext__())
        except StopAsyncIteration:
            return b""
