"""Reading versions: many askers, few statements, never an answer older than the question."""

import os
import threading
import time

import pytest

from config.pages.versions import Version, Versions


class Counter:
    """A house whose version is a number, and whose statement takes as long as it is told to."""

    def __init__(self):
        self.number, self.asked, self.at_once, self.most = 0, [], 0, 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.begun = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, keys):
        with self._lock:
            self.asked.append(set(keys))
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        # As a statement does: it sees what was committed when it began.
        seen = self.number
        self.begun.set()
        assert self.may_answer.wait(5)
        with self._lock:
            self.at_once -= 1
        return {key: Version(str(seen), 0.0) for key in keys if key > 0}


def in_threads(do, count):
    found = []
    threads = [threading.Thread(target=lambda: found.append(do())) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, found


def test_one_who_asks_alone_asks_at_once():
    house = Counter()
    assert Versions(house).read(7) == Version("0", 0.0)
    assert house.asked == [{7}]


def test_what_is_not_there_has_no_version():
    assert Versions(Counter()).read(-1) is None


def test_who_comes_while_one_is_asked_waits_for_the_next_and_sees_what_was_committed_before(monkeypatch):
    monkeypatch.setattr("config.pages.versions.PATIENCE", 5)
    house = Counter()
    versions = Versions(house)
    house.may_answer.clear()
    first, first_found = in_threads(lambda: versions.read(1), 1)
    assert house.begun.wait(5)
    house.number = 1
    others, found = in_threads(lambda: versions.read(2), 9)
    while versions._askers.qsize() < 9:
        time.sleep(0.001)
    house.may_answer.set()
    for thread in [*first, *others]:
        thread.join(5)
    assert first_found == [Version("0", 0.0)]
    assert found == [Version("1", 0.0)] * 9
    assert house.most == 1
    assert len(house.asked) < 10


def test_many_at_once_never_see_less_than_what_was_there_when_they_asked():
    house = Counter()
    versions = Versions(house)
    wrong = []

    def ask():
        for _ in range(200):
            before = house.number
            found = versions.read(1)
            if int(found.text) < before:
                wrong.append((before, found))

    threads, _ = in_threads(ask, 8)
    while any(thread.is_alive() for thread in threads):
        house.number += 1
        time.sleep(0.0005)
    assert wrong == []


def test_where_the_statement_fails_each_is_told():
    def fail(keys):
        raise OSError("gone")

    versions = Versions(fail)
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            versions.read(1)


def test_one_that_takes_too_long_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("config.pages.versions.PATIENCE", 0.01)
    house = Counter()
    versions = Versions(house)
    house.may_answer.clear()
    first, _ = in_threads(lambda: versions.read(1), 1)
    assert house.begun.wait(5)
    other, found = in_threads(lambda: versions.read(2), 1)
    while len(house.asked) < 2:
        time.sleep(0.001)
    house.may_answer.set()
    for thread in [*first, *other]:
        thread.join(5)
    assert found == [Version("0", 0.0)]


def test_while_one_takes_too_long_nobody_else_begins_to_wait(monkeypatch):
    monkeypatch.setattr("config.pages.versions.PATIENCE", 0.05)
    house = Counter()
    versions = Versions(house)
    house.may_answer.clear()
    first, _ = in_threads(lambda: versions._shared(1), 1)
    assert house.begun.wait(5)
    first[0].join(5)
    time.sleep(0.06)
    assert versions._shared(2) is None
    assert versions._askers.qsize() == 0
    house.may_answer.set()
    while versions._shared(3) is None:
        time.sleep(0.001)
    assert {2} not in house.asked


def test_a_child_asks_for_itself():
    versions = Versions(Counter())
    versions.read(1)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, versions.read(7).text.encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 8) == b"0"
