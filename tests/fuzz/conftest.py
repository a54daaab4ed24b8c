"""A world with one of each thing, the application that answers, and its schema: what made-up calls are sent to."""

from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from tests.fuzz.calls import Fuzz, load
from tests.payments.conftest import double, double_process, sessions_in_the_database
from tests.security.matrix.conftest import _built, world
from tests.support.drawing import MADE_UP

SIGNALS = (request_started, request_finished)
__all__ = ["_built", "double", "double_process", "sessions_in_the_database", "world"]


@pytest.fixture(scope="package")
def application() -> Iterator[WSGIApplication]:
    """Django without the gate: its threads would have connections of their own, which do not see this world.

    As for Django's own test client, the end of a request does not end the connection, which is in a transaction; that
    client lets it end again after each of its calls.
    """
    answers = get_wsgi_application()

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for signal in SIGNALS:
            signal.disconnect(close_old_connections)
        return answers(environ, start_response)

    yield application
    for signal in SIGNALS:
        signal.connect(close_old_connections)


@pytest.fixture(scope="package")
def schema(application):
    return load(application)


@pytest.fixture
def fuzz(schema, world, double, record_property) -> Iterator[Fuzz]:
    """At the end of each test it is told how many calls were made and how they ended; at the end of all, how many."""
    made = Fuzz(schema, world)
    yield made
    record_property(MADE_UP, made.ended.total())
    print(f"\n{made.told()}")
