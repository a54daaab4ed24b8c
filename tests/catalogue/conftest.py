"""What can go wrong with money, case by case, over HTTP. Two doubles: one whose news a test carries by hand, and one
(`wired`) that brings them to our web server by itself, as Stripe would."""

from datetime import timedelta

import pytest

from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.payments.conftest import double, double_process, quick_provider, unpaid
from tests.support.payments import ROTATED, SECRET, WEBHOOK, started
from tests.support.stripe_double import DoubleProcess
from tests.support.travel import Travel

__all__ = ["double", "double_process", "quick_provider", "unpaid"]

THIN_SECRET = "whsec_of_thin_events_in_these_tests"


@pytest.fixture(scope="session")
def wired_process(tmp_path_factory, live_server):
    home, address = tmp_path_factory.mktemp("wired"), f"{live_server.url}{WEBHOOK}"
    with DoubleProcess(home, webhook_url=address, secret=SECRET) as process:
        yield process


@pytest.fixture
def wired(wired_process, live_server, settings):
    """A double that remembers nothing, and delivers to our own address over HTTP."""
    wired_process.control("POST", "/endpoint", url=f"{live_server.url}{WEBHOOK}", enabled=True, style="snapshot")
    wired_process.reset()
    settings.STRIPE_API_BASE = wired_process.base_url
    settings.STRIPE_SECRET_KEY = "sk_test_of_these_tests"
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET, ROTATED]
    settings.STRIPE_THIN_WEBHOOK_SECRETS = [THIN_SECRET]
    yield wired_process
    # What is under way must not arrive while the tables are emptied.
    wired_process.control("DELETE", "/faults")
    wired_process.drain()
    wired_process.reset()


@pytest.fixture
def payment(api, player, unpaid, wired):
    """Started, and not paid yet."""
    return started(api(player), unpaid)


@pytest.fixture
def another(api, wired):
    """Start one more payment, of somebody else's request."""

    def start():
        request = RequestFactory(approved=True)
        return started(api(request.user), request)

    return start


@pytest.fixture
def pool():
    """Fifty dollars a place, a tenth of it the house's; far enough from its first lock for a story of weeks."""
    return PoolFactory(competition=league(first_kickoff_in=timedelta(days=60)), rules={"house_fee_bp": 1000})


@pytest.fixture
def owing(player, pool):
    """An approved request of the player that owes 50 dollars there."""
    return RequestFactory(approved=True, user=player, pool=pool)


@pytest.fixture
def travel(double):
    """`travel(hours=25)`: the double and PostgreSQL live through it."""
    journey = Travel(double)
    yield journey
    journey.back()
