"""Answers with kept pages before Django is entered: whole, in gzip, or with the word that nothing has changed.

It stands twice: in front of the gate for what this process has at hand, which costs less than the way through it, and
behind it for what has to be fetched or built.

Only to callers who say nothing of themselves: for those with a token or a cookie, Django finds out who they are, and
the view takes the same pages. Whatever is not plainly such a page goes on to Django as it came. The headers around a
page are those that Django's middleware puts there (`config.web.standing`).

These answers are not counted against anybody's limit: they cost less than counting does, and the gate bounds how many
are made at once. In front of the gate that is bounded here: each takes one of the server's threads, and those that are
left must be able to turn others away.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db import Error

from config.api.compression import SMALLEST, accepts_gzip
from config.api.conditional import OF_A_BODY, READING, has_already
from config.api.envelope import meta
from config.api.middleware import log_answer, request_id_of
from config.metrics import count_answer
from config.pages.keeping import Kept
from config.pages.packing import finish, head_of
from config.pages.registry import Asked, asked_for
from config.prepared import is_ready
from config.tracing import begin
from config.web.direct import route_of
from config.web.gate import REFUSED
from config.web.standing import Headers, headers_around

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/api/v1/pools/"
# Who says these is somebody, or wants something that only Django knows how to give.
SOMEBODY = ("HTTP_AUTHORIZATION", "HTTP_COOKIE", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", REFUSED)
# Said anew around each answer.
ANEW = frozenset({"etag", "content-length", "content-encoding"})


class Reader:
    """A WSGI application in front of another. `look` is asked for the page: `glance` or `look` of `config.pages`.

    By so many at once; whoever comes then goes on at once.
    """

    def __init__(self, application: "WSGIApplication", look: Callable[[Asked], Kept | None], *, at_once: int) -> None:
        self.application = application
        self.look = look
        self._places = deque([True] * at_once)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(PREFIX) and environ["REQUEST_METHOD"] in READING:
            try:
                place = self._places.pop()
            except IndexError:
                return self.application(environ, start_response)
            try:
                body = self._answered(environ, start_response)
            finally:
                self._places.append(place)
            if body is not None:
                return [body]
        return self.application(environ, start_response)

    def _answered(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> bytes | None:
        """The body; None where it is Django's to answer."""
        if any(environ.get(name) for name in SOMEBODY) or not _takes_json(environ.get("HTTP_ACCEPT", "")):
            return None
        asked = asked_for(environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
        if asked is None or not is_ready():
            return None
        method = environ["REQUEST_METHOD"]
        headers = _around(asked.page.like, environ)
        if headers is None:
            return None
        began, route = time.perf_counter(), route_of(asked.page.like)
        request_id = request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        with begin(request_id=request_id, traceparent=environ.get("HTTP_TRACEPARENT", ""), route=route) as work:
            page = self._page(asked)
            if page is None:
                return None
            work.pool_id = asked.pool
            status, own, body = _made(environ, page)
            around = headers if status == 200 else tuple(one for one in headers if one[0] not in OF_A_BODY)
            own += [("ETag", page.tag), ("X-Request-ID", request_id), ("traceparent", work.trace.traceparent)]
            seconds = time.perf_counter() - began
            count_answer(method, route, status, seconds)
            log_answer(work=work, method=method, status=status, seconds=seconds)
            start_response("200 OK" if status == 200 else "304 Not Modified", [*around, *own])
            return b"" if method == "HEAD" else body

    def _page(self, asked: Asked) -> Kept | None:
        try:
            return self.look(asked)
        except Error:
            # Django meets the same, and knows what to say.
            return None


def _made(environ: "WSGIEnvironment", page: Kept) -> tuple[int, list[tuple[str, str]], bytes]:
    """The status, the headers of this answer alone, and its body."""
    if has_already(environ.get("HTTP_IF_NONE_MATCH"), page.tag):
        return 304, [], b""
    end = json.dumps(meta(page.pagination), separators=(",", ":")).encode() + b"}"
    head = head_of(page.data)
    if not page.packed or len(head) < SMALLEST or not _accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        body = head + end
        return 200, [("Content-Length", str(len(body)))], body
    body = finish(page.packed, page.checked, len(head), end)
    return 200, [("Content-Length", str(len(body))), ("Content-Encoding", "gzip")], body


def _around(like: str, environ: "WSGIEnvironment") -> Headers | None:
    """The same for HEAD, of which views know as of GET."""
    found = headers_around("GET", like, environ, bearer=False)
    return None if found is None else _without(found)


@lru_cache(maxsize=256)
def _without(headers: Headers) -> Headers:
    return tuple((name, value) for name, value in headers if name.lower() not in ANEW)


_accepts_gzip = lru_cache(maxsize=256)(accepts_gzip)


@lru_cache(maxsize=256)
def _takes_json(accepted: str) -> bool:
    """Whether JSON is plainly welcome; what weighs its wishes is Django's to read."""
    kinds = [part.strip() for part in accepted.lower().split(",")]
    return not accepted or "*/*" in kinds or "application/json" in kinds
