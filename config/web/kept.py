"""Answers with kept pages before Django is entered: whole, in gzip, or with the word that nothing has changed.

In front of the gate stand those that this process has at hand, which cost less than the way through it
(`config.web.front`); behind it, what has to be fetched or built (`Reader`).

Only to callers who say nothing of themselves: for those with a token or a cookie, Django finds out who they are, and
the view takes the same pages. Whatever is not plainly such a page goes on to Django as it came. The headers around a
page are those that Django's middleware puts there (`config.web.standing`).

These answers are not counted against anybody's limit: they cost less than counting does.
"""

import json
import time
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
from config.web.answers import Answer
from config.web.direct import route_of
from config.web.gate import REFUSED
from config.web.standing import Headers, headers_around

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/api/v1/pools/"
# Who says these is somebody, or wants something that only Django knows how to give.
SOMEBODY = ("HTTP_AUTHORIZATION", "HTTP_COOKIE", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", REFUSED)
_encode = json.JSONEncoder(separators=(",", ":")).encode
# Finds a page, if there is one. May raise what the database raises.
Look = Callable[[Asked], Kept | None]
# Said anew around each answer.
ANEW = frozenset({"etag", "content-length", "content-encoding"})


class Reader:
    """A WSGI application in front of another. `look` is asked for the page."""

    def __init__(self, application: "WSGIApplication", look: Look) -> None:
        self.application = application
        self.look = look

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        asked = asked_by(environ)
        answer = None if asked is None or not is_ready() else answer_with(environ, asked, self.look)
        return self.application(environ, start_response) if answer is None else answer.said_to(start_response)


def asked_by(environ: "WSGIEnvironment") -> Asked | None:
    """The page that is plainly asked for, if it is one of those that are kept."""
    if (
        not environ["PATH_INFO"].startswith(PREFIX)
        or environ["REQUEST_METHOD"] not in READING
        or any(environ.get(name) for name in SOMEBODY)
        or not _takes_json(environ.get("HTTP_ACCEPT", ""))
    ):
        return None
    return asked_for(environ["PATH_INFO"], environ.get("QUERY_STRING", ""))


def answer_with(environ: "WSGIEnvironment", asked: Asked, look: Look, *, began: float | None = None) -> Answer | None:
    """The answer with the page that `look` finds; None where it is Django's to answer.

    `began`: when somebody began to work on it (`time.perf_counter`), if that was before now.
    """
    headers = _around(asked.page.like, environ)
    if headers is None:
        return None
    began, route = began or time.perf_counter(), route_of(asked.page.like)
    method, request_id = environ["REQUEST_METHOD"], request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
    with begin(request_id=request_id, traceparent=environ.get("HTTP_TRACEPARENT", ""), route=route) as work:
        try:
            page = look(asked)
        except Error:
            # Django meets the same, and knows what to say.
            return None
        if page is None:
            return None
        work.pool_id = asked.pool
        status, own, body = _made(environ, page)
        around = headers if status == 200 else tuple(one for one in headers if one[0] not in OF_A_BODY)
        own += [("ETag", page.tag), ("X-Request-ID", request_id), ("traceparent", work.trace.traceparent)]
        seconds = time.perf_counter() - began
        count_answer(method, route, status, seconds)
        log_answer(work=work, method=method, status=status, seconds=seconds)
        said = "200 OK" if status == 200 else "304 Not Modified"
        return Answer(said, [*around, *own], [b"" if method == "HEAD" else body])


def _made(environ: "WSGIEnvironment", page: Kept) -> tuple[int, list[tuple[str, str]], bytes]:
    """The status, the headers of this answer alone, and its body."""
    if has_already(environ.get("HTTP_IF_NONE_MATCH"), page.tag):
        return 304, [], b""
    end = _encode(meta(page.pagination)).encode() + b"}"
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
