"""Requests of the event loop as WSGI tells them."""

from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIRequest

from config.web.arriving import environ_of
from tests.support.fronts import Headers, Scope


def told(*headers, **options):
    return environ_of(Scope(options.pop("path", "/a"), headers=Headers(*headers), **options))


def test_it_says_who_asks_whom_for_what():
    environ = told(("Host", "play.example"), path="/a b/ü", method="PUT", query_string="c=d%20e", scheme="https")
    request = WSGIRequest({**environ, "wsgi.input": BytesIO()})
    assert (request.method, request.path, request.GET["c"]) == ("PUT", "/a b/ü", "d e")
    assert (environ["REMOTE_ADDR"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == (
        "198.18.0.1",
        "127.0.0.1",
        "8000",
    )
    assert (environ["HTTP_HOST"], environ["wsgi.url_scheme"], environ["SERVER_PROTOCOL"]) == (
        "play.example", "https", "HTTP/1.1",
    )  # fmt: skip


def test_addresses_of_the_sixth_version_come_without_brackets():
    environ = told(client="[2001:db8::1]:40000", server="[::1]:8000")
    assert (environ["REMOTE_ADDR"], environ["SERVER_NAME"]) == ("2001:db8::1", "::1")


def test_the_kind_and_the_length_of_a_body_have_names_of_their_own():
    environ = told(("Content-Type", "application/json"), ("Content-Length", "7"), ("X-Content-Type", "x"))
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"], environ["HTTP_X_CONTENT_TYPE"]) == (
        "application/json", "7", "x",
    )  # fmt: skip
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(environ)


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_For", "Content_Length", "_"])
def test_a_name_with_an_underscore_says_nothing(name):
    """With it a caller would say what only the proxy in front may say."""
    environ = told((name, "1"), ("X-Forwarded-For", "203.0.113.7"))
    assert environ["HTTP_X_FORWARDED_FOR"] == "203.0.113.7"
    assert set(environ) - set(told()) == {"HTTP_X_FORWARDED_FOR"}


def test_what_is_said_twice_is_told_twice():
    environ = told(
        ("Cookie", "a=1"), ("Cookie", "b=2"), ("Accept", "text/html"), ("Accept", "*/*"), ("Host", "a"), ("Host", "b")
    )
    assert (environ["HTTP_COOKIE"], environ["HTTP_ACCEPT"], environ["HTTP_HOST"]) == (
        "a=1; b=2",
        "text/html,*/*",
        "a,b",
    )


def test_a_value_that_is_no_visible_ascii_is_told_as_empty():
    environ = told(("X-Name", "J\u00fcrgen"), ("X-Two", "a"), ("X-Two", "\u00fc"))
    assert (environ["HTTP_X_NAME"], environ["HTTP_X_TWO"]) == ("", "a")


def test_over_http_2_the_host_is_the_authority():
    assert told(authority="play.example")["HTTP_HOST"] == "play.example"
    assert told(("Host", "a.example"), authority="play.example")["HTTP_HOST"] == "a.example"
