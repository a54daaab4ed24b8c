"""Where events come from: the app's part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. Numbers of a topic run 1, 2, 3; whoever has seen n never finds a lower one appear."""

    topic: int
    number: int
    kind: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a topic stands: all that events up to `number` told is in `data`, and perhaps something of the next ones."""

    number: int
    at: datetime
    data: Mapping[str, Any]


class Source(Protocol):
    """Called in a thread with a database connection of its own; may raise what the database raises."""

    # What a topic is called in messages, beside its number.
    noun: str
    # A channel of PostgreSQL's NOTIFY, which only hurries.
    channel: str

    def last(self, topic: int) -> int | None:
        """The number of the topic's newest event, 0 before the first; None where nobody may listen."""

    def snapshot(self, topic: int) -> Snapshot:
        """How it stands. Shows what anybody may see, and nothing else."""

    def since(self, seen: Mapping[int, int], limit: int) -> Sequence[Event]:
        """Of these topics what is newer than the number seen, by topic and number; at most `limit`, from one query."""
