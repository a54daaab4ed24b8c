"""Every answer that any test gets from the API is held against the schema, and a lie fails the test that met it.

Hooked where all test clients hand over to Django. What is found in a thread is found out, too: it is told when the
test has ended.
"""

import pytest
from django.conf import settings
from django.test.client import ClientHandler

from tests.support import contract

URLS = "config.urls"
lies: list[str] = []
_respond = ClientHandler.__call__


def _respond_truly(self, environ):
    answer = _respond(self, environ)
    path = environ["PATH_INFO"]
    method = environ["REQUEST_METHOD"]
    # A browser that asks whether it may is answered by CORS, before any operation.
    is_told = path.startswith("/api/v1/") and path != "/api/v1/schema/" and method != "OPTIONS"
    if is_told and settings.ROOT_URLCONF == URLS:
        found = contract.faults(URLS, method, path, answer)
        lies.extend(f"{method} {path} {answer.status_code}: {fault}" for fault in found)
    return answer


def listen() -> None:
    """From now on."""
    ClientHandler.__call__ = _respond_truly


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """Fail a test that met a lie, unless it failed by itself."""
    lies.clear()
    result = yield
    if lies:
        found = list(dict.fromkeys(lies))
        lies.clear()
        pytest.fail("Answers that are not in the schema:\n" + "\n".join(found), pytrace=False)
    return result
