"""Ids from many bytes at once: never the same ones twice, in no thread and no child."""

import os
import threading
from uuid import RFC_4122, UUID

import pytest

from config.chance import AT_ONCE, some_bytes, some_id


def test_they_are_as_long_as_asked_and_never_alike():
    found = [some_bytes(length) for length in (1, 8, 16, 4000) * 500]
    assert [len(one) for one in found] == [1, 8, 16, 4000] * 500
    ids = [some_bytes(16) for _ in range(5000)]
    assert len(set(ids)) == len(ids)


def test_no_two_threads_have_the_same():
    found = []

    def take():
        found.extend([some_bytes(16) for _ in range(1000)])

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(set(found)) == 8000


@pytest.mark.parametrize("taken", [1, AT_ONCE])
def test_a_child_goes_on_with_others(taken):
    some_bytes(taken)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, some_bytes(16))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 16) != some_bytes(16)


def test_uuids_are_random_ones():
    made = {UUID(some_id()) for _ in range(100)}
    assert {(one.version, one.variant) for one in made} == {(4, RFC_4122)}
    assert len({some_id() for _ in range(1000)}) == 1000
