"""Runs that look up to this very moment: in tests everything has happened just now."""

import pytest

from payments.reconciliation import differences
from tests.payments.bank.conftest import bank, take
from tests.support.reconciling import AHEAD

__all__ = ["at_once", "bank", "take"]


@pytest.fixture
def at_once(monkeypatch):
    """Nothing is too new to be compared."""
    monkeypatch.setattr(differences, "GRACE", -AHEAD)
