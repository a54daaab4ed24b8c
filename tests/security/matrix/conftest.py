"""The story of the reports and one of each thing beside it, told once for this folder; tests' writing is taken back."""

from collections.abc import Iterable, Iterator

import pytest
from django.core.cache import caches
from django.test import TransactionTestCase, override_settings

from tests.reports.story import SETTINGS, tell
from tests.security.matrix.knocking import Answer, knock
from tests.security.matrix.operations import operations
from tests.security.matrix.people import EVERYDAY, KINDS
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


@pytest.fixture
def world(_built, db) -> World:
    return _built


Answers = dict[tuple[str, str], Answer]


def knocked_by(world: World, kinds: Iterable[str]) -> Answers:
    """What each of them is told at every door, by the operation's name and who asked."""
    return {(one.name, kind): knock(world, kind, one) for one in operations() for kind in kinds}


@pytest.fixture(scope="package")
def answers(_built, django_db_blocker) -> Answers:
    """Asked once for all tests, and by those without whom there is no matrix."""
    with override_settings(**SETTINGS), django_db_blocker.unblock():
        return knocked_by(_built, EVERYDAY)


@pytest.fixture(scope="package")
def all_answers(_built, answers, django_db_blocker) -> Answers:
    with override_settings(**SETTINGS), django_db_blocker.unblock():
        return answers | knocked_by(_built, [kind for kind in KINDS if kind not in EVERYDAY])
