import pytest

from tests.support.live import LiveProcess


@pytest.fixture
def live(transactional_db):
    """A live process of the test's own."""
    process = LiveProcess().start()
    yield process
    process.stop()
