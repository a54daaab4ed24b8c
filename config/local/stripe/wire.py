"""What comes in over HTTP and what goes out, without the sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]


class Dropped(Exception):
    """The connection is to be cut now, with no answer at all."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case, `peer` is the address it came from."""

    id: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer: str = "127.0.0.1"

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, **more: str) -> "Response":
        """A copy with more headers; underscores in a name become hyphens."""
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return Response(self.status, self.body, self.content_type, {**self.headers, **named})


def json_response(status: int, data: Any, **headers: str) -> Response:
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body + b"\n").with_headers(**headers)


def text_response(status: int, text: str) -> Response:
    return Response(status, text.encode(), "text/plain; charset=utf-8")


def html_response(status: int, html: str) -> Response:
    return Response(status, html.encode(), "text/html; charset=utf-8")


def redirect(location: str) -> Response:
    """303: whatever was posted, the browser fetches the next page with GET."""
    plain = quote(location, safe="%/:?#[]@!$&'()*+,;=~-._")
    return Response(303, b"", "text/plain; charset=utf-8", {"Location": plain})
