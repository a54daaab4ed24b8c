"""What tests of the ledger write with: entries posted through the door, and lines past it."""

import pytest

from tests.support.ledger import Books


@pytest.fixture
def books(transactional_db):
    """An entry of 100 cents that is committed, and a hand that writes raw SQL."""
    return Books()
