"""A crowd that listens: so many sockets at one pool, as a process of its own, each event noted with when it came.

Says "ready" when all have their snapshot. Is told on standard input up to which event to listen; says at the end how
many sockets heard which events, and how long after its commit each event came to each of them.
"""

import asyncio
import base64
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime

CONNECTING_AT_ONCE = 50
PATIENCE = 60.0
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


@dataclass(frozen=True)
class Heard:
    """What a crowd heard: `orders` counts the sockets by the numbers of their events, comma-separated."""

    orders: dict[str, int]
    lags: list[float]
    hung_up: int


class Ear(asyncio.Protocol):
    """One socket. Unmasked frames come whole or in parts; the snapshot comes first."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.told = asyncio.Event()
        self.numbers: list[int] = []
        self.lags: list[float] = []
        self.is_closed = False
        self._rest = b""
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._rest += data
        if not self._is_open:
            head, found, rest = self._rest.partition(b"\r\n\r\n")
            if not found:
                return
            self._is_open, self._rest = head.startswith(b"HTTP/1.1 101"), rest
        while (frame := self._frame()) is not None:
            self._hear(*frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        self.told.set()

    def waits_for(self, number: int) -> bool:
        """Whether that event may still come."""
        return not self.is_closed and number > max(self.numbers, default=0)

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._rest) < 2:
            return None
        length, start = self._rest[1], 2
        if length > 125:
            start = 4 if length == 126 else 10
            length = int.from_bytes(self._rest[2:start], "big")
        if len(self._rest) < start + length:
            return None
        opcode, said = self._rest[0] & 15, self._rest[start : start + length]
        self._rest = self._rest[start + length :]
        return opcode, said

    def _hear(self, opcode: int, said: bytes) -> None:
        if opcode == PING:
            # Masked with zeros, which leaves it as it is.
            self.transport.write(bytes([128 | PONG, 128 | len(said), 0, 0, 0, 0]) + said)
        elif opcode == CLOSE:
            self.transport.close()
        elif opcode == TEXT:
            message = json.loads(said)
            if message["type"] == "event":
                self.numbers.append(message["id"])
                self.lags.append(time.time() - datetime.fromisoformat(message["at"]).timestamp())
            self.told.set()


async def listen(port: int, path: str, count: int) -> Heard:
    """Connect, listen until told how far, and say what was heard."""
    loop = asyncio.get_running_loop()
    ears: list[Ear] = []
    for start in range(0, count, CONNECTING_AT_ONCE):
        some = range(start, min(count, start + CONNECTING_AT_ONCE))
        made = [await loop.create_connection(lambda: Ear(path), "127.0.0.1", port) for _ in some]
        ears.extend(ear for _, ear in made)
        await asyncio.wait_for(asyncio.gather(*(ear.told.wait() for _, ear in made)), PATIENCE)
    print("ready", flush=True)
    until = int(await loop.run_in_executor(None, sys.stdin.readline))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and any(ear.waits_for(until) for ear in ears):
        await asyncio.sleep(0.05)
    # Whatever comes twice comes now.
    await asyncio.sleep(0.5)
    orders = Counter(",".join(map(str, ear.numbers)) for ear in ears)
    lags = sorted(round(lag, 4) for ear in ears for lag in ear.lags)
    return Heard(dict(orders), lags, sum(ear.is_closed for ear in ears))


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(listen(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))))
