"""Connections that are merely kept lock nobody out: to hold a thousand costs an attacker nothing."""

import http.client
from contextlib import ExitStack

import pytest

from config.descriptors import allow_descriptors

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# More than granian takes when nothing is said (1,024 for one worker).
IDLE = 1_500
# Seconds. Locked out, a caller waits until others are hung up on, 30 s after they fell silent.
SOON = 15


def ask(kept):
    """The status of an answer over a connection that stays open."""
    kept.request("GET", "/health/live")
    answer = kept.getresponse()
    answer.read()
    return answer.status


def test_who_comes_after_a_thousand_idle_connections_is_served(server):
    assert allow_descriptors(2 * IDLE) >= 2 * IDLE
    served = server(drain=0).wait()
    with ExitStack() as held:
        for number in range(IDLE):
            kept = http.client.HTTPConnection("127.0.0.1", served.port, timeout=SOON)
            held.callback(kept.close)
            assert ask(kept) == 200, number
