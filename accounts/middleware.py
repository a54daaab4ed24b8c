"""The end of a staff browser's session, checked with each page it asks for."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.services import browsers

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# Bearers of tokens send no session, and a browser's cookie means nothing there.
WITHOUT_SESSIONS = ("/api/v1/", "/static/")


class StaffSessionMiddleware:
    """Signs a browser out whose time is over: the page that it asked for then asks to sign in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _shows_session(request) and request.user.is_authenticated and browsers.is_over(request.session):
            logout(request)
        return self.get_response(request)


def _shows_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith(WITHOUT_SESSIONS)
