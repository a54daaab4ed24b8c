"""Topics and who listens to them, within one process. Everything here runs on the event loop, but for the source."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter

from channels.db import database_sync_to_async

from config.live import figures
from config.live.listener import Closing, Listener
from config.live.source import Event, Source
from config.live.words import Message, event_message, snapshot_message

# Events kept in memory for each topic: whoever comes back soon is not looked up in the database.
REMEMBERED = 512
# What somebody who comes back may have missed; beyond it a snapshot is shorter.
LONGEST_WAY_BACK = 1000
# Seconds. Numbers that no event tells, such as entries that came in, may be so old in a snapshot.
SNAPSHOT_SECONDS = 5.0
# So often somebody is overtaken by what happens while joining.
TRIES = 5
# How long a topic that nobody listens to is followed: most come back at once.
LINGER_SECONDS = 60.0


class Busy(Exception):
    """Things happen faster than a client can join; it may come back."""


class Topic:
    """What is known of one topic: the newest number, the latest messages, and who listens."""

    def __init__(self, key: int, last: int) -> None:
        self.key = key
        self.last = last
        self.recent: deque[Message] = deque(maxlen=REMEMBERED)
        self.listeners: set[Listener] = set()
        self.building = asyncio.Lock()
        self.snapshot: Message | None = None
        self.snapshot_at = 0.0
        self.left_at = time.monotonic()

    def after(self, number: int) -> list[Message] | None:
        """The messages above a number; None where memory does not reach back that far."""
        if number < self.last and (not self.recent or self.recent[0].number > number + 1):
            return None
        return [message for message in self.recent if message.number > number]


class Hub:
    """All topics of this process."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.topics: dict[int, Topic] = {}
        self._opening = asyncio.Lock()
        self.is_closing = False

    async def join(
        self, key: int, seen: int | None = None, on_drop: Callable[[], object] = lambda: None
    ) -> tuple[Listener, list[Message]] | None:
        """A new listener, and what it is to be told first; None where nobody may listen to the topic.

        Whoever says up to which number it has seen everything gets what came after, if that is not too long ago; else,
        as everybody else, a snapshot and what came after that.
        """
        for _ in range(TRIES):
            topic = await self._topic(key)
            if topic is None:
                return None
            first = None if seen is None else await self._missed(topic, seen)
            if first is None:
                first = [await self._snapshot(topic)]
            reached = first[-1].number if first else seen or 0
            # No await from here on: what is published meanwhile would be missed.
            if (rest := topic.after(reached)) is not None and self.topics.get(key, topic) is topic:
                first += rest
                return self._joined(topic, Listener(first[-1].number if first else reached, on_drop)), first
        raise Busy

    def leave(self, key: int, listener: Listener) -> None:
        """The client is gone."""
        topic = self.topics.get(key)
        if topic is not None:
            topic.listeners.discard(listener)
            topic.left_at = time.monotonic()

    def seen(self) -> dict[int, int]:
        """The newest number of each topic; those that nobody has listened to for a while are let go."""
        long_ago = time.monotonic() - LINGER_SECONDS
        for key in [key for key, topic in self.topics.items() if not topic.listeners and topic.left_at < long_ago]:
            del self.topics[key]
        return {key: topic.last for key, topic in self.topics.items()}

    def publish(self, events: Sequence[Event]) -> None:
        """Hand events on, which come by topic and number."""
        for key, group in groupby(events, key=attrgetter("topic")):
            topic = self.topics.get(key)
            if topic is not None:
                self._publish(topic, [event for event in group if event.number > topic.last])

    def close(self, why: type[Exception] = Closing) -> None:
        """Everybody is asked to come back later."""
        self.is_closing = True
        for topic in self.topics.values():
            self._end(topic, why)

    def _joined(self, topic: Topic, listener: Listener) -> Listener:
        if self.is_closing:
            listener.end(Closing)
        topic.listeners.add(listener)
        self.topics[topic.key] = topic
        return listener

    def _publish(self, topic: Topic, events: Sequence[Event]) -> None:
        if not events:
            return
        if events[0].number != topic.last + 1:
            # The database is another one, or events were forgotten before we read them: begin anew.
            self._end(topic, Closing)
            del self.topics[topic.key]
            return
        messages = [event_message(self.source.noun, event) for event in events]
        topic.recent.extend(messages)
        topic.last = messages[-1].number
        slow = [listener for listener in topic.listeners if not listener.offer(messages)]
        topic.listeners.difference_update(slow)
        figures.tell(events, listeners=len(topic.listeners))

    def _end(self, topic: Topic, why: type[Exception]) -> None:
        for listener in topic.listeners:
            listener.end(why)
        topic.listeners.clear()

    async def _topic(self, key: int) -> Topic | None:
        if key in self.topics:
            return self.topics[key]
        async with self._opening:
            if key not in self.topics:
                last = await database_sync_to_async(self.source.last)(key)
                if last is None:
                    return None
                self.topics[key] = Topic(key, last)
        return self.topics[key]

    async def _missed(self, topic: Topic, seen: int) -> list[Message] | None:
        """What came after; None where that is too much, too long ago, or a number that was never given."""
        if (known := topic.after(seen)) is not None and seen <= topic.last:
            return known
        source, most = self.source, LONGEST_WAY_BACK
        found = await database_sync_to_async(source.since)({topic.key: seen}, most + 1)
        if not found:
            # Another process may have been faster than ours.
            return [] if seen == await database_sync_to_async(source.last)(topic.key) else None
        is_whole = found[0].number == seen + 1 and len(found) <= most
        return [event_message(source.noun, event) for event in found] if is_whole else None

    async def _snapshot(self, topic: Topic) -> Message:
        """One for all who come at the same version."""
        async with topic.building:
            kept = topic.snapshot
            is_old = time.monotonic() - topic.snapshot_at > SNAPSHOT_SECONDS
            if kept is None or kept.number < topic.last or is_old:
                made = await database_sync_to_async(self.source.snapshot)(topic.key)
                kept = topic.snapshot = snapshot_message(self.source.noun, topic.key, made)
                topic.snapshot_at = time.monotonic()
            return kept
