"""Reading versions from an event loop: many askers, few statements, never an answer older than the question."""

import asyncio
import threading
from queue import SimpleQueue

import pytest

from config.pages.asking import LoopVersions, OneThread
from config.pages.versions import Version
from tests.config.pages.test_versions import Counter


@pytest.fixture
def run():
    """Runs what asks, with a thread for the statements."""
    executor = OneThread("versions")

    def run(house, what):
        async def main():
            loop = asyncio.get_running_loop()
            return await asyncio.wait_for(what(LoopVersions(house, loop, executor)), 10)

        return asyncio.run(main())

    yield run
    executor.shutdown()


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_who_asks_together_is_asked_for_together(run):
    house = Counter()

    async def ask(versions):
        return await asyncio.gather(*(versions.read(key) for key in (1, 2, 2, -1)))

    assert run(house, ask) == [Version("0", 0.0)] * 3 + [None]
    assert house.asked == [{1, 2, -1}]


def test_who_comes_while_one_is_asked_waits_for_the_next_and_sees_what_was_committed_before(run, monkeypatch):
    monkeypatch.setattr("config.pages.asking.PATIENCE", 5)
    house = Counter()
    house.may_answer.clear()

    async def ask(versions):
        first = versions.read(1)
        await until(house.begun.is_set)
        house.number = 1
        others = [versions.read(2) for _ in range(9)]
        await asyncio.sleep(0.01)
        assert len(house.asked) == 1
        house.may_answer.set()
        return await first, await asyncio.gather(*others)

    first, others = run(house, ask)
    assert (first, others) == (Version("0", 0.0), [Version("1", 0.0)] * 9)
    assert (house.asked, house.most) == ([{1}, {2}], 1)


def test_many_never_see_less_than_what_was_there_when_they_asked(run):
    house, over = Counter(), threading.Event()

    def changing():
        while not over.wait(0.0003):
            house.number += 1

    async def ask(versions):
        async def one():
            for _ in range(200):
                before = house.number
                assert int((await versions.read(1)).text) >= before

        await asyncio.gather(*(one() for _ in range(8)))

    thread = threading.Thread(target=changing)
    thread.start()
    try:
        run(house, ask)
    finally:
        over.set()
        thread.join()
    assert house.number > 10
    assert house.most == 1


def test_where_asking_fails_nobody_knows_and_the_next_is_asked_for(run):
    answers = [OSError("gone"), {1: Version("7", 0.0)}]

    def house(keys):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask(versions):
        return [await versions.read(1), await versions.read(1)]

    assert run(house, ask) == [None, Version("7", 0.0)]


def test_one_that_takes_too_long_is_not_waited_for_and_nobody_begins_to_wait(run, monkeypatch):
    monkeypatch.setattr("config.pages.asking.PATIENCE", 0.05)
    house = Counter()
    house.may_answer.clear()

    async def ask(versions):
        first = versions.read(1)
        await until(house.begun.is_set)
        assert [await first, await versions.read(2)] == [None, None]
        late = versions.read(2)
        assert (late.done(), late.result()) == (True, None)
        house.may_answer.set()
        while (found := await versions.read(3)) is None:
            await asyncio.sleep(0.001)
        return found

    assert run(house, ask) == Version("0", 0.0)
    assert {2} not in house.asked


def test_a_thread_does_all_that_it_was_given_in_order_and_then_goes():
    done, executor = SimpleQueue(), OneThread("of a test")
    for number in range(100):
        executor.submit(lambda one: done.put((one, threading.current_thread())), number)
    found = [done.get(timeout=10) for _ in range(100)]
    executor.shutdown()
    [worker] = {thread for _, thread in found}
    worker.join(10)
    assert [number for number, _ in found] == list(range(100))
    assert not worker.is_alive()
