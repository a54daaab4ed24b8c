"""Topics and listeners by themselves: what whoever joins, comes back or does not read is told."""

import asyncio
import json
import time

import pytest

from config.live import hub as hubs
from config.live.hub import LINGER_SECONDS, LONGEST_WAY_BACK, REMEMBERED, Hub
from config.live.listener import LONGEST_QUEUE, Closing, Listener, TooSlow
from config.live.reader import AT_A_TIME, Reader
from config.live.source import Event
from config.live.words import event_message
from tests.config.live.memory import AT, ListSource

# The source is asked in a thread, which looks after Django's connections.
pytestmark = pytest.mark.django_db


def run(work):
    return asyncio.run(asyncio.wait_for(work, 30))


async def joined(hub: Hub, seen: int | None = None, topic: int = 1):
    found = await hub.join(topic, seen)
    assert found is not None
    return found


def numbers(messages) -> list[int]:
    return [message.number for message in messages]


def test_whoever_comes_gets_a_snapshot_and_then_events():
    async def evening():
        source = ListSource(last=3)
        hub = Hub(source)
        listener, first = await joined(hub)
        source.tell()
        source.tell()
        await Reader(hub).look()
        return first, await listener.take()

    [snapshot], later = run(evening())

    assert json.loads(snapshot.text) == {
        "type": "snapshot", "id": 3, "at": "2026-09-10T00:20:00.000Z", "pool": 1, "data": {"told": 3},
    }  # fmt: skip
    assert json.loads(later[0].text) == {
        "type": "event", "id": 4, "kind": "round.revealed", "at": "2026-09-10T00:20:00.000Z", "pool": 1,
        "data": {"round": 7},
    }  # fmt: skip
    assert later[1].stream == b"id: 5\nevent: round.revealed\ndata: " + later[1].text.encode() + b"\n\n"


@pytest.mark.parametrize("in_memory", [0, 3, 10])
@pytest.mark.parametrize("seen", range(11))
def test_whoever_comes_back_is_told_the_rest_from_any_event_on(seen, in_memory):
    async def evening():
        source = ListSource(last=10 - in_memory)
        hub = Hub(source)
        await joined(hub)
        for _ in range(in_memory):
            source.tell()
        await Reader(hub).look()
        listener, first = await joined(hub, seen)
        source.tell()
        await Reader(hub).look()
        return numbers(first), numbers(await listener.take()), source.snapshots

    first, later, snapshots = run(evening())

    assert (first, later, snapshots) == (list(range(seen + 1, 11)), [11], 1)


def test_what_another_process_has_told_already_is_not_told_again():
    async def evening():
        source = ListSource(last=2)
        hub = Hub(source)
        await joined(hub)
        source.tell()
        source.tell()
        # Ours has not looked yet; the client has heard of 4 elsewhere.
        listener, first = await joined(hub, 4)
        source.tell()
        await Reader(hub).look()
        return first, numbers(await listener.take())

    assert run(evening()) == ([], [5])


def test_too_long_away_or_a_number_never_given_begins_with_a_snapshot():
    async def evening():
        source = ListSource(last=LONGEST_WAY_BACK + 5)
        hub = Hub(source)
        kinds = [json.loads((await joined(hub, seen))[1][0].text)["type"] for seen in (4, 5, LONGEST_WAY_BACK + 6)]
        source.forget(up_to=100)
        return kinds, json.loads((await joined(hub, 50))[1][0].text)["type"]

    assert run(evening()) == (["snapshot", "event", "snapshot"], "snapshot")


def test_a_snapshot_is_built_once_for_all_who_come_at_the_same_version():
    async def evening():
        source = ListSource(last=1)
        hub = Hub(source)
        await asyncio.gather(*(joined(hub) for _ in range(50)))
        before = source.snapshots
        source.tell()
        await Reader(hub).look()
        await asyncio.gather(*(joined(hub) for _ in range(50)))
        return before, source.snapshots

    assert run(evening()) == (1, 2)


def test_all_who_listen_cost_one_question():
    async def evening():
        source = ListSource()
        source.tell(topic=2)
        hub = Hub(source)
        for topic in (1, 2, 3):
            await asyncio.gather(*(joined(hub, topic=topic) for _ in range(30)))
        asked = source.asked
        await Reader(hub).look()
        return source.asked - asked

    assert run(evening()) == 1


def test_nobody_joins_what_is_not_there():
    assert run(Hub(ListSource()).join(404)) is None


def test_whoever_does_not_read_is_dropped_and_the_others_go_on():
    async def evening():
        source = ListSource()
        hub = Hub(source)
        reads, sleeps = (await joined(hub))[0], (await joined(hub))[0]
        heard = []
        for _ in range(3):
            for _ in range(LONGEST_QUEUE // 2):
                source.tell()
            await Reader(hub).look()
            heard += numbers(await reads.take())
        with pytest.raises(TooSlow):
            await sleeps.take()
        return heard, len(hub.topics[1].listeners)

    heard, left = run(evening())

    assert (heard, left) == (list(range(1, len(heard) + 1)), 1)
    assert len(heard) == LONGEST_QUEUE // 2 * 3


def test_what_waits_for_one_client_is_bounded_and_let_go():
    listener = Listener(0)
    messages = [event_message("pool", Event(1, number, "x", AT, {})) for number in range(1, LONGEST_QUEUE + 2)]

    assert listener.offer(messages[:-1]) is True
    assert listener.offer(messages[-1:]) is False
    assert not listener._waiting


def test_a_season_at_once_comes_in_parts_so_that_those_who_read_are_not_dropped():
    async def evening():
        source = ListSource()
        hub = Hub(source)
        listener, _ = await joined(hub)
        for _ in range(LONGEST_QUEUE * 2):
            source.tell()

        async def read():
            heard = []
            while len(heard) < LONGEST_QUEUE * 2:
                heard += numbers(await listener.take())
            return heard

        reading = asyncio.create_task(read())
        await Reader(hub).look()
        return await reading

    assert run(evening()) == list(range(1, LONGEST_QUEUE * 2 + 1))
    assert AT_A_TIME < LONGEST_QUEUE


def test_memory_of_a_topic_is_bounded():
    async def evening():
        source = ListSource()
        hub = Hub(source)
        await joined(hub)
        for _ in range(REMEMBERED + 50):
            source.tell()
        await Reader(hub).look()
        return len(hub.topics[1].recent)

    assert run(evening()) == REMEMBERED


def test_a_gap_sends_everybody_back_instead_of_over_it():
    async def evening():
        source = ListSource()
        hub = Hub(source)
        listener, _ = await joined(hub)
        for _ in range(3):
            source.tell()
        source.forget(up_to=1)
        await Reader(hub).look()
        with pytest.raises(Closing):
            await listener.take()
        return json.loads((await joined(hub, 0))[1][0].text)["type"]

    assert run(evening()) == "snapshot"


def test_a_topic_without_listeners_is_followed_for_a_while(monkeypatch):
    async def evening():
        hub = Hub(ListSource())
        listener, _ = await joined(hub)
        hub.leave(1, listener)
        soon = hub.seen()
        now = time.monotonic()
        monkeypatch.setattr(hubs.time, "monotonic", lambda: now + LINGER_SECONDS + 1)
        return soon, hub.seen()

    assert run(evening()) == ({1: 0}, {})


def test_when_it_closes_everybody_is_sent_away_also_who_comes_then():
    async def evening():
        hub = Hub(ListSource())
        listener, _ = await joined(hub)
        hub.close()
        late, _ = await joined(hub)
        for one in (listener, late):
            with pytest.raises(Closing):
                await one.take()

    run(evening())
