"""Counting in Redis: both ways in the same windows, over connections that break."""

import socket
import time

import pytest
from django.core.cache import caches
from django.test import RequestFactory

from config.api import counting
from config.api.counting import Window, add_one, add_to_all
from config.connections import cache

REQUEST = RequestFactory().get("/")
A, B = Window("read", 100, 60, "somebody"), Window("write", 50, 30, "somebody")


def test_both_ways_count_in_the_same_windows():
    counts = [add_to_all([A])[0].used, add_one(A, REQUEST).used, add_to_all([A])[0].used, add_one(A, REQUEST).used]
    assert counts == [1, 2, 3, 4]


def test_several_are_counted_apart_and_in_their_order():
    add_to_all([A])
    assert [count.used for count in add_to_all([A, B])] == [2, 1]


def test_a_window_begins_with_its_first_call_and_ends_by_itself():
    (count,) = add_to_all([A])
    assert 1 <= count.seconds_left <= 60
    assert 0 < caches["limits"].ttl(A.key(A.ends_at)) <= 65


def test_a_call_can_be_taken_back():
    add_to_all([A])[0].take_back()
    assert add_to_all([A])[0].used == 1


def test_a_connection_that_was_closed_meanwhile_is_opened_again():
    add_to_all([A])
    counting._line().connection._sock.shutdown(socket.SHUT_RDWR)
    assert add_to_all([A])[0].used == 2


def test_without_redis_nobody_counts_and_only_the_first_asks(settings):
    settings.CACHES = {
        **settings.CACHES,
        "limits": cache("redis://127.0.0.1:1/0", environment="local", forgiving=False),
    }
    assert add_to_all([A]) is None
    assert counting.is_resting()
    assert add_one(A, REQUEST) is None


def test_an_answer_that_comes_too_late_is_never_taken_for_another(settings):
    """The connection on which it was awaited is not used again."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        settings.CACHES = {**settings.CACHES, "limits": cache(url, environment="local", forgiving=False)}
        began = time.monotonic()
        assert add_to_all([A]) is None
        assert time.monotonic() - began < 5
        assert not counting._line().connection.is_connected


@pytest.mark.parametrize("window", [A, B])
def test_a_window_has_the_librarys_own_name(window):
    add_one(window, REQUEST)
    assert caches["limits"].get(window.key(window.ends_at)) == 1
