"""The web process as a server calls it: with or without the shortcuts that answer before Django is entered."""

import json
from dataclasses import dataclass, field
from io import BytesIO

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from accounts.services.sessions import begin_session
from config.direct import SHORTCUTS
from config.web.direct import Direct


@dataclass
class Said:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self):
        return json.loads(self.body) if self.body else None

    @property
    def code(self):
        """Of a refusal; None where it is none."""
        return None if self.status < 400 else self.content["error"]["code"]


@dataclass
class Door:
    """What stands before Django, and how many calls came through it as far as Django."""

    is_direct: bool
    reached_django: int = 0
    application: object = field(init=False)

    def __post_init__(self):
        self.django = get_wsgi_application()
        shortcuts = SHORTCUTS if self.is_direct else ()
        self.application = Direct(self._django, shortcuts, body_limit=settings.API_BODY_LIMIT)

    def _django(self, environ, start_response):
        self.reached_django += 1
        return self.django(environ, start_response)

    def ask(self, method, path, body=b"", **headers) -> Said:
        """Send a call; headers as in WSGI's environment, a content type of JSON where none is given."""
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "198.51.100.7",
            "HTTP_HOST": "testserver",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": BytesIO(),
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            **headers,
        }
        said = []
        answer = self.application(environ, lambda *start: said.append(start))
        try:
            content = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        ((status, given, *_),) = said
        return Said(int(status.split()[0]), {name.lower(): value for name, value in given}, content)

    def put(self, entry, number, body, *, token=None, **headers) -> Said:
        """Save a pick."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if token is not None:
            headers["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return self.ask("PUT", f"/api/v1/entries/{entry}/picks/{number}", body, **headers)


def token_of(user) -> str:
    """An access token of a new session."""
    return begin_session(user=user, address="", user_agent="", has_second_factor=False).access
