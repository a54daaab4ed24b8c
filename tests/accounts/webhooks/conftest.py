"""A server of a subscriber, and endpoints at it."""

import pytest

from tests.support.bad_server import BadServer
from tests.support.subscribing import subscribed


@pytest.fixture
def server():
    with BadServer() as server:
        yield server


@pytest.fixture
def endpoint(player, server):
    """The player's, of all events."""
    return subscribed(player, server)
