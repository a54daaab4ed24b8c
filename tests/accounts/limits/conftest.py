"""A clock set by hand: ends and waits are days away."""

import pytest

from tests.support.clock import Clock


@pytest.fixture
def clock(db) -> Clock:
    return Clock()
