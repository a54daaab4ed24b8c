"""Rulings need two people of staff, and a pool that is under way."""

import pytest

from tests.factories.accounts import ModeratorFactory


@pytest.fixture
def colleague(db):
    """The second name."""
    return ModeratorFactory()
