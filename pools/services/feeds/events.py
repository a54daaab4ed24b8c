"""Reading a scoreboard: JSON in the shape of ESPN's public one. What is not of that shape refuses the whole body."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from pools.services.schedule.fixtures import ScheduleError

HIGHEST_SCORE = 999
MOST_EVENTS = 1000
PRESEASON = 1
# Its codes where they are not those of the schedules.
CODES = {"WSH": "WAS", "LAR": "LA", "JAC": "JAX", "ARZ": "ARI", "BLT": "BAL", "CLV": "CLE", "HST": "HOU"}


class State(Enum):
    """Where a game stands, as far as anything follows from it."""

    COMING = auto()
    RUNNING = auto()
    FINAL = auto()
    POSTPONED = auto()
    CANCELLED = auto()
    UNCLEAR = auto()


CALLED_OFF = {
    "STATUS_POSTPONED": State.POSTPONED, "STATUS_CANCELED": State.CANCELLED, "STATUS_CANCELLED": State.CANCELLED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One game of a scoreboard, sides by our codes. `number` is its place in the list, for complaints."""

    number: int
    kickoff_at: datetime
    state: State
    home: str
    away: str
    home_score: int | None
    away_score: int | None


def read_events(body: bytes) -> list[Event]:
    """The games of the scoreboard, those of the preseason left out. Raises `ScheduleError`."""
    listed = _parsed(body)
    if not isinstance(listed, dict) or not isinstance(listed.get("events"), list):
        raise ScheduleError("The scoreboard has no list of events.")
    events = listed["events"]
    if len(events) > MOST_EVENTS:
        raise ScheduleError(f"The scoreboard has more than {MOST_EVENTS} events.")
    found = []
    for number, event in enumerate(events, start=1):
        try:
            if not _is_preseason(event):
                found.append(_event(number, event))
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as fault:
            raise ScheduleError(f"Event {number} of the scoreboard cannot be read ({_reason(fault)}).") from fault
    return found


def _parsed(body: bytes) -> Any:
    if not body.strip():
        raise ScheduleError("The scoreboard is empty.")
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as fault:
        raise ScheduleError("The scoreboard is not a text in UTF-8.") from fault
    except (ValueError, RecursionError) as fault:
        raise ScheduleError("The scoreboard is not JSON.") from fault


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _reason(fault: Exception) -> str:
    return f"no {fault}" if isinstance(fault, KeyError) else str(fault)[:100]


def _is_preseason(event: dict[str, Any]) -> bool:
    season = event.get("season")
    return isinstance(season, dict) and season.get("type") == PRESEASON


def _event(number: int, event: dict[str, Any]) -> Event:
    state = _state(event["status"]["type"])
    sides = {side["homeAway"]: side for side in event["competitions"][0]["competitors"]}
    if set(sides) != {"home", "away"} or len(event["competitions"][0]["competitors"]) != 2:
        raise ValueError("not one home and one away side")
    return Event(
        number=number,
        kickoff_at=_instant(event["date"]),
        state=state,
        home=_code(sides["home"]),
        away=_code(sides["away"]),
        home_score=_score(sides["home"], state),
        away_score=_score(sides["away"], state),
    )


def _state(kind: dict[str, Any]) -> State:
    """Final is only what is over and completed: a suspended game is over for today."""
    if kind["name"] in CALLED_OFF:
        return CALLED_OFF[kind["name"]]
    if kind["state"] not in ("pre", "in", "post") or not isinstance(kind["completed"], bool):
        raise ValueError(f"the state {str(kind['state'])[:20]!r}")
    if kind["state"] == "post":
        return State.FINAL if kind["completed"] else State.UNCLEAR
    return State.COMING if kind["state"] == "pre" else State.RUNNING


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a date without a zone")
    return found.astimezone(UTC)


def _code(side: dict[str, Any]) -> str:
    code = side["team"]["abbreviation"]
    if not isinstance(code, str) or not code:
        raise ValueError("a team without a code")
    return CODES.get(code, code)


def _score(side: dict[str, Any], state: State) -> int | None:
    """A whole number, or None where there is none: a missing score is never a 0."""
    score = side.get("score")
    if state not in (State.RUNNING, State.FINAL) or score in (None, ""):
        return None
    if isinstance(score, bool) or not str(score).isdecimal() or not str(score).isascii() or int(score) > HIGHEST_SCORE:
        raise ValueError(f"a score of {str(score)[:20]!r}")
    return int(score)
