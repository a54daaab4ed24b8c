"""Whoever does not read is dropped, while those who do go on."""

import contextlib

import pytest
from django.db import transaction

from config.local.benches.listening import resident
from pools.models import EventKind, PoolEvent
from tests.factories.pools import PoolFactory
from tests.support.live import heard
from tests.support.running import wait_for

AT_ONCE, TIMES, BYTES = 60, 20, 4000
pytestmark = pytest.mark.slow


def tell_much(pool) -> None:
    """More than is kept for anybody."""
    with transaction.atomic():
        PoolEvent.objects.bulk_create(
            PoolEvent(pool=pool, kind=EventKind.ROUND_REVEALED, data={"filling": "x" * BYTES}) for _ in range(AT_ONCE)
        )


def drained(connection) -> int:
    """How many bytes were left to read until the other side had hung up."""
    count = 0
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            count += len(part)
    return count


def test_sockets_that_nobody_reads_are_dropped_and_the_others_hear_everything(live):
    pool = PoolFactory()
    sleepers = [live.plain(pool) for _ in range(20)]
    with live.listen(pool) as reader:
        heard(reader, 1)
        before = resident(live.process.pid)
        numbers = []
        for _ in range(TIMES):
            tell_much(pool)
            numbers += [message["id"] for message in heard(reader, AT_ONCE)]
        grown = resident(live.process.pid) - before

    told = AT_ONCE * TIMES * BYTES
    assert numbers == list(range(1, AT_ONCE * TIMES + 1))
    assert all(drained(sleeper) < told / 10 for sleeper in sleepers)
    # Of the twenty that sleep no more was kept than of one.
    assert grown * 1024 < told * 3


def test_a_stream_that_nobody_reads_is_dropped(live):
    pool = PoolFactory()
    with live.stream(pool) as sleeper:
        assert sleeper.message()["type"] == "snapshot"
        with live.listen(pool) as reader:
            heard(reader, 1)
            for _ in range(TIMES * 2):
                tell_much(pool)
                heard(reader, AT_ONCE)
        numbers = []
        while (found := sleeper.next()) is not None:
            numbers.append(int(found["id"]))

    assert len(numbers) < AT_ONCE * TIMES * 2
    assert numbers == list(range(1, len(numbers) + 1))


def test_somebody_who_never_asks_for_anything_is_hung_up_on(live):
    import socket

    silent = socket.create_connection(("127.0.0.1", live.port), timeout=30)
    endless = socket.create_connection(("127.0.0.1", live.port), timeout=30)
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            endless.sendall(b"GET / HTTP/1.1\r\nX-Filling: " + b"x" * 1000)
    assert drained(endless) == 0
    assert drained(silent) == 0


def test_the_address_that_has_too_many_waits_and_its_places_come_back(live):
    pool = PoolFactory()
    live.stop()
    live.env |= {"LIVE_CLIENTS_PER_ADDRESS": "2", "RATE_LIMIT_SCALE": "1"}
    live.start()
    with live.listen(pool) as first, live.stream(pool) as second:
        assert (heard(first, 1)[0]["type"], second.message()["type"]) == ("snapshot", "snapshot")
        status, headers, _ = live.ask(f"/api/v1/pools/{pool.pk}/events")
        assert (status, headers["retry-after"]) == (429, "10")

    with wait_for(lambda: _again(live, pool)) as third:
        assert heard(third, 1)[0]["type"] == "snapshot"


def test_whoever_leaves_while_coming_in_leaves_no_place_taken(live):
    pool = PoolFactory()
    live.stop()
    live.env |= {"LIVE_CLIENTS_PER_ADDRESS": "3", "RATE_LIMIT_SCALE": "1"}
    live.start()
    for _ in range(30):
        live.plain(pool).close()

    with wait_for(lambda: _again(live, pool)) as first, wait_for(lambda: _again(live, pool)) as second:
        assert [heard(each, 1)[0]["type"] for each in (first, second)] == ["snapshot", "snapshot"]


def _again(live, pool):
    from websockets.exceptions import InvalidStatus

    try:
        return live.listen(pool)
    except InvalidStatus:
        return None
