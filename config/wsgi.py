"""The web process: the API and the admin, behind the gate that bounds how much is done at once.

Between the two stands what answers without Django: refusals, kept pages, plain picks.
"""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["OUTLAST_PROCESS"] = os.environ.get("OUTLAST_PROCESS") or "web"

_application = get_wsgi_application()

from config.direct import SHORTCUTS  # noqa: E402  # Django is set up first
from config.pages.looking import glance, look  # noqa: E402  # Django is set up first
from config.web.direct import Direct  # noqa: E402  # Django is set up first
from config.web.gate import Gate  # noqa: E402  # Django is set up first
from config.web.kept import Reader  # noqa: E402  # Django is set up first
from config.web.lanes import GLANCES, Shares  # noqa: E402  # Django is set up first
from config.web.refusing import Refusals  # noqa: E402  # Django is set up first

_shortcuts = SHORTCUTS if settings.DIRECT_ANSWERS else ()
_direct = Direct(_application, _shortcuts, body_limit=settings.API_BODY_LIMIT)
_behind = Refusals(Reader(_direct, look, at_once=settings.MAX_IN_WORK))
_gate = Gate(
    _behind,
    shares=Shares(at_once=settings.MAX_IN_WORK, waiting=settings.MAX_WAITING),
    longest_wait=settings.MAX_WAIT_MS / 1000,
    body_limit=settings.API_BODY_LIMIT,
)
application = Reader(_gate, glance, at_once=GLANCES)
