"""What is refused before anything else is done: too much at once, methods that nobody has, pages asked for too often.

And what is answered then: whether a page of another origin may call the API.
"""

from collections.abc import Callable

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from config.api.addresses import client_address, network_of
from config.api.envelope import json_response
from config.api.handler import explain, failure
from config.api.ratelimit import MAIL_NEWS, PAGE, RateLimited, enforce_on, headers_on
from config.errors import Code
from config.web.gate import REFUSED
from config.web.lanes import LIVE_PATHS, PROBE_PATHS, QUESTION_PATH

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Nothing of ours has any other; a browser asks by OPTIONS before a call across origins.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
PAGE_METHODS = ("GET", "HEAD", "POST")
# Asked by machines of ours every few seconds, and cheap: what they find out must not depend on a count.
PROBES = LIVE_PATHS | PROBE_PATHS | {"/health/detailed"}
MAIL_NEWS_PATH = "/mail/events"
BACK_OFFICE = "/admin/"


class AdmissionMiddleware:
    """Says to come again to whom the gate (`config.web.gate`) turned away, and does nothing else for them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        seconds = request.META.get(REFUSED)
        if seconds is None:
            return self.get_response(request)
        return json_response(failure(Code.SERVICE_UNAVAILABLE), status=503, headers={"Retry-After": str(seconds)})


class OriginsMiddleware(CorsMiddleware):
    """Other origins may call the API where `CORS_ORIGINS` names them; who is not named is not even answered."""

    def check_preflight(self, request: HttpRequest) -> HttpResponseBase | None:
        """An origin that may not call gets what every OPTIONS gets."""
        answer = super().check_preflight(request)
        return answer if request.headers.get("Origin") in settings.CORS_ALLOWED_ORIGINS else None


class MethodsMiddleware:
    """Refuses methods that no address has, TRACE and PROPFIND among them, whatever would have been made of them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_page = request.path.startswith(BACK_OFFICE)
        if request.method in (PAGE_METHODS if is_page else METHODS):
            return self.get_response(request)
        headers = {"Allow": ", ".join(PAGE_METHODS)} if is_page else {}
        return json_response(failure(Code.METHOD_NOT_ALLOWED), status=405, headers=headers)


class PageLimitMiddleware:
    """Counts what is asked for outside the API, whose views count for themselves, by the caller's address."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_counted(request.path):
            return self.get_response(request)
        response: HttpResponseBase
        try:
            policy = MAIL_NEWS if request.path == MAIL_NEWS_PATH else PAGE
            enforce_on([(policy, network_of(client_address(request)))], request)
        except RateLimited as refusal:
            response = _too_many(request, refusal)
        else:
            response = self.get_response(request)
        for name, value in headers_on(request).items():
            response.setdefault(name, value)
        return response


def is_counted(path: str) -> bool:
    """Whether a path is of a page: not of the API, not a file of ours, not a probe."""
    return not path.startswith(("/api/v1/", settings.STATIC_URL)) and path not in PROBES | {QUESTION_PATH}


def _too_many(request: HttpRequest, refusal: RateLimited) -> HttpResponse:
    """In words where a person reads it."""
    found, headers = explain(refusal)
    if request.path.startswith((BACK_OFFICE, "/payments/")):
        return HttpResponse(found.message, status=429, content_type="text/plain; charset=utf-8", headers=headers)
    return json_response(found, status=429, headers=headers)
