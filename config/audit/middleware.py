"""Tells the audit where each request comes from, and which ones were denied to somebody who was known."""

import logging
from collections.abc import Callable

from django.db import Error, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config.api.addresses import client_address
from config.api.ratelimit import By, Policy, RateLimited, enforce_on
from config.audit.origin import coming_from
from config.audit.recording import record

logger = logging.getLogger(__name__)

DENIED = "access.denied"
# An entry stays for ever: whoever asks again and again for what is denied must not fill the audit. That they reached
# this is an entry, too.
NOTED = Policy("denials_noted", 120, 60 * 60, By.USER, survives_redis=True)


class AuditMiddleware:
    """Around everything that may write: the origin of a request is known as long as it is worked on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        address = client_address(request)
        with coming_from("" if address == "unknown" else address):
            response = self.get_response(request)
            if response.status_code == 403:
                _note_denial(request, response)
            return response


def _note_denial(request: HttpRequest, response: HttpResponseBase) -> None:
    """After the answer is made, in a transaction of its own: what was refused has been rolled back.

    Only of people who are signed in, and of each no more than `NOTED` says. Never in the way of the answer.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return
    route = request.resolver_match.route if request.resolver_match else "unmatched"
    code = getattr(getattr(response, "data", None), "code", "") or "FORBIDDEN"
    try:
        enforce_on([(NOTED, f"user {user.pk}")], request)
        with transaction.atomic():
            record(action=DENIED, by=user, data={"method": request.method, "route": route[:200], "code": str(code)})
    except RateLimited:
        return
    except Error as error:
        logger.warning("a denial was not noted: %s", type(error).__name__)
