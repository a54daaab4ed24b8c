"""The web process: the API and the admin, behind the gate that bounds how much is done at once.

Between the two stands what answers without Django: refusals, kept pages, plain picks.
"""

from typing import TYPE_CHECKING

from django.conf import settings

from config.direct import SHORTCUTS
from config.pages.looking import look
from config.web.direct import Direct
from config.web.front import Front
from config.web.gate import Gate
from config.web.kept import Reader
from config.web.lanes import Shares
from config.web.refusing import Refusals

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def front(django: "WSGIApplication") -> Front:
    """The whole, for the event loop of our server."""
    return Front(gate(django))


def gate(django: "WSGIApplication") -> Gate:
    """The same for a server that speaks WSGI and has a thread for each request."""
    direct = Direct(django, SHORTCUTS if settings.DIRECT_ANSWERS else (), body_limit=settings.API_BODY_LIMIT)
    return Gate(
        Refusals(Reader(direct, look)),
        shares=Shares(at_once=settings.MAX_IN_WORK, waiting=settings.MAX_WAITING),
        longest_wait=settings.MAX_WAIT_MS / 1000,
        body_limit=settings.API_BODY_LIMIT,
    )
