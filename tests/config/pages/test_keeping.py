"""Keeping pages: in this process, in Redis, and without it; one builder at a time, and nobody held up by a dead one."""

import threading
import time

import pytest
from django.core.cache import caches
from redis.exceptions import ConnectionError as RedisGone

from config.api.envelope import Encoded
from config.pages import keeping
from config.pages.keeping import Keeper, kept
from config.pages.registry import Shown
from config.pages.versions import Version

NEVER = float("inf")
ONE, TWO = Version("1", 100.0), Version("2", 100.0)


class Builder:
    """Builds a page that says which building it is."""

    def __init__(self, until=NEVER):
        self.until, self.times = until, 0
        self.may_build = threading.Event()
        self.may_build.set()

    def __call__(self, version):
        self.times += 1
        said = self.times
        assert self.may_build.wait(10)
        encoded = Encoded(b'{"built":%d}' % said, {"page": 1, "next_cursor": None})
        return kept(Shown(encoded, (1, 2)), version, self.until)


@pytest.fixture
def build():
    return Builder()


def find(keeper, version, build, name="/page?"):
    return keeper.find("page", name, version, build)


def built(page):
    return page.data.decode()


def test_a_page_is_built_once_for_a_version(build):
    keeper = Keeper()
    assert [built(find(keeper, ONE, build)) for _ in range(3)] == ['{"built":1}'] * 3
    assert built(find(keeper, TWO, build)) == '{"built":2}'
    # The version before is not given out again, whoever still asks for it.
    assert build.times == 2


def test_another_process_takes_it_from_redis_whole(build):
    mine = find(Keeper(), ONE, build)
    assert find(Keeper(), ONE, build) == mine
    assert build.times == 1


@pytest.mark.parametrize(("until", "now", "times"), [(101.0, 100.9, 1), (101.0, 101.0, 2), (101.0, 150.0, 2)])
def test_at_its_instant_it_is_over_here_and_in_redis(until, now, times):
    build = Builder(until)
    keeper = Keeper()
    find(keeper, ONE, build)
    find(keeper, Version("1", now), build)
    find(Keeper(), Version("1", now), build)
    assert build.times == times + (times - 1)


def test_what_holds_at_no_instant_is_for_its_caller_alone():
    build = Builder(0.0)
    keeper = Keeper()
    assert [built(find(keeper, ONE, build)) for _ in range(2)] == ['{"built":1}', '{"built":2}']
    assert find(Keeper(), ONE, build).until == 0.0


def test_what_nobody_may_see_is_kept_by_nobody():
    keeper = Keeper()
    assert find(keeper, ONE, lambda version: None) is None
    assert keeper.at_hand("/page?", ONE) is None


class TestRedis:
    def test_flushed_it_is_built_again_and_kept_again(self, build):
        find(Keeper(), ONE, build)
        caches["limits"].clear()
        assert built(find(Keeper(), ONE, build)) == '{"built":2}'

    def test_gone_each_process_builds_for_itself_and_asks_no_more_for_a_while(self, build, monkeypatch):
        asked = []

        def gone(alias):
            asked.append(alias)
            raise RedisGone

        monkeypatch.setattr(keeping, "get_redis_connection", gone)
        keeper = Keeper()
        assert [built(find(keeper, ONE, build)) for _ in range(3)] == ['{"built":1}'] * 3
        assert built(find(keeper, TWO, build)) == '{"built":2}'
        assert len(asked) == 1

    def test_back_again_it_is_asked_again(self, build, monkeypatch):
        keeper = Keeper()
        keeper.redis._rests_until = time.monotonic() + 60
        find(keeper, ONE, build)
        keeper.redis._rests_until = 0.0
        find(keeper, TWO, build)
        assert built(find(Keeper(), TWO, build)) == '{"built":2}'

    @pytest.mark.parametrize("rubbish", [b"", b"{}", b"\x80", b'{"until": 1}\nx', b"null\n"])
    def test_rubbish_in_it_is_no_page(self, build, rubbish):
        keeper = Keeper()
        keeper.redis._try(lambda client: client.set(keeping._key("/page?", "1"), rubbish))
        assert built(find(keeper, ONE, build)) == '{"built":1}'


class TestOneBuilder:
    def test_the_threads_of_a_process_wait_for_the_first(self, build, monkeypatch):
        monkeypatch.setattr(keeping, "PATIENCE", 10)
        keeper = Keeper()
        build.may_build.clear()
        found = []
        threads = [threading.Thread(target=lambda: found.append(built(find(keeper, ONE, build)))) for _ in range(8)]
        for thread in threads:
            thread.start()
        while not build.times:
            time.sleep(0.001)
        build.may_build.set()
        for thread in threads:
            thread.join(10)
        assert (found, build.times) == (['{"built":1}'] * 8, 1)

    def test_another_process_waits_for_it_too(self, build, monkeypatch):
        monkeypatch.setattr(keeping, "PATIENCE", 10)
        build.may_build.clear()
        found = []

        def ask():
            found.append(built(find(Keeper(), ONE, build)))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        threads[0].start()
        while not build.times:
            time.sleep(0.001)
        threads[1].start()
        time.sleep(0.1)
        build.may_build.set()
        for thread in threads:
            thread.join(10)
        assert (found, build.times) == (['{"built":1}'] * 2, 1)

    def test_a_builder_that_was_killed_holds_nobody_up(self, build, monkeypatch):
        monkeypatch.setattr(keeping, "PATIENCE", 0.2)
        # Its claim is left behind.
        assert Keeper().redis.claim("/page?", "1")
        assert Keeper().redis.claim("/page?", "1") is None
        assert built(find(Keeper(), ONE, build)) == '{"built":1}'

    def test_one_that_fails_leaves_it_to_the_next(self, build):
        def fail(version):
            raise OSError("gone")

        keeper = Keeper()
        with pytest.raises(OSError, match="gone"):
            find(keeper, ONE, fail)
        assert built(find(keeper, ONE, build)) == '{"built":1}'


def test_memory_has_an_end(build, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_PAGES", 3)
    keeper = Keeper()
    keeper.redis._rests_until = time.monotonic() + 60
    for number in range(5):
        find(keeper, ONE, build, f"/{number}?")
    assert [keeper.at_hand(f"/{number}?", ONE) is not None for number in range(5)] == [False, False, True, True, True]
    assert keeper._bytes == sum(keeping._size(page) for page in keeper._pages.values())
