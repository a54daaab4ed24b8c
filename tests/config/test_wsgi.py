"""The outermost layer of the web process."""

from io import BytesIO

import pytest
from django.test import RequestFactory


@pytest.fixture(scope="module", autouse=True)
def _only_here():
    """The servers' modules say in the environment what process this is: what other tests start must not inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTLAST_PROCESS", "web")
        yield


def call(environ, limit=10):
    from config.wsgi import KnownLength

    seen = {}

    def inner(environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        seen["body"] = environ["wsgi.input"].read(length)
        seen["length"] = environ.get("CONTENT_LENGTH")
        return []

    KnownLength(inner, limit=limit)(environ, lambda *_: None)
    return seen


def test_a_chunked_body_gets_its_length():
    seen = call({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(b"hello")})
    assert seen == {"body": b"hello", "length": "5"}


def test_a_chunked_body_without_end_is_read_to_one_past_the_limit():
    seen = call({"HTTP_TRANSFER_ENCODING": "Chunked", "wsgi.input": BytesIO(b"x" * 1000)})
    assert seen["length"] == "11"


def test_a_body_of_known_length_is_left_alone():
    stream = BytesIO(b"hello world")
    assert call({"CONTENT_LENGTH": "5", "wsgi.input": stream})["body"] == b"hello"
    assert stream.read() == b" world"


@pytest.mark.django_db
@pytest.mark.parametrize(("size", "status"), [(10, 400), (2 * 1024 * 1024, 413)])
def test_the_application_reads_chunked_bodies_up_to_its_limit(size, status):
    from config.wsgi import application

    environ = RequestFactory().generic("POST", "/api/v1/auth/token").environ
    environ |= {"CONTENT_TYPE": "application/json"}
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(b"[" + b" " * size + b"]")}
    answered = []
    body = b"".join(application(environ, lambda line, headers: answered.append(line)))
    assert answered[0].startswith(str(status))
    assert b'"success":false' in body


def test_the_asynchronous_server_has_the_same_application():
    from config import asgi

    assert type(asgi.application).__name__ == "ASGIHandler"
