"""The doors that a pick is saved through, and the token of the `entry` of a test."""

import pytest

from tests.factories.accounts import ModeratorFactory
from tests.support.doors import Door, token_of


@pytest.fixture
def token(entry):
    return token_of(entry.user)


@pytest.fixture
def direct():
    return Door(is_direct=True)


@pytest.fixture
def django():
    return Door(is_direct=False)


@pytest.fixture
def colleague(db):
    """Somebody else who runs pools."""
    return ModeratorFactory()
