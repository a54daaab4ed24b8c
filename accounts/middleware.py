"""Who may see a page of the back office at all, and until when: checked with each page that is asked for."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseNotFound
from django.http.response import HttpResponseBase

from accounts.services import browsers
from config.api.addresses import client_address

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# Bearers of tokens send no session, and a browser's cookie means nothing there.
WITHOUT_SESSIONS = ("/api/v1/", "/static/")
BACK_OFFICE = "/admin"


class StaffSessionMiddleware:
    """Signs a browser out whose time is over: the page that it asked for then asks to sign in.

    From outside `STAFF_NETWORKS`, where there are any, there is no back office.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(BACK_OFFICE) and not _is_inside(client_address(request)):
            return HttpResponseNotFound("There is nothing here.", content_type="text/plain")
        if _shows_session(request) and request.user.is_authenticated:
            self._end_if_over(request)
        return self.get_response(request)

    def _end_if_over(self, request: HttpRequest) -> None:
        # A browser says of itself what it fetches for a script; one that does not say so is taken to be clicked in.
        is_click = request.headers.get("Sec-Fetch-Dest") != "empty"
        if browsers.is_over(request.session, is_click=is_click):
            logout(request)


def _is_inside(address: str) -> bool:
    """Whether the caller's address is of one of the networks of staff; any is where none is named."""
    if not settings.STAFF_NETWORKS:
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in settings.STAFF_NETWORKS)


def _shows_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith(WITHOUT_SESSIONS)
