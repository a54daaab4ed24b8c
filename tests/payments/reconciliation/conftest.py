"""Runs that look up to this very moment: in tests everything has happened just now."""

import pytest

from payments.reconciliation import differences
from tests.support.reconciling import AHEAD


@pytest.fixture
def at_once(monkeypatch):
    """Nothing is too new to be compared."""
    monkeypatch.setattr(differences, "GRACE", -AHEAD)
