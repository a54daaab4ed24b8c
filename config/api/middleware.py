"""What happens to every request before any view: its id, its limits, and the promise that callers of the API see JSON.

`RequestIdMiddleware` is outermost. `ApiGuardMiddleware` refuses what no view should have to see, and turns whatever
HTML an error page would have been into the envelope, everywhere but on the pages that people look at.
"""

import logging
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.functional import empty
from django.views.defaults import server_error as django_server_error

from config.api.envelope import json_response
from config.api.handler import explain, failure, report
from config.api.language import BACK_OFFICE, OF_PLAYERS
from config.api.statuses import CODE_OF_STATUS, STATUS_OF_CODE
from config.chance import some_id
from config.errors import Code
from config.metrics import known_method
from config.tracing import Work, begin, current_work

logger = logging.getLogger("outlast.request")

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# An id from outside goes into logs and headers: nothing but harmless characters.
REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}")

# What an address is about; no number of ours has more digits.
NAMED = re.compile(r"/(pools|entries)/([0-9]{1,18})(?=/|$)")

# People look at these in a browser; everything else is an API.
PAGES = ("/admin/", "/static/", "/payments/")
# No connection left to be had, a lock not to be had, a server that has gone: all of them pass with time.
AWAY = (OperationalError, InterfaceError)


def is_page(path: str) -> bool:
    """Whether an error there may be an HTML page."""
    return path.startswith(PAGES) or path in OF_PLAYERS


def level_of(path: str, status: int) -> int:
    """How loud a request's line is: a page of the admin fetches twenty files, which would bury the rest."""
    if status >= 500:
        return logging.ERROR
    return logging.DEBUG if status < 400 and path.startswith(settings.STATIC_URL) else logging.INFO


def request_id_of(given: str) -> str:
    """The caller's own id where it is harmless, else a new one."""
    return given if REQUEST_ID.fullmatch(given) else some_id()


def log_answer(*, work: Work, method: str, status: int, seconds: float, level: int = logging.INFO) -> None:
    """The one line about a request: by its route template, never by its path, which may hold a stranger's words."""
    milliseconds, work.ended = round(seconds * 1000, 1), status
    if not logger.isEnabledFor(level):
        return
    told = {"method": method, "route": work.route, "status": status, "ms": milliseconds, **work.fields()}
    # Of this line nobody asks where in our code it was written, and looking that up takes long.
    logger.handle(
        logger.makeRecord(
            logger.name, level, "", 0, "%s %s %s %.0fms", (method, work.route, status, milliseconds), None, extra=told
        )
    )


class RequestIdMiddleware:
    """Echoes `X-Request-ID` or makes one, continues the caller's trace, and logs the request in one line."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = request_id_of(request.headers.get("X-Request-ID", ""))
        started = time.perf_counter()
        with begin(request_id=request_id, traceparent=request.headers.get("traceparent", "")) as work:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            response["traceparent"] = work.trace.traceparent
            work.route = work.route or "unmatched"
            _note_people(work, request)
            log_answer(
                work=work,
                method=known_method(request.method),
                status=response.status_code,
                seconds=time.perf_counter() - started,
                level=level_of(request.path, response.status_code),
            )
            # Django would log each refusal once more, after the id is gone.
            response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        """The route is known from here on: statements of the view are marked with it."""
        work = current_work.get()
        if work is not None and request.resolver_match is not None:
            work.route = request.resolver_match.route


def _note_people(work: Work, request: HttpRequest) -> None:
    """Who asked, where somebody looked that up anyway, and what for, where the address says it."""
    user = request.__dict__.get("user")
    # A session's user is looked up when first asked for; a log line is no reason to.
    if work.user_id is None and getattr(user, "_wrapped", user) is not empty:
        work.user_id = getattr(user, "pk", None)
    for name, number in NAMED.findall(request.path):
        if name == "pools":
            work.pool_id = work.pool_id or int(number)
        else:
            work.entry_id = work.entry_id or int(number)


class ApiGuardMiddleware:
    """Refuses bodies that are too large and NUL characters; makes every error of an API address an envelope."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_page(request.path):
            return _refuse_form(request) or self.get_response(request)
        response = self._refuse(request) or self.get_response(request)
        if response.status_code >= 400 and not _is_enveloped(response):
            return _in_envelope(response)
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """A form of the back office that has a NUL in a field; of other pages none keeps what it is sent."""
        is_form = request.method == "POST" and request.path.startswith(BACK_OFFICE)
        has_nul = is_form and any("\x00" in text for _, texts in request.POST.lists() for text in texts)
        return _plain(Code.VALIDATION_ERROR, 400) if has_nul else None

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        """A crash in a view that is not DRF's: the trace is for the log alone, also where DEBUG is on."""
        if is_page(request.path):
            return _come_again() if isinstance(exc, AWAY) else None
        found, headers = explain(exc)
        status = STATUS_OF_CODE[found.code]
        if status == 500:
            report(exc, request)
        return json_response(found, status=status, headers=headers)

    def _refuse(self, request: HttpRequest) -> HttpResponse | None:
        length = _length(request)
        if length is None:
            return json_response(failure(Code.PARSE_ERROR), status=400)
        if length > settings.API_BODY_LIMIT and (_is_chunked(request) or length > _form_limit(request)):
            return json_response(failure(Code.PAYLOAD_TOO_LARGE), status=413, headers={"Connection": "close"})
        if _has_nul(request):
            return json_response(failure(Code.VALIDATION_ERROR), status=400)
        return None


