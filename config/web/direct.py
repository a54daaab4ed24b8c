"""Brings plain calls to the shortcut that answers them (`config.api.shortcuts`), and all others to Django.

A call is plain where every one of its headers is known to change nothing, or is known here. Whatever the shortcut does
not answer goes on to Django as it came, with what was counted for it, so that no call is counted twice.
"""

import re
import time
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Final

from django.urls import resolve

from config.api.addresses import address_in
from config.api.envelope import Encoded, envelope_of
from config.api.middleware import log_answer, request_id_of
from config.api.ratelimit import Usage, count_user, give_back, hand_over, tightest
from config.api.shortcuts import Call, Shortcut
from config.audit.origin import coming_from
from config.metrics import count_answer
from config.prepared import WaitedTooLong, is_ready
from config.tracing import Work, begin
from config.web.gate import REFUSED
from config.web.standing import Headers, headers_around

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

JSON: Final = re.compile(r"application/json(?:;\s*charset=utf-8)?", re.IGNORECASE)
BEARER: Final = re.compile(r"Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
# What a caller, or a proxy of ours, may say without it making a difference to a write, and what is read here. Anything
# else is for Django.
HEEDLESS: Final = re.compile(
    "HTTP_(?:ACCEPT|ACCEPT_ENCODING|ACCEPT_LANGUAGE|AUTHORIZATION|BAGGAGE|CACHE_CONTROL|CONNECTION|CONTENT_LENGTH"
    "|CONTENT_TYPE|DNT|FORWARDED|HOST|KEEP_ALIVE|ORIGIN|PRAGMA|PRIORITY|REFERER|TE|TRACEPARENT|TRACESTATE|USER_AGENT"
    "|VIA|X_REAL_IP|X_REQUEST_ID|X_REQUEST_START|X_REQUESTED_WITH"
    "|(?:SEC_CH|SEC_FETCH|SEC_GPC|X_FORWARDED|X_AMZN|CF)(?:_[A-Z0-9_]+)?)"
)
TAKES_JSON: Final = frozenset(
    {"", "*/*", "application/json", "application/json, */*", "application/json, text/plain, */*"}
)
# After how many seconds to come again, as after every wait for PostgreSQL (`config.api.handler`).
AGAIN: Final = 1


class Direct:
    """A WSGI application in front of Django's."""

    def __init__(self, application: "WSGIApplication", shortcuts: Sequence[Shortcut], *, body_limit: int) -> None:
        self.application = application
        self.shortcuts = shortcuts
        self.body_limit = body_limit
        for shortcut in shortcuts:
            # All addresses are read here: the first caller should not have to wait for that.
            route_of(shortcut.like)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        found = self._shortcut(environ)
        if found is None or not is_ready():
            return self.application(environ, start_response)
        usages: list[Usage] = []
        try:
            body = _answered(environ, start_response, *found, usages)
        except WaitedTooLong:
            # The view would wait for the same lock once more, and as long.
            environ[REFUSED] = AGAIN
            return self.application(environ, start_response)
        if body is not None:
            return [body]
        if not usages:
            return self.application(environ, start_response)
        hand_over(usages, environ)
        try:
            return self.application(environ, start_response)
        finally:
            give_back(environ)

    def _shortcut(self, environ: "WSGIEnvironment") -> tuple[Shortcut, Call, Headers] | None:
        """The shortcut for a plain call, and what stands around its answer."""
        for shortcut in self.shortcuts:
            if environ["REQUEST_METHOD"] != shortcut.method:
                continue
            path = shortcut.path.fullmatch(environ["PATH_INFO"])
            if path is None or not _is_plain(environ):
                continue
            bearer, body = BEARER.fullmatch(environ.get("HTTP_AUTHORIZATION", "")), _body(environ, self.body_limit)
            headers = headers_around(shortcut.method, shortcut.like, environ)
            if bearer is not None and body is not None and headers is not None:
                return shortcut, Call(bearer[1].encode(), path, body, environ), headers
        return None


def _is_plain(environ: "WSGIEnvironment") -> bool:
    return (
        not environ.get("QUERY_STRING")
        and environ.get("HTTP_ACCEPT", "") in TAKES_JSON
        and JSON.fullmatch(environ.get("CONTENT_TYPE", "")) is not None
        and REFUSED not in environ
        and all(_is_heedless(name) for name in environ if name.startswith("HTTP_"))
    )


@lru_cache(maxsize=512)
def _is_heedless(name: str) -> bool:
    return HEEDLESS.fullmatch(name) is not None


def _body(environ: "WSGIEnvironment", limit: int) -> bytes | None:
    """The body, which stays to be read; None where it is not as long as it should be, or too long for us."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit() and len(length) < 10 and 0 < int(length) <= limit):
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    return body if len(body) == int(length) else None


def _answered(
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    shortcut: Shortcut,
    call: Call,
    headers: Headers,
    usages: list[Usage],
) -> bytes | None:
    """The whole answer; None where it is Django's to give, with `usages` as far as the call was counted."""
    began, route = time.perf_counter(), route_of(shortcut.like)
    address = address_in(environ)
    request_id = request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
    trace = environ.get("HTTP_TRACEPARENT", "")
    with (
        begin(request_id=request_id, traceparent=trace, route=route) as work,
        coming_from("" if address == "unknown" else address),
    ):
        data = _data(shortcut, call, work, usages)
        if data is None:
            return None
        body = envelope_of(Encoded(data))
        own = [
            *headers,
            *(tightest(usages).headers().items() if usages else ()),
            ("Content-Length", str(len(body))),
            ("X-Request-ID", request_id),
            ("traceparent", work.trace.traceparent),
        ]
        seconds = time.perf_counter() - began
        count_answer(shortcut.method, route, 200, seconds)
        log_answer(work=work, method=shortcut.method, status=200, seconds=seconds)
        start_response("200 OK", own)
        return body


@cache
def route_of(path: str) -> str:
    """The template that logs and figures know an address by."""
    return resolve(path).route


def _data(shortcut: Shortcut, call: Call, work: Work, usages: list[Usage]) -> bytes | None:
    """What the shortcut says, to somebody who is known and within their limits."""
    caller = shortcut.caller(call)
    if caller is None:
        return None
    work.user_id = caller.user_id
    usages += count_user(shortcut.limits, caller.user_id)
    if any(usage.is_over for usage in usages):
        return None
    return shortcut.answer(call, caller)
