"""Servers of our own, as a deployment starts them."""

import pytest

from tests.support.serving import WebServer


@pytest.fixture
def server(settings, tmp_path):
    """Makes servers; they end with the test."""
    made = []

    def make(**options):
        made.append(WebServer(settings, tmp_path / f"web-{len(made)}.log", **options).start())
        return made[-1]

    yield make
    for one in made:
        one.kill()
