"""The story, told once for a module of tests that only read it."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import override_settings

from tests.reports.story import SETTINGS, Story, tell


@pytest.fixture(scope="module")
def _told(django_db_setup, django_db_blocker) -> Iterator[Story]:
    with django_db_blocker.unblock(), override_settings(**SETTINGS):
        block = transaction.atomic()
        # As the test cases of Django do it: what must be the outermost transaction may be in this one.
        block._from_testcase = True
        block.__enter__()
        try:
            yield tell()
        finally:
            transaction.set_rollback(True)
            block.__exit__(None, None, None)


@pytest.fixture
def story(_told, db) -> Story:
    """For reading. What a test writes is taken back after it, and nobody on another connection sees any of it."""
    return _told


@pytest.fixture
def committed_story(transactional_db) -> Iterator[Story]:
    """The same, committed: for whoever looks from another connection. It takes a second, each time."""
    with override_settings(**SETTINGS):
        yield tell()
