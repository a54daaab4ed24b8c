"""Tells callers of the API to come again before Django is entered: under a rush that is what most are told.

What it costs is taken from those who are served. The gate has decided (`config.web.gate`); this only says it, with the
words and headers that Django would.
"""

import time
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rest_framework.renderers import JSONRenderer

from config.api.envelope import enveloped
from config.api.handler import failure
from config.api.language import language_of
from config.api.middleware import level_of, log_answer, request_id_of
from config.errors import Code
from config.metrics import METHODS, count_answer
from config.tracing import begin
from config.web.answers import Answer
from config.web.gate import REFUSED
from config.web.standing import API, Headers, headers_of_refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROUTE: Final = "unmatched"
# Who says these may have to be told something else.
OTHERWISE: Final = ("HTTP_COOKIE", "HTTP_ACCESS_CONTROL_REQUEST_METHOD")


class Refusals:
    """A WSGI application in front of Django's."""

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = refusal(environ) if REFUSED in environ else None
        return self.application(environ, start_response) if answer is None else answer.said_to(start_response)


def refusal(environ: "WSGIEnvironment") -> Answer | None:
    """What a request that the gate refused is told; None where Django has to say it."""
    headers = headers_of_refusal(environ) if _is_plain(environ) else None
    return None if headers is None else _refused(environ, headers)


def _is_plain(environ: "WSGIEnvironment") -> bool:
    return (
        environ["PATH_INFO"].startswith(API)
        and environ["REQUEST_METHOD"] in METHODS
        and not any(environ.get(name) for name in OTHERWISE)
        and _is_english(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
    )


@lru_cache(maxsize=256)
def _is_english(accepted: str) -> bool:
    return language_of(accepted).startswith("en")


def _refused(environ: "WSGIEnvironment", headers: Headers) -> Answer:
    began = time.perf_counter()
    method, request_id = environ["REQUEST_METHOD"], request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
    with begin(request_id=request_id, traceparent=environ.get("HTTP_TRACEPARENT", ""), route=ROUTE) as work:
        body: bytes = JSONRenderer().render(enveloped(failure(Code.SERVICE_UNAVAILABLE)))
        own = [
            *headers,
            ("Retry-After", str(environ[REFUSED])),
            ("Content-Length", str(len(body))),
            ("X-Request-ID", request_id),
            ("traceparent", work.trace.traceparent),
        ]
        seconds = time.perf_counter() - began
        count_answer(method, ROUTE, 503, seconds)
        log_answer(work=work, method=method, status=503, seconds=seconds, level=level_of(environ["PATH_INFO"], 503))
        return Answer("503 Service Unavailable", own, [body])
