"""What goes wrong on command: rules that wait for a request or an event and strike it, once or often.

The rules and their fields are described in the package's own documentation. They live in memory, so a restart lifts
them; what they did stays done.
"""

import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import Any

REQUEST_ACTIONS = frozenset(
    {
        "drop_before",
        "drop_after",
        "delay_before",
        "delay_after",
        "error_before",
        "error_after",
        "rate_limit",
        "lock_timeout",
        "answer_livemode",
    }
)
EVENT_ACTIONS = frozenset({"hold", "lose", "swallow", "delay", "duplicate", "suppress", "event_livemode"})
LONGEST_ANSWER_DELAY = 300.0
LONGEST_WEBHOOK_DELAY = 30 * 86_400.0


class BadRule(ValueError):
    """A rule nobody could carry out; the message says why."""


@dataclass
class Rule:
    """`times` is how often it still strikes; None means until it is lifted."""

    action: str
    times: int | None = 1
    method: str = "*"
    path: str = "*"
    type: str = "*"
    seconds: float = 0.0
    status: int = 500
    copies: int = 1
    id: int = 0

    def __post_init__(self) -> None:
        if self.action not in REQUEST_ACTIONS | EVENT_ACTIONS:
            raise BadRule(f"action must be one of {', '.join(sorted(REQUEST_ACTIONS | EVENT_ACTIONS))}")
        _check(
            self.times is None or _is_whole(self.times, 1, 1_000_000), "times must be a whole number from 1, or null"
        )
        _check(all(isinstance(text, str) for text in (self.method, self.path, self.type)), "patterns must be strings")
        longest = LONGEST_WEBHOOK_DELAY if self.action == "delay" else LONGEST_ANSWER_DELAY
        _check(_is_number(self.seconds) and 0 <= self.seconds <= longest, f"seconds must be from 0 to {longest:g}")
        _check(_is_whole(self.status, 500, 599), "status must be from 500 to 599")
        _check(_is_whole(self.copies, 1, 100), "copies must be from 1 to 100")

    def strikes_request(self, method: str, path: str) -> bool:
        known = self.action in REQUEST_ACTIONS
        return known and fnmatchcase(method, self.method.upper()) and fnmatchcase(path, self.path)

    def strikes_event(self, type: str) -> bool:
        """Thin events are struck with their snapshots; a pattern for them alone begins like their types."""
        meant = type.startswith("v1.") == self.type.startswith("v1.")
        return self.action in EVENT_ACTIONS and meant and fnmatchcase(type, self.type)


@dataclass
class Strikes:
    """The rules that strike one request or one event; at most one of each action."""

    rules: dict[str, Rule] = field(default_factory=dict)

    def __contains__(self, action: str) -> bool:
        return action in self.rules

    def seconds(self, action: str) -> float:
        return self.rules[action].seconds if action in self.rules else 0.0

    def status(self, action: str) -> int:
        return self.rules[action].status

    def joined(self, other: "Strikes") -> "Strikes":
        return Strikes({**self.rules, **other.rules})

    def copies(self) -> int:
        """How many times an event is delivered."""
        return 1 + (self.rules["duplicate"].copies if "duplicate" in self.rules else 0)


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._numbers = count(1)

    def add(self, **fields: Any) -> Rule:
        """Refuses unknown fields and impossible values with BadRule."""
        unknown = set(fields) - {name for name in Rule.__dataclass_fields__ if name != "id"}
        if unknown:
            raise BadRule(f"unknown: {', '.join(sorted(unknown))}")
        if "action" not in fields:
            raise BadRule("action is missing")
        rule = Rule(**fields)
        with self._lock:
            rule.id = next(self._numbers)
            self._rules.append(rule)
        return rule

    def for_request(self, method: str, path: str) -> Strikes:
        with self._lock:
            return self._use(rule for rule in self._rules if rule.strikes_request(method, path))

    def for_event(self, type: str) -> Strikes:
        with self._lock:
            return self._use(rule for rule in self._rules if rule.strikes_event(type))

    def lift(self, id: int | None = None, *, action: str | None = None) -> int:
        """Takes away one rule, all of an action, or all; answers how many."""
        with self._lock:
            kept = [rule for rule in self._rules if not _is_meant(rule, id, action)]
            lifted = len(self._rules) - len(kept)
            self._rules = kept
            return lifted

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def _use(self, matching: Iterable[Rule]) -> Strikes:
        strikes = Strikes()
        for rule in matching:
            if rule.action not in strikes:
                strikes.rules[rule.action] = rule
                if rule.times is not None:
                    rule.times -= 1
        self._rules = [rule for rule in self._rules if rule.times is None or rule.times > 0]
        return strikes


def _is_meant(rule: Rule, id: int | None, action: str | None) -> bool:
    return (id is None or rule.id == id) and (action is None or rule.action == action)


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise BadRule(message)
