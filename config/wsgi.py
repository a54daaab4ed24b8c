"""The web process: the API and the admin."""

import os
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["OUTLAST_PROCESS"] = os.environ.get("OUTLAST_PROCESS") or "web"


class KnownLength:
    """Django takes a body without Content-Length for an empty one; a chunked body gets its length here.

    One byte past `limit` is enough to see that a body is too large: the guard refuses it by its length.
    """

    def __init__(self, application: "WSGIApplication", *, limit: int) -> None:
        self.application = application
        self.limit = limit

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if is_chunked and not environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(self.limit + 1)
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return self.application(environ, start_response)


application = KnownLength(get_wsgi_application(), limit=settings.API_BODY_LIMIT)
