"""The HTTP server: one thread for each connection, on 127.0.0.1 and nowhere else."""

import contextlib
import logging
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from config.local.stripe.ids import new_id
from config.local.stripe.site import Site
from config.local.stripe.store import Closed
from config.local.stripe.wire import Dropped, Request, Response, json_response

HOST = "127.0.0.1"
LARGEST_BODY = 1_000_000
IDLE_SECONDS = 120

log = logging.getLogger(__name__)


class PortTaken(Exception):
    """Somebody else listens there."""


class BadBody(Exception):
    """A request whose body cannot be read."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            raise PortTaken(
                f"Cannot listen on {HOST}:{port}: {error}. Stop the program that holds the port, or choose another "
                "one with --port (0 takes any free one)."
            ) from error
        self.site: Site | None = None

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Like the parent's, without its look-up of the host's name, which can hang without a network."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        log.debug("the connection of %s broke: %r", client_address, sys.exception())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        try:
            body = self._read_body()
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            peer = self.client_address[0]
            self._write(
                self._answer(Request(new_id("req", 14), self.command, parts.path, parts.query, headers, body, peer))
            )
        except BadBody as error:
            self._refuse(error.status, str(error))
        except (Dropped, Closed):
            self._cut()

    def _answer(self, request: Request) -> Response:
        assert self.server.site is not None
        try:
            return self.server.site.answer(request)
        except (Dropped, Closed):
            raise
        except Exception:  # whatever it is, the caller gets an answer and the log the trace
            log.exception("%s %s failed", request.method, request.path)
            return json_response(
                500, {"error": {"message": "The Stripe double itself failed; see its log.", "type": "api_error"}}
            )

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            raise BadBody(HTTPStatus.LENGTH_REQUIRED, "Send the body with a Content-Length.")
        if not length.isascii() or not length.isdigit():
            raise BadBody(HTTPStatus.BAD_REQUEST, "Invalid Content-Length.")
        if int(length) > LARGEST_BODY:
            raise BadBody(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Bodies are limited to {LARGEST_BODY} bytes.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise Dropped  # the caller went away in the middle of a sentence
        return body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The parent's HTML error pages, as JSON: unknown methods, broken request lines."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._refuse(status, message or status.phrase)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.close_connection = True
        self._write(json_response(status, {"error": {"message": message, "type": "invalid_request_error"}}))

    def _write(self, response: Response) -> None:
        headers = {
            "Date": self.date_time_string(),
            "Content-Type": response.content_type,
            "Content-Length": str(len(response.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Connection": "close" if self.close_connection else "keep-alive",
            **response.headers,
        }
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {' '.join(value.split())}" for name, value in headers.items()]
        # One write: headers and body in two small packets would wait for each other's acknowledgement.
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + response.body)

    def _cut(self) -> None:
        """Closes the connection without a word."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        log.debug(format, *args)
