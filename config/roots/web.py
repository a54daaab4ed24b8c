"""The web process: the API and the admin, behind the gate that bounds how much is done at once.

Between the two stands what answers without Django: refusals, kept pages, plain picks.
"""

from typing import TYPE_CHECKING

from django.conf import settings

from config.direct import SHORTCUTS
from config.pages.looking import glance, look
from config.web.direct import Direct
from config.web.gate import Gate
from config.web.kept import Reader
from config.web.lanes import GLANCES, Shares
from config.web.refusing import Refusals

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def web(django: "WSGIApplication") -> "WSGIApplication":
    """The whole, around Django's own application."""
    shortcuts = SHORTCUTS if settings.DIRECT_ANSWERS else ()
    direct = Direct(django, shortcuts, body_limit=settings.API_BODY_LIMIT)
    gate = Gate(
        Refusals(Reader(direct, look, at_once=settings.MAX_IN_WORK)),
        shares=Shares(at_once=settings.MAX_IN_WORK, waiting=settings.MAX_WAITING),
        longest_wait=settings.MAX_WAIT_MS / 1000,
        body_limit=settings.API_BODY_LIMIT,
    )
    return Reader(gate, glance, at_once=GLANCES)
