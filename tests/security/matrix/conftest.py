"""The story of the reports and one of each thing beside it, told once for this folder; tests' writing is taken back."""

from collections.abc import Iterator

import pytest
from django.core.cache import caches
from django.test import TransactionTestCase, override_settings

from tests.reports.story import SETTINGS, tell
from tests.security.matrix.knocking import Told
from tests.security.matrix.world import World, build


@pytest.fixture(scope="package")
def _built(django_db_setup, django_db_blocker) -> Iterator[World]:
    with override_settings(**SETTINGS):
        try:
            with django_db_blocker.unblock():
                made = build(tell())
            caches["limits"].clear()
            yield made
        finally:
            with django_db_blocker.unblock():
                # As after every test that commits.
                TransactionTestCase._fixture_teardown(None)


@pytest.fixture(scope="package")
def _heard(_built) -> Told:
    return Told(_built)


@pytest.fixture
def world(_built, db) -> World:
    return _built


@pytest.fixture
def told(_heard, db) -> Told:
    return _heard
