"""Looking at kept pages as the web server does: past Django, or into it."""

import gzip
import json
from io import BytesIO
from typing import Any

from config.pages.looking import look
from config.pages.registry import asked_for
from config.web.kept import Reader
from pools.models import Pool

BASE = "/api/v1/pools/"


class Answer:
    """What came back: by the reader itself, or handed on to Django."""

    def __init__(self) -> None:
        self.status, self.headers, self.body, self.is_kept = "", {}, b"", True

    @property
    def data(self) -> Any:
        """The data of the envelope."""
        body = gzip.decompress(self.body) if self.headers.get("Content-Encoding") == "gzip" else self.body
        return json.loads(body)["data"]


def ask(path: str, query: str = "", *, method: str = "GET", **headers: str) -> Answer:
    """Ask the reader; what it does not answer itself is marked."""
    answer = Answer()

    def handed_on(environ, start_response):
        answer.is_kept = False
        return []

    def start(status, headers, exc_info=None):
        answer.status, answer.headers = status, dict(headers)

    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "testserver",
        "SERVER_PORT": "80", "HTTP_HOST": "testserver", "REMOTE_ADDR": "198.18.0.1", "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(), **headers,
    }  # fmt: skip
    answer.body = b"".join(Reader(handed_on, look)(environ, start))
    return answer


def paths_of(pool: Pool) -> dict[str, str]:
    """One page of each kind, of the pool and of its first round."""
    base = f"/api/v1/pools/{pool.pk}"
    return {
        "pool": base,
        "standings": f"{base}/standings",
        "rounds": f"{base}/rounds",
        "round": f"{base}/rounds/1",
        "distribution": f"{base}/rounds/1/distribution",
        "report": f"{base}/rounds/1/report.json",
    }


def rows(path: str, query: str = "") -> Any:
    """What the rows say, read past everything that is kept."""
    asked = asked_for(path, query)
    shown = asked.page.read(asked) if asked is not None else None
    return None if shown is None else json.loads(shown.encoded.data)
