"""HTTP over connections that stay open, as cheaply as Python can: what the sender costs is taken from who is measured.

Calls are given whole, as bytes. Closed: each connection sends its next call when the one before is answered. Open:
each call is sent when it is due, whatever became of those before, by as many connections as that takes.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import uvloop

BROKEN = 0


@dataclass(frozen=True)
class Answer:
    """What came back; status `BROKEN` where the connection broke first."""

    status: int
    head: bytes = b""
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header, "" where it is not there."""
        start = self.head.lower().find(f"\r\n{name.lower()}: ".encode())
        if start < 0:
            return ""
        begin = start + len(name) + 4
        return self.head[begin : self.head.find(b"\r\n", begin)].decode()


Heard = Callable[[Answer], None]


class Line(asyncio.Protocol):
    """One connection, with one call on its way at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._heard: Heard | None = None
        self._come = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's."""
        self._transport = cast(asyncio.WriteTransport, transport)

    @property
    def is_open(self) -> bool:
        """Whether another call can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, call: bytes, heard: Heard) -> None:
        """Send it; `heard` gets its answer."""
        assert self._transport is not None
        self._heard = heard
        self._transport.write(call)

    def data_received(self, data: bytes) -> None:
        """asyncio's."""
        self._come = self._come + data if self._come else data
        end = self._come.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._come[:end]
        status = int(head[9:12])
        length = 0 if status in (204, 304) else int(Answer(status, head + b"\r\n").header("content-length") or 0)
        if len(self._come) < end + 4 + length:
            return
        body, self._come = self._come[end + 4 :], b""
        if b"connection: close" in head.lower():
            self.close()
        self._tell(Answer(status, head + b"\r\n", body))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's."""
        self._transport = None
        self._tell(Answer(BROKEN))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _tell(self, answer: Answer) -> None:
        heard, self._heard = self._heard, None
        if heard is not None:
            heard(answer)


@dataclass
class Heavy:
    """What a closed run came to: answers by their status, in so many seconds."""

    answered: Counter[int]
    seconds: float

    @property
    def per_second(self) -> float:
        return sum(self.answered.values()) / self.seconds


def send_closed(port: int, lanes: Sequence[Iterator[bytes]], *, seconds: float) -> Heavy:
    """One connection for each lane, which sends the lane's calls, of which there are more than enough."""
    return uvloop.run(_closed(port, lanes, seconds))


async def _closed(port: int, lanes: Sequence[Iterator[bytes]], seconds: float) -> Heavy:
    loop = asyncio.get_running_loop()
    answered = Counter[int]()
    over = loop.create_future()
    lines = [(await loop.create_connection(Line, "127.0.0.1", port))[1] for _ in lanes]
    began = time.perf_counter()
    until, running = began + seconds, len(lines)

    def begin(line: Line, calls: Iterator[bytes]) -> None:
        def again(answer: Answer) -> None:
            nonlocal running
            answered[answer.status] += 1
            if time.perf_counter() < until and line.is_open:
                line.send(next(calls), again)
                return
            running -= 1
            if not running:
                over.set_result(None)

        line.send(next(calls), again)

    for line, calls in zip(lines, lanes, strict=True):
        begin(line, calls)
    await over
    taken = time.perf_counter() - began
    for line in lines:
        line.close()
    return Heavy(answered, taken)


class Lines:
    """As many connections as it takes, the one that was used last first."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.opened = 0
        self._free: deque[Line] = deque()
        self._opening = set[asyncio.Task[None]]()

    def send(self, call: bytes, heard: Heard) -> None:
        """Send it over one that is free, else over a new one."""
        while self._free:
            line = self._free.pop()
            if line.is_open:
                return self._send(line, call, heard)
        task = asyncio.get_running_loop().create_task(self._open(call, heard))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return None

    async def _open(self, call: bytes, heard: Heard) -> None:
        try:
            _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", self.port)
        except OSError:
            return heard(Answer(BROKEN))
        self.opened += 1
        return self._send(line, call, heard)

    def _send(self, line: Line, call: bytes, heard: Heard) -> None:
        def done(answer: Answer) -> None:
            if line.is_open:
                self._free.append(line)
            heard(answer)

        line.send(call, done)

    def close(self) -> None:
        """Hang up."""
        for line in self._free:
            line.close()


def call(method: str, path: str, *, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A whole call of JSON."""
    said = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers)]
    if body:
        said += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*said, "", ""]).encode() + body
