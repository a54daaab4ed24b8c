"""What a listener is told over a WebSocket: by the running process, from real commits."""

import json

import pytest
from django.db import transaction
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pools.models import EventKind, PoolEvent, PoolStatus
from tests.factories.pools import CODES, PoolFactory, league
from tests.support.live import heard
from tests.support.playing import enter, play_as_told

K = EventKind
pytestmark = pytest.mark.slow


def tell(pool, *rounds: int) -> None:
    """One event each, committed together."""
    with transaction.atomic():
        for number in rounds:
            PoolEvent.objects.create(pool=pool, kind=K.ROUND_REVEALED, data={"round": number})


def closed_with(client) -> int:
    """After whatever was said before."""
    while True:
        try:
            client.recv(timeout=20)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0


def test_a_round_is_told_from_its_lock_to_the_end_of_the_pool(live):
    pool = PoolFactory(competition=league(rounds=2, codes=CODES[:4]))
    winner, loser = enter(pool, "ANT"), enter(pool, "BAT")

    with live.listen(pool) as client:
        [snapshot] = heard(client, 1)
        play_as_told(pool.competition.rounds.get(number=1))
        told = heard(client, 7)

    assert (snapshot["type"], snapshot["id"], snapshot["pool"]) == ("snapshot", 0, pool.pk)
    assert snapshot["data"]["pool"]["entries_active"] == 2
    assert [each["number"] for each in snapshot["data"]["rounds"]] == [1]
    assert [each["id"] for each in told] == list(range(1, 8))
    assert [each["kind"] for each in told] == [
        K.ROUND_LOCKED, K.ROUND_REVEALED, K.GAME_FINAL, K.GAME_FINAL, K.ENTRIES_ELIMINATED, K.WINNERS_DECLARED,
        K.POOL_ENDED,
    ]  # fmt: skip
    assert told[4]["data"]["entries"] == [loser.pk]
    assert told[5]["data"]["entries"][0]["entry"] == winner.pk


def test_at_whatever_event_the_line_is_cut_nothing_is_missed_or_told_twice(live):
    pool = PoolFactory()
    tell(pool, 1, 2)
    with live.listen(pool) as client:
        assert heard(client, 1)[0]["id"] == 2
        tell(pool, 3, 4, 5)
        heard(client, 3)

    for cut in range(6):
        with live.listen(pool, seen=cut) as client:
            tell(pool, 6 + cut)
            assert [each["id"] for each in heard(client, 6)] == list(range(cut + 1, 7 + cut))[:6]


def test_whoever_comes_back_after_the_process_was_replaced_is_told_what_was_missed(live):
    pool = PoolFactory()
    with live.listen(pool) as client:
        heard(client, 1)
        live.stop()
        assert closed_with(client) == 1012
    tell(pool, 1, 2)
    live.start()

    with live.listen(pool, seen=0) as client:
        assert [each["id"] for each in heard(client, 2)] == [1, 2]


@pytest.mark.parametrize("seen", [3, 99, 10**17])
def test_a_number_that_was_never_given_begins_anew(live, seen):
    pool = PoolFactory()
    tell(pool, 1, 2)

    with live.listen(pool, seen=seen) as client:
        assert [(each["type"], each["id"]) for each in heard(client, 1)] == [("snapshot", 2)]


def test_what_was_forgotten_begins_anew(live):
    pool = PoolFactory()
    tell(pool, 1, 2, 3)
    from django.db import connection

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM pools_poolevent WHERE number < 3")

    with live.listen(pool, seen=1) as again, live.listen(pool, seen=2) as soon:
        assert heard(again, 1)[0]["type"] == "snapshot"
        assert heard(soon, 1)[0]["id"] == 3


def test_nobody_is_told_of_another_pool(live):
    pool, other = PoolFactory(), PoolFactory()
    with live.listen(pool) as client:
        heard(client, 1)
        tell(other, 1)
        tell(pool, 2)
        assert [(each["id"], each["data"]) for each in heard(client, 1)] == [(1, {"round": 2})]


def test_a_draft_is_there_for_nobody(live):
    pool = PoolFactory(status=PoolStatus.DRAFT)
    with live.listen(pool) as client, live.listen(10**17) as unknown:
        assert (closed_with(client), closed_with(unknown)) == (4404, 4404)


@pytest.mark.parametrize("number", ["-1", "x", "1e9", "9" * 19, "٣", "%00"])
def test_a_number_that_is_none_is_refused(live, number):
    with live.listen(PoolFactory(), seen=number) as client:
        assert closed_with(client) == 4400


@pytest.mark.parametrize("path", ["ws/pools/x", "ws/pools/", "ws/pools/" + "9" * 19, "ws/other/1", ""])
def test_no_other_address_takes_sockets(live, path):
    from websockets.sync.client import connect

    with pytest.raises(InvalidStatus) as caught:
        connect(f"ws://127.0.0.1:{live.port}/{path}", proxy=None)
    assert caught.value.response.status_code == 404


def test_pages_of_other_origins_are_turned_away(live, settings):
    pool = PoolFactory()
    with pytest.raises(InvalidStatus) as caught:
        live.listen(pool, origin="https://elsewhere.example")
    assert caught.value.response.status_code == 403
    assert json.loads(caught.value.response.body)["error"]["code"] == "FORBIDDEN"

    with live.listen(pool, origin=settings.PUBLIC_URL) as client:
        assert heard(client, 1)[0]["type"] == "snapshot"


@pytest.mark.parametrize(("said", "code"), [("hello", 1008), (b"\0", 1008), ("x" * 2000, 1009), ("x" * 10**6, 1009)])
def test_whoever_says_anything_is_hung_up_on(live, said, code):
    with live.listen(PoolFactory()) as client:
        heard(client, 1)
        client.send(said)
        assert closed_with(client) == code


@pytest.mark.parametrize(
    "frame",
    [
        b"\x81\x05hello",  # not masked
        b"\xf1\x80\0\0\0\0",  # reserved bits
        b"\x83\x80\0\0\0\0",  # an opcode that there is not
        b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # says that it is huge
        b"\x09\x80\0\0\0\0",  # a ping in parts
        b"\x81\x82\0\0\0\0\xff\xff",  # not UTF-8
    ],
)
def test_a_malformed_frame_ends_the_connection_and_nothing_else(live, frame):
    pool = PoolFactory()
    with live.listen(pool) as good:
        heard(good, 1)
        bad = live.plain(pool)
        bad.recv(300)
        bad.sendall(frame)
        while bad.recv(65536):
            pass
        tell(pool, 1)
        assert heard(good, 1)[0]["id"] == 1
