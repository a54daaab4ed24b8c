"""News of a provider, and reading it once its signature is proved, if it is written in Stripe's form."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from config.errors import Code, Malformed, invalid
from config.phrases import phrase

LONGEST = {"id": 255, "type": 100}
LONGEST_OBJECT_ID = 255
LONGEST_VERSION = 40


@dataclass(frozen=True, slots=True)
class Notice:
    """News as it came, with its signature proved: what it is about, not what is true.

    Types and the object in `payload` (`data.object`, with its `object`, `id`, `metadata`, `charge`) are named in
    Stripe's words, whoever brings them: a provider that has others translates.
    """

    event_id: str
    event_type: str
    object_id: str
    livemode: bool
    payload: dict[str, Any]
    api_version: str = ""
    snapshot_event_id: str = ""


def parse_notice(body: bytes) -> Notice:
    """What the event says it is about. Raises `Malformed` for what is no event."""
    try:
        event = json.loads(body.decode(), parse_constant=_refuse)
        return notice_of(event)
    except (ValueError, RecursionError):
        raise Malformed(Code.PARSE_ERROR, "The body is not valid JSON.") from None


def notice_of(event: object) -> Notice:
    """The same for an event that came as an answer, not as news."""
    event = _storable(event)
    if not isinstance(event, dict):
        raise Malformed(Code.PARSE_ERROR, "The body is not an event.")
    for field, longest in LONGEST.items():
        if not isinstance(event.get(field), str) or not 0 < len(event[field]) <= longest:
            raise invalid(field, phrase("Must be a text of 1 to {longest} characters.", longest=longest))
    return Notice(
        event_id=event["id"],
        event_type=event["type"],
        object_id=_object_id(event),
        livemode=event.get("livemode") is True,
        payload=event,
        api_version=_text(event, "api_version", LONGEST_VERSION),
        snapshot_event_id=_text(event, "snapshot_event", LONGEST["id"]),
    )


def subject_of(payload: dict[str, Any]) -> dict[str, Any]:
    """The object that a stored event is about, as it looked when the event was made; empty where there is none."""
    data = payload.get("data")
    found = data.get("object") if isinstance(data, dict) else payload.get("related_object")
    return found if isinstance(found, dict) else {}


def _text(event: dict[str, Any], field: str, longest: int) -> str:
    found = event.get(field)
    return found[:longest] if isinstance(found, str) else ""


def _object_id(event: dict[str, Any]) -> str:
    found = subject_of(event).get("id")
    return found[:LONGEST_OBJECT_ID] if isinstance(found, str) else ""


def _storable(value: Any) -> Any:
    """The same without NUL and half characters, which PostgreSQL has no place for."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
