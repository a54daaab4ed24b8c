"""A source without a database: events in a list, as slow or as broken as a test wants."""

from datetime import UTC, datetime

from config.live.source import Event, Snapshot

AT = datetime(2026, 9, 10, 0, 20, tzinfo=UTC)


class ListSource:
    noun = "pool"
    channel = "nobody"

    def __init__(self, last: int = 0) -> None:
        self.told: list[Event] = []
        self.snapshots = 0
        self.asked = 0
        for _ in range(last):
            self.tell()

    def tell(self, topic: int = 1) -> None:
        self.told.append(Event(topic, self._last(topic) + 1, "round.revealed", AT, {"round": 7}))

    def forget(self, up_to: int) -> None:
        self.told = [event for event in self.told if event.number > up_to]

    def last(self, topic: int) -> int | None:
        return None if topic == 404 else self._last(topic)

    def snapshot(self, topic: int) -> Snapshot:
        self.snapshots += 1
        return Snapshot(self._last(topic), AT, {"told": self._last(topic)})

    def since(self, seen, limit):
        self.asked += 1
        found = [event for event in self.told if event.topic in seen and event.number > seen[event.topic]]
        return sorted(found, key=lambda event: (event.topic, event.number))[:limit]

    def _last(self, topic: int) -> int:
        return max((event.number for event in self.told if event.topic == topic), default=0)
