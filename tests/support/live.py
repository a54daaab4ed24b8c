"""The live process as it runs, and clients of it: of a library that is not ours, and of plain sockets."""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from websockets.sync.client import ClientConnection, connect

from config.local.services.process import tied_to_us
from tests.support.children import database_url
from tests.support.running import ROOT, free_port, wait_for


class LiveProcess:
    """`python -m config.live` over the database of the tests."""

    def __init__(self, **env: str) -> None:
        self.port = free_port()
        self.env = {**os.environ, "DATABASE_URL": database_url(), "OUTLAST_SERVICES": "off", **env}

    def start(self) -> "LiveProcess":
        log = (settings.OUTLAST_HOME / "logs" / f"live-{self.port}.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.live", "--port", str(self.port)],
            cwd=ROOT, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            preexec_fn=tied_to_us(signal.SIGTERM),
        )  # fmt: skip
        wait_for(lambda: self.status("/health/ready") == 200, seconds=60)
        return self

    def stop(self, how: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(20)

    def status(self, path: str, **headers: str) -> int:
        """0 where nobody answers."""
        try:
            return self.ask(path, **headers)[0]
        except OSError:
            return 0

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        asking.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = asking.getresponse()
        found = answer.status, dict(answer.headers), answer.read() if answer.status != 200 else b""
        asking.close()
        return found

    def listen(self, pool: Any, seen: int | None = None, **options: Any) -> ClientConnection:
        query = "" if seen is None else f"?last_event_id={seen}"
        address = f"ws://127.0.0.1:{self.port}/ws/pools/{getattr(pool, 'pk', pool)}{query}"
        return connect(address, open_timeout=20, proxy=None, **options)

    @contextmanager
    def stream(self, pool: Any, seen: int | None = None, **headers: str) -> Iterator["Stream"]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if seen is not None:
            given["Last-Event-ID"] = str(seen)
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            asking.request("GET", f"/api/v1/pools/{getattr(pool, 'pk', pool)}/events", headers=given)
            yield Stream(asking.getresponse())
        finally:
            asking.close()

    def plain(self, pool: Any, **options: Any) -> socket.socket:
        """A socket after its handshake, on which nobody reads."""
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options.get("receive_buffer", 4096))
        made.settimeout(20)
        made.connect(("127.0.0.1", self.port))
        key = base64.b64encode(os.urandom(16)).decode()
        made.sendall(
            f"GET /ws/pools/{getattr(pool, 'pk', pool)} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        return made


class Stream:
    """Server-sent events, one after the other."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.answer = answer
        self.status, self.headers = answer.status, dict(answer.headers)

    def next(self) -> dict[str, str] | None:
        """The fields of the next event; None at the end, however it came. Comments and `retry` are passed over."""
        fields: dict[str, str] = {}
        while line := self._line():
            text = line.decode().rstrip("\n")
            if not text and "data" in fields:
                return fields
            name, _, value = text.partition(":")
            if name:
                fields[name] = value.strip()
        return None

    def _line(self) -> bytes:
        try:
            return self.answer.readline()
        except (OSError, http.client.HTTPException):
            return b""

    def message(self) -> dict[str, Any] | None:
        found = self.next()
        return None if found is None else json.loads(found["data"])


def heard(client: ClientConnection, count: int, *, timeout: float = 20) -> list[dict[str, Any]]:
    """The next messages of a socket."""
    return [json.loads(client.recv(timeout=timeout)) for _ in range(count)]
