"""An event in the words of both transports, put together once for all who listen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from config.live.source import Event, Snapshot


@dataclass(frozen=True, slots=True)
class Message:
    """`text` for a socket, `stream` for an event stream; whoever has it has seen `number`."""

    number: int
    text: str
    stream: bytes


def event_message(noun: str, event: Event) -> Message:
    """`{"type": "event", "id": …, "kind": …, "at": …, <noun>: …, "data": {…}}`."""
    told = {"type": "event", "id": event.number, "kind": event.kind, **_about(noun, event.topic, event.at, event.data)}
    return _message(event.number, event.kind, told)


def snapshot_message(noun: str, topic: int, snapshot: Snapshot) -> Message:
    """`{"type": "snapshot", "id": …, "at": …, <noun>: …, "data": {…}}`."""
    told = {"type": "snapshot", "id": snapshot.number, **_about(noun, topic, snapshot.at, snapshot.data)}
    return _message(snapshot.number, "snapshot", told)


def _about(noun: str, topic: int, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    instant = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"at": instant, noun: topic, "data": data}


def _message(number: int, kind: str, told: Mapping[str, Any]) -> Message:
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    return Message(number, text, f"id: {number}\nevent: {kind}\ndata: {text}\n\n".encode())
