"""Pages that are given out in front of the gate: what this process has at hand, and only while it is right."""

import threading

import pytest
from django.db import connection

from config.pages.looking import KEEPER, glance
from pools.models import Pool
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.pages import ask, paths_of
from tests.support.playing import enter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool(transactional_db):
    made = PoolFactory(competition=league(rounds=3, codes=("ANT", "BAT", "CAT", "DOG")))
    enter(made, "ANT")
    return made


@pytest.fixture
def paths(pool):
    return paths_of(pool)


@pytest.mark.parametrize("kind", ["pool", "standings", "rounds", "round"])
def test_what_is_at_hand_is_given_out_and_nothing_else(paths, kind):
    KEEPER.forget()
    assert not ask(paths[kind], by=glance).is_kept
    built = ask(paths[kind])
    seen = ask(paths[kind], by=glance)
    assert seen.is_kept
    assert (seen.data, seen.headers["ETag"]) == (built.data, built.headers["ETag"])
    assert ask(paths[kind], by=glance, HTTP_IF_NONE_MATCH=built.headers["ETag"]).status == "304 Not Modified"


def test_it_is_given_up_with_the_change(pool, paths):
    ask(paths["pool"])
    assert ask(paths["pool"], by=glance).is_kept
    Pool.objects.filter(pk=pool.pk).update(name="Another")
    assert not ask(paths["pool"], by=glance).is_kept
    ask(paths["pool"])
    assert ask(paths["pool"], by=glance).data["name"] == "Another"


def test_it_is_given_up_by_the_clock_alone(pool, paths):
    ask(paths["standings"])
    assert ask(paths["standings"], by=glance).is_kept
    lock_round(pool.competition.rounds.get(number=1))
    assert not ask(paths["standings"], by=glance).is_kept


def test_whoever_glances_needs_no_connection(paths):
    ask(paths["pool"])
    found = []

    def look_in():
        found.append((ask(paths["pool"], by=glance).is_kept, connection.connection))

    thread = threading.Thread(target=look_in)
    thread.start()
    thread.join(10)
    assert found == [(True, None)]


def test_where_pages_are_not_kept_there_is_nothing_to_see(paths, settings):
    ask(paths["pool"])
    settings.KEEP_PAGES = False
    assert not ask(paths["pool"], by=glance).is_kept
