"""The issuer over HTTP: one thread for each connection, on 127.0.0.1 and nowhere else."""

import base64
import json
import logging
import sys
import time
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from config.local.oidc.issuer import FAULTS, Issuer, Person, Refused

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
LARGEST_BODY = 100_000
SLOW_SECONDS = 12

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Local sign-in</title>
<link rel="icon" href="data:,">
<style>
body { margin: 0; background: #f4f4f5; color: #18181b; font: 16px/1.5 system-ui, sans-serif }
form { max-width: 28rem; margin: 12vh auto 0; padding: 2rem; background: #fff; border-radius: 8px }
label { font-weight: 600 }
input:not([type=checkbox]) { box-sizing: border-box; width: 100%; padding: .625rem .75rem; font: inherit }
button { padding: .625rem 1.25rem; font: inherit; cursor: pointer }
</style>
<form method="post">
<h1>Local sign-in</h1>
<p>This page stands in for a provider on this machine. Be whoever you like.</p>
<p><label>Subject <input name="subject" value="local-1" required></label></p>
<p><label>E-mail <input name="email" type="email" value="new-player@example.test"></label></p>
<p><label>Name <input name="name" value="Local Person"></label></p>
<p><label><input type="checkbox" name="email_verified" value="true" checked> the address is verified</label></p>
<p><button>Sign in</button> <button name="cancel" value="1">Cancel</button></p>
</form></html>"""


class Server(ThreadingHTTPServer):
    """Knows its issuer, whose address is its own."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, *, client_id: str, client_secret: str, redirect_uris: list[str]) -> None:
        super().__init__((HOST, port), Handler)
        self.url = f"http://{HOST}:{self.server_address[1]}"
        self.issuer = Issuer(self.url, client_id, client_secret, redirect_uris)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go when they please."""
        log.debug("the connection of %s broke: %r", client_address, sys.exception())

    def server_bind(self) -> None:
        """Like the parent's, without its look-up of the host's name, which can hang without a network."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = HOST, self.server_address[1]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: Server

    def do_GET(self) -> None:
        path, query = self._asked()
        issuer = self.server.issuer
        if path == "/.well-known/openid-configuration":
            self._json(200, issuer.discovery())
        elif path == "/keys":
            self._json(200, issuer.keys())
        elif path == "/authorize":
            self._show(query)
        else:
            self._json(404, {"error": "not_found"})

    def do_POST(self) -> None:
        path, query = self._asked()
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY))
        if path == "/authorize":
            self._authorize(query, dict(parse_qsl(body.decode(), keep_blank_values=True)))
        elif path == "/token":
            self._token(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        elif path == "/control":
            self._control(json.loads(body or b"{}"))
        else:
            self._json(404, {"error": "not_found"})

    def _show(self, query: dict[str, str]) -> None:
        try:
            self.server.issuer.check_request(query)
        except Refused as error:
            self._json(400, {"error": str(error)})
            return
        self._send(200, PAGE.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _authorize(self, query: dict[str, str], form: dict[str, str]) -> None:
        """The person pressed a button; the browser goes back."""
        said = {"state": query.get("state", ""), "iss": self.server.url}
        try:
            if form.get("cancel"):
                self.server.issuer.check_request(query)
                said["error"] = "access_denied"
            else:
                said["code"] = self.server.issuer.grant(query, _person(form))
        except Refused as error:
            self._json(400, {"error": str(error)})
            return
        if query.get("response_mode") == "form_post":
            self._post_back(query["redirect_uri"], said)
            return
        self._send(302, b"", {"Location": f"{query['redirect_uri']}?{urlencode(said)}"})

    def _post_back(self, address: str, said: dict[str, str]) -> None:
        """A page whose form the browser sends by itself."""
        fields = "".join(f'<input type="hidden" name="{name}" value="{escape(said[name])}">' for name in sorted(said))
        form = f'<form method="post" action="{escape(address)}">{fields}</form>'
        page = f"<!doctype html>{form}<script>document.forms[0].submit()</script>"
        self._send(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _token(self, form: dict[str, str]) -> None:
        issuer = self.server.issuer
        if "slow" in issuer.faults:
            time.sleep(SLOW_SECONDS)
        if "server_error" in issuer.faults:
            self._json(503, {"error": "temporarily_unavailable"})
            return
        if "no_json" in issuer.faults:
            self._send(200, b"<html>", {"Content-Type": "text/html"})
            return
        client = self._client(form)
        try:
            self._json(200, issuer.redeem(form, *client))
        except Refused as error:
            self._json(401 if str(error) == "invalid_client" else 400, {"error": str(error)})

    def _client(self, form: dict[str, str]) -> tuple[str, str]:
        scheme, _, pair = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return form.get("client_id", ""), form.get("client_secret", "")
        name, _, secret = base64.b64decode(pair).decode().partition(":")
        return unquote(name), unquote(secret)

    def _control(self, wish: dict[str, Any]) -> None:
        """`{"faults": […]}` from now on, `{"rotate": true}` at once. Says what holds."""
        faults = set(wish.get("faults", self.server.issuer.faults))
        if faults - FAULTS:
            self._json(400, {"error": f"unknown faults: {sorted(faults - FAULTS)}"})
            return
        self.server.issuer.faults = faults
        if wish.get("rotate"):
            self.server.issuer.rotate()
        self._json(200, {"faults": sorted(faults)})

    def _asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        self.server.issuer.calls.append(parts.path)
        return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))

    def _json(self, status: int, said: dict[str, Any]) -> None:
        self._send(status, json.dumps(said).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), "Cache-Control": "no-store"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what it is asked holds codes."""


def _person(form: dict[str, str]) -> Person:
    is_verified = form.get("email_verified") == "true"
    return Person(form.get("subject", ""), form.get("email", ""), is_verified, form.get("name", ""))
