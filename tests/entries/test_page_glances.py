"""Pages that are given out in front of the gate: what this process has at hand, and only while it is right."""

import gzip
import json

import pytest

from config.pages.looking import KEEPER
from config.web.gate import Gate
from config.web.lanes import Shares
from pools.models import Pool
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.fronts import Headers, Served
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


@pytest.fixture
def served(settings):
    def behind(environ, start_response):
        start_response("202 Went on", [])
        return [b""]

    gate = Gate(behind, shares=Shares(at_once=4, waiting=8), longest_wait=5, body_limit=100)
    with Served(gate) as front:
        yield front


def glance(served, path, method="GET", **headers):
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return served.call(path, method, headers=Headers(("Host", "testserver"), *named))


@pytest.mark.parametrize("kind", ["pool", "standings", "rounds", "round"])
def test_what_is_at_hand_is_given_out_and_nothing_else(served, paths, kind):
    KEEPER.forget()
    assert glance(served, paths[kind]).status == 202
    built = ask(paths[kind])
    seen = glance(served, paths[kind])
    assert (seen.status, seen.by) == (200, "loop")
    assert (json.loads(seen.body)["data"], seen.headers["ETag"]) == (built.data, built.headers["ETag"])
    known = glance(served, paths[kind], If_None_Match=built.headers["ETag"])
    assert (known.status, known.body) == (304, b"")


def test_it_comes_packed_and_as_a_head(served, paths):
    whole = ask(paths["standings"])
    packed = glance(served, paths["standings"], Accept_Encoding="gzip")
    if "Content-Encoding" in packed.headers:
        assert json.loads(gzip.decompress(packed.body))["data"] == whole.data
    head = glance(served, paths["standings"], "HEAD")
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", whole.headers["ETag"])


@pytest.mark.parametrize("said", [{"Authorization": "Bearer x"}, {"Cookie": "a=b"}, {"Accept": "text/html"}])
def test_who_says_who_they_are_or_wants_something_else_goes_on(served, paths, said):
    ask(paths["pool"])
    assert glance(served, paths["pool"], **said).status == 202


def test_it_is_given_up_with_the_change(served, pool, paths):
    ask(paths["pool"])
    assert glance(served, paths["pool"]).status == 200
    Pool.objects.filter(pk=pool.pk).update(name="Another")
    assert glance(served, paths["pool"]).status == 202
    ask(paths["pool"])
    assert json.loads(glance(served, paths["pool"]).body)["data"]["name"] == "Another"


def test_it_is_given_up_by_the_clock_alone(served, pool, paths):
    ask(paths["standings"])
    assert glance(served, paths["standings"]).status == 200
    lock_round(pool.competition.rounds.get(number=1))
    assert glance(served, paths["standings"]).status == 202


def test_where_pages_are_not_kept_there_is_nothing_to_see(paths, settings):
    ask(paths["pool"])
    settings.KEEP_PAGES = False

    def behind(environ, start_response):
        start_response("202 Went on", [])
        return [b""]

    gate = Gate(behind, shares=Shares(at_once=4, waiting=8), longest_wait=5, body_limit=100)
    with Served(gate) as front:
        assert glance(front, paths["pool"]).status == 202
