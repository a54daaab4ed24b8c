"""Who has to come again is told so before Django is entered, in Django's words."""

import json

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

from config.web.gate import REFUSED
from config.web.refusing import Refusals

# Django looks at the connection of the thread before each request, where a test before left one open.
pytestmark = pytest.mark.django_db
NEW = {"X-Request-ID", "traceparent"}


@pytest.fixture
def asked():
    return []


@pytest.fixture
def application(asked):
    """With a list of what reached Django."""
    django = get_wsgi_application()

    def noted(environ, start_response):
        asked.append(environ["PATH_INFO"])
        return django(environ, start_response)

    return Refusals(noted)


def told(application, method="PUT", path="/api/v1/entries/1/picks/1", **headers):
    environ = {**RequestFactory().generic(method, path).environ, **headers, REFUSED: 3}
    said = []
    body = b"".join(application(environ, lambda *start: said.append(start)))
    ((status, given, *_),) = said
    content = json.loads(body) if body else None
    if content:
        content["meta"] = sorted(content["meta"])
    return int(status.split()[0]), {name: value for name, value in given if name not in NEW}, content


CALLS = [
    {},
    {"method": "GET", "path": "/api/v1/pools"},
    {"HTTP_AUTHORIZATION": "Bearer a.b.c"},
    {"HTTP_ORIGIN": "https://elsewhere.example"},
    {"method": "HEAD", "path": "/api/v1/pools"},
    {"HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.9"},
]


@pytest.mark.parametrize("call", CALLS)
def test_it_says_what_django_says(application, asked, call):
    ours = told(application, **call)
    assert asked == []
    assert ours == told(get_wsgi_application(), **call)
    assert (ours[0], ours[1]["Retry-After"]) == (503, "3")


@pytest.mark.parametrize(
    "call",
    [
        {"path": "/admin/"},
        {"HTTP_COOKIE": "a=b"},
        {"HTTP_ACCEPT_LANGUAGE": "de"},
        {"method": "BREW"},
    ],
)
def test_whom_django_would_tell_something_else_it_tells(application, asked, call):
    told(application, **call)
    assert len(asked) == 1


def test_who_is_not_refused_goes_on(application, asked):
    environ = RequestFactory().get("/health/live").environ
    assert b"".join(application(environ, lambda *_: None))
    assert asked == ["/health/live"]


def test_the_callers_own_id_is_echoed(application):
    environ = {**RequestFactory().get("/api/v1/pools").environ, "HTTP_X_REQUEST_ID": "mine", REFUSED: 1}
    said = []
    body = b"".join(application(environ, lambda *start: said.append(start)))
    assert dict(said[0][1])["X-Request-ID"] == json.loads(body)["meta"]["request_id"] == "mine"
