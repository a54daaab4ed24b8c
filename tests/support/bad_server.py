"""A server on loopback that does what one should not: for whoever must live with other people's servers.

with BadServer() as server:
    server.does(status(500), answer(b"a,b"))      # one after the other; the last one again and again
    fetch(server.address("/games.csv"))
    assert server.asked[0].headers["if-none-match"] == '"1"'
"""

import contextlib
import gzip
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate


@dataclass(frozen=True)
class Asked:
    """One request, its header names in lower case."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Behaviour = Callable[[socket.socket, Asked, threading.Event], None]


class BadServer:
    """Listens while it is open, one thread for each connection."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._script: list[Behaviour] = [status(500)]
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "BadServer":
        self._start(self._listen)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        # Wakes the one that waits in `accept`.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def address(self, path: str = "/games.csv?token=hush") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def does(self, *behaviours: Behaviour) -> None:
        """From now on, in this order; the last one stays."""
        with self._lock:
            self._script = list(behaviours)

    def _start(self, work, *args) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            asked = _read_request(connection)
            if asked is None:
                return
            with self._lock:
                self.asked.append(asked)
                behaviour = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            behaviour(connection, asked, self._closing)


def _read_request(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece or not (data + piece).startswith((b"GET", b"POST")):
            return None
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    # Read to its end: a server that hangs up on unread bytes takes its own answer back.
    while len(body) < int(headers.get("content-length", 0)) and (piece := connection.recv(4096)):
        body += piece
    return Asked(first.split(" ")[1], headers, body)


def _head(code: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {code} Whatever", "Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# --- What it can do -------------------------------------------------------------------------------------------------


def answer(body: bytes = b"", code: int = 200, **headers: str) -> Behaviour:
    """A proper answer; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def behave(connection, asked, closing):
        connection.sendall(_head(code, {"Content-Length": str(len(body))} | named) + body)

    return behave


def status(code: int, **headers: str) -> Behaviour:
    """Nothing but a status."""
    return answer(b"", code, **headers)


def marked(body: bytes, etag: str) -> Behaviour:
    """The body with its mark, or 304 for whoever has it."""

    def behave(connection, asked, closing):
        if asked.headers.get("if-none-match") == etag:
            connection.sendall(_head(304, {"ETag": etag}))
        else:
            answer(body, ETag=etag)(connection, asked, closing)

    return behave


def dated(body: bytes, changed_at: float) -> Behaviour:
    """The same by the time of the last change."""
    date = formatdate(changed_at, usegmt=True)

    def behave(connection, asked, closing):
        if asked.headers.get("if-modified-since") == date:
            connection.sendall(_head(304, {}))
        else:
            answer(body, Last_Modified=date)(connection, asked, closing)

    return behave


def redirect(to: str, code: int = 302) -> Behaviour:
    """Somewhere else."""
    return status(code, Location=to)


def hang() -> Behaviour:
    """Listens, and never says a word."""

    def behave(connection, asked, closing):
        closing.wait(30)

    return behave


def drip(head: bytes, *, every: float) -> Behaviour:
    """One byte now and then: each comes in time, all of them never."""

    def behave(connection, asked, closing):
        for byte in head:
            if closing.wait(every):
                return
            connection.sendall(bytes([byte]))

    return behave


def slow_headers(*, every: float) -> Behaviour:
    """Headers without an end, a byte at a time."""
    return drip(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 1\r\n" * 50_000, every=every)


def slow_body(body: bytes, *, every: float, has_length: bool = True) -> Behaviour:
    """Headers at once, the body a byte at a time."""

    def behave(connection, asked, closing):
        connection.sendall(_head(200, {"Content-Length": str(len(body))} if has_length else {}))
        drip(body, every=every)(connection, asked, closing)

    return behave


def reset() -> Behaviour:
    """Breaks the connection off as rudely as TCP can."""

    def behave(connection, asked, closing):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def cut(body: bytes, *, missing: int, chunked: bool = False) -> Behaviour:
    """Announces more than it sends."""

    def behave(connection, asked, closing):
        if chunked:
            piece = body[: len(body) - missing]
            head = _head(200, {"Transfer-Encoding": "chunked"})
            connection.sendall(head + f"{len(body):x}\r\n".encode() + piece)
        else:
            connection.sendall(_head(200, {"Content-Length": str(len(body))}) + body[: len(body) - missing])

    return behave


def nonsense(text: bytes = b"SSH-2.0-OpenSSH_9.6\r\n") -> Behaviour:
    """Another protocol altogether."""

    def behave(connection, asked, closing):
        connection.sendall(text)

    return behave


def endless(piece: bytes = b"x" * 65536) -> Behaviour:
    """A body that never ends."""

    def behave(connection, asked, closing):
        connection.sendall(_head(200, {}))
        while not closing.is_set():
            connection.sendall(piece)

    return behave


def zipped(body: bytes, *, missing: int = 0) -> Behaviour:
    """Compressed on the way; with `missing`, what was compressed has no end."""
    packed = gzip.compress(body, mtime=0)
    return answer(packed[: len(packed) - missing], Content_Encoding="gzip")
