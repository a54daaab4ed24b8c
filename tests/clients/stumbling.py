"""A proxy before the running system that stumbles where it is told to, and remembers what passed.

with StumblingProxy("http://127.0.0.1:8000") as proxy:
    proxy.stumbles(Stumble("GET", "/api/v1/pools", status=503, retry_after=1))
    proxy.stumbles(Stumble("POST", "/api/v1/pools/1/requests", cut=True))    # it arrives, and no answer comes back
"""

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


@dataclass(frozen=True)
class Stumble:
    """What happens to the next call of this method and path: it is refused here, or its answer is lost."""

    method: str
    path: str
    status: int = 0
    retry_after: int = 0
    cut: bool = False


@dataclass(frozen=True)
class Passed:
    """One call, and how it was answered; 0 where no answer was given."""

    method: str
    path: str
    key: str
    at: float
    status: int
    is_replay: bool = False


@dataclass
class Journal:
    """What is still to happen, and what has."""

    plan: list[Stumble] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, method: str, path: str) -> Stumble | None:
        with self.lock:
            found = next((one for one in self.plan if (one.method, one.path) == (method, path)), None)
            if found is not None:
                self.plan.remove(found)
        return found


class StumblingProxy:
    """Listens on loopback while it is open."""

    def __init__(self, target: str) -> None:
        self.journal = Journal()
        journal, address = self.journal, urlsplit(target).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                path = self.path.partition("?")[0]
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                at, stumble = time.monotonic(), journal.take(self.command, path)
                status, is_replay = 0, False
                if stumble is not None and stumble.status:
                    status = stumble.status
                    self._refuse(stumble)
                else:
                    answer, content = self._forward(body)
                    is_replay = answer.headers.get("Idempotent-Replayed") == "true"
                    if stumble is None:
                        status = answer.status
                        self._pass_on(answer, content)
                    else:
                        self.close_connection = True
                key = self.headers.get("Idempotency-Key", "")
                journal.passed.append(Passed(self.command, path, key, at, status, is_replay))

            def _forward(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
                connection = http.client.HTTPConnection(address, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                return answer, answer.read()

            def _pass_on(self, answer: http.client.HTTPResponse, content: bytes) -> None:
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _refuse(self, stumble: Stumble) -> None:
                code = {429: "RATE_LIMITED", 503: "SERVICE_UNAVAILABLE"}[stumble.status]
                error = {"code": code, "message": "Later.", "details": {}}
                content = json.dumps({"success": False, "error": error, "meta": {}}).encode()
                self.send_response(stumble.status)
                self.send_header("Retry-After", str(stumble.retry_after))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Quietly: the journal tells."""

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _handle

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "StumblingProxy":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def stumbles(self, *stumbles: Stumble) -> None:
        """From now on, each once."""
        self.journal.plan.extend(stumbles)

    def calls(self, method: str, path: str) -> list[Passed]:
        """What passed of this method and path, in order."""
        return [one for one in self.journal.passed if (one.method, one.path) == (method, path)]
