"""The web process as a server sees it, and how bodies are read."""

from io import BytesIO

import pytest
from django.test import RequestFactory


@pytest.fixture(scope="module", autouse=True)
def _only_here():
    """The servers' modules say in the environment what process this is: what other tests start must not inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTLAST_PROCESS", "web")
        yield


def read(environ, limit=10):
    from config.web.gate import read_ahead

    read_ahead(environ, limit=limit)
    return environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read()


def test_a_chunked_body_gets_its_length():
    assert read({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(b"hello")}) == ("5", b"hello")


def test_a_chunked_body_without_end_is_read_to_one_past_the_limit():
    length, _ = read({"HTTP_TRANSFER_ENCODING": "Chunked", "wsgi.input": BytesIO(b"x" * 1000)})
    assert length == "11"


def test_a_body_of_known_length_is_read_so_far():
    stream = BytesIO(b"hello world")
    assert read({"CONTENT_LENGTH": "5", "wsgi.input": stream}) == ("5", b"hello")
    assert stream.read() == b" world"


@pytest.mark.parametrize("length", ["11", "-5", "x", "", "٣"])
def test_a_body_past_the_limit_or_of_no_length_is_left_to_whoever_may_want_it(length):
    stream = BytesIO(b"hello world")
    assert read({"CONTENT_LENGTH": length, "wsgi.input": stream}) == (length, b"hello world")


def ask(environ):
    from config.wsgi import application

    said = []
    body = b"".join(application(environ, lambda status, headers, *_: said.append(status)))
    return int(said[0].split()[0]), body


@pytest.mark.django_db
@pytest.mark.parametrize(("size", "status"), [(10, 400), (2 * 1024 * 1024, 413)])
def test_the_application_reads_chunked_bodies_up_to_its_limit(size, status):
    environ = RequestFactory().generic("POST", "/api/v1/auth/token").environ
    environ |= {"CONTENT_TYPE": "application/json"}
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(b"[" + b" " * size + b"]")}
    environ.pop("CONTENT_LENGTH", None)
    assert ask(environ)[0] == status


@pytest.mark.django_db
def test_whether_it_lives_is_asked_past_the_gate():
    status, body = ask(RequestFactory().get("/health/live").environ)
    assert status == 200
    assert b'"ok"' in body


def test_it_is_as_big_as_the_settings_say(settings):
    from config.rsgi import application
    from config.wsgi import application as gate

    assert application.gate.shares == gate.shares
    assert (gate.shares.at_once, gate.shares.waiting) == (settings.MAX_IN_WORK, settings.MAX_WAITING)
    assert gate.longest_wait == settings.MAX_WAIT_MS / 1000


def test_the_asynchronous_server_tells_what_happens_live():
    """And serves no page: those are the web server's alone, behind the gate."""
    from config import asgi

    assert sorted(asgi.application.application_mapping) == ["http", "lifespan", "websocket"]
    assert [route.pattern.regex.pattern for route in asgi.application.application_mapping["http"].routes] == [
        r"^api/v1/pools/(?P<topic>[0-9]{1,18})/events$", r"^health/(live|ready)$", "",
    ]  # fmt: skip