def _refuse_form(request: HttpRequest) -> HttpResponse | None:
    """What is posted to a page is written to the disk before anybody knows whose it is: no more than our forms have."""
    length = _length(request)
    may_be_large = request.path.startswith(BACK_OFFICE) and not _is_chunked(request)
    largest = settings.PAGE_BODY_LIMIT if may_be_large else settings.API_BODY_LIMIT
    if length is None:
        return _plain(Code.PARSE_ERROR, 400)
    if length > largest:
        return _plain(Code.PAYLOAD_TOO_LARGE, 413)
    # Pages that mails lead to say in words of their own that they know nothing of it.
    has_nul = request.path.startswith(BACK_OFFICE) and _has_nul(request)
    return _plain(Code.VALIDATION_ERROR, 400) if has_nul else None


def _has_nul(request: HttpRequest) -> bool:
    """PostgreSQL has no NUL in its texts, so no address and no filter can mean one."""
    return "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", "")


def _plain(code: Code, status: int) -> HttpResponse:
    """In words; whatever of the body was not read ends with the connection."""
    text = failure(code).message
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers={"Connection": "close"})


def _length(request: HttpRequest) -> int | None:
    """How long the body is said to be; None where that is no number."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None


def _is_chunked(request: HttpRequest) -> bool:
    """Whether the body came without a length: the gate read it to one byte past `API_BODY_LIMIT`, and no further."""
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()


def _form_limit(request: HttpRequest) -> int:
    """How long a form with files may be at this address; asked only about what is longer than other bodies."""
    if request.content_type != "multipart/form-data":
        return 0
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return 0
    return getattr(getattr(view, "cls", None), "form_limit", None) or 0


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`, for a crash outside of views: what is only not there at the moment is a 503."""
    if isinstance(sys.exception(), AWAY):
        return _come_again()
    return django_server_error(request)


def _come_again() -> HttpResponse:
    """For people; the guard makes an envelope of it for everybody else."""
    text = failure(Code.SERVICE_UNAVAILABLE).message
    return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers={"Retry-After": "1"})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`: a host that is not ours, and a filter that a page of the back office does not know."""
    if is_page(request.path) and not isinstance(exception, DisallowedHost):
        return render(request, "400.html", status=400)
    return json_response(failure(Code.VALIDATION_ERROR), status=400)


def _is_enveloped(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "").startswith(("application/json", "application/graphql-response+json"))


def _in_envelope(response: HttpResponseBase) -> HttpResponse:
    """The envelope of a status alone; headers that matter to the caller are kept."""
    status = response.status_code
    code = CODE_OF_STATUS.get(status, Code.INTERNAL_ERROR if status >= 500 else Code.VALIDATION_ERROR)
    kept = {name: response[name] for name in ("Allow", "Retry-After", "WWW-Authenticate") if response.has_header(name)}
    return json_response(failure(code), status=status, headers=kept)
