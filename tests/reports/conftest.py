"""The story, told once for this folder; tests' writing is taken back."""

from collections.abc import Iterator

import pytest
from django.test import TransactionTestCase, override_settings

from tests.reports.story import SETTINGS, Story, tell


@pytest.fixture(scope="package")
def _told(django_db_setup, django_db_blocker) -> Iterator[Story]:
    with override_settings(**SETTINGS):
        try:
            with django_db_blocker.unblock():
                told = tell()
            yield told
        finally:
            with django_db_blocker.unblock():
                # As after every test that commits.
                TransactionTestCase._fixture_teardown(None)


@pytest.fixture
def story(_told, db) -> Story:
    """For reading: it is committed, and what a test writes beside it is taken back after the test."""
    return _told
