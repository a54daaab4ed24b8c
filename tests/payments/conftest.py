"""The Stripe double as a real process, wired to the settings; and an approved request that waits for its money."""

import pytest

from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.support.payments import ROTATED, SECRET
from tests.support.sessions import sessions_in_the_database
from tests.support.stripe_double import DoubleProcess

__all__ = ["sessions_in_the_database"]


@pytest.fixture(scope="session")
def double_process(tmp_path_factory):
    with DoubleProcess(tmp_path_factory.mktemp("double")) as double:
        yield double


@pytest.fixture
def double(double_process, settings):
    """A double that remembers nothing; where the product thinks Stripe is."""
    double_process.reset()
    settings.STRIPE_API_BASE = double_process.base_url
    settings.STRIPE_SECRET_KEY = "sk_test_of_these_tests"
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET, ROTATED]
    return double_process


@pytest.fixture
def unpaid(player):
    """An approved request of the player that owes 50 dollars."""
    return RequestFactory(approved=True, user=player)


@pytest.fixture
def colleague(db):
    """Another of finance, for the second name."""
    return FinanceFactory()


@pytest.fixture
def quick_provider(monkeypatch, double):
    """A client with little patience, so that a time-out is over soon."""
    from payments.providers.stripe import client, provider

    monkeypatch.setattr(client, "WORKER_TIMEOUT", (1.0, 0.4))
    monkeypatch.setattr(client, "WORKER_RETRIES", 0)
    provider._adapter.cache_clear()
    yield
    provider._adapter.cache_clear()
