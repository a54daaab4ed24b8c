"""Where the sessions of the back office are during tests that count queries."""

import pytest


@pytest.fixture(autouse=True)
def sessions_in_the_database(settings):
    """Where they are cached, a machine that is busy finds some of them late, and asks the database once more."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
