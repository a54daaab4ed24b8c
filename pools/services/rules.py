"""The switches of a pool: their types, the values that this release settles, and which combinations contradict.

The table of rules can hold every value of the rule book. A value that settlement does not honour yet is refused when
a pool is made, by name, because a switch that is stored and ignored would pay the wrong people.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.errors import Code, Malformed
from pools.models import (
    AllOut,
    CancelledGame,
    LastRound,
    LockPolicy,
    MissedPick,
    MissedPickThen,
    Payout,
    TieRule,
)

Faults = dict[str, list[str]]
LONGEST_LIST = 100


class BadValue(Exception):
    """The value is not one that the switch can have; the message says what it can."""


@dataclass(frozen=True)
class Switch:
    """What it decides, how to read a value, what it is when nobody says, and which values this release settles."""

    says: str
    read: Callable[[Any], Any]
    default: Any
    is_settled: Callable[[Any], bool]
    settled: str
    choices: tuple[str, ...] = ()


def check_rules(values: Mapping[str, Any], *, first_round: int = 1, last_round: int | None = None) -> dict[str, Any]:
    """All switches, the given ones read (text as from a command line is understood) and the others at their default.

    Raises VALIDATION_ERROR with `rules.<key>` → messages for an unknown switch, a bad value, a value that is not
    settled yet, and a contradiction.
    """
    faults: Faults = {key: [f"Unknown. The switches are {', '.join(SWITCHES)}."] for key in values.keys() - SWITCHES}
    rules: dict[str, Any] = {}
    for key, switch in SWITCHES.items():
        try:
            rules[key] = switch.read(values[key]) if key in values else switch.default
        except BadValue as bad:
            faults[key] = [str(bad)]
    for key, message in _not_settled(rules):
        faults.setdefault(key, []).append(message)
    if rules.keys() == SWITCHES.keys():
        for key, message in _contradictions(rules, first_round, last_round):
            faults.setdefault(key, []).append(message)
    if faults:
        raise _refusal(faults)
    return rules


def _refusal(faults: Faults) -> Malformed:
    said = "; ".join(f"{key}: {' '.join(messages)}" for key, messages in faults.items())
    details = {f"rules.{key}": messages for key, messages in faults.items()}
    return Malformed(Code.VALIDATION_ERROR, f"The rules are not possible. {said}", details)


def _not_settled(rules: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in rules.items():
        if not SWITCHES[key].is_settled(value):
            yield key, f"{_shown(value)} is not available yet; available: {SWITCHES[key].settled}."


def _shown(value: Any) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _contradictions(rules: Mapping[str, Any], first_round: int, last_round: int | None) -> Iterator[tuple[str, str]]:
    if rules["missed_pick_then"] != MissedPickThen.ELIMINATE and rules["missed_pick"] != MissedPick.FALLBACK:
        yield "missed_pick_then", "Says what follows a fallback list, but missed_pick is not `fallback`."
    if rules["late_entry_strikes"] and rules["late_entry_until"] is None:
        yield "late_entry_strikes", "Counts rounds missed by late entries, but late_entry_until is not given."
    for key in ("buy_back_limit", "buy_back_fee_cents"):
        if rules[key] and rules["buy_back_until"] is None:
            yield key, "Is about buying back in, but buy_back_until is not given."
    if (rules["payout"] == Payout.TABLE) != bool(rules["payout_table"]):
        yield "payout_table", "Comes with payout=table, and payout=table needs it."
    if rules["payout_table"] and sum(rules["payout_table"]) != 10_000:
        yield "payout_table", "The basis points must add up to 10000."
    for key in ("late_entry_until", "buy_back_until", "reuse_reset_round"):
        if rules[key] is not None and not _is_played(rules[key], first_round, last_round):
            yield key, f"The pool does not play round {rules[key]}."
    if any(not _is_played(number, first_round, last_round) for number in rules["two_pick_rounds"]):
        yield "two_pick_rounds", "Names a round that the pool does not play."


def _is_played(number: int, first_round: int, last_round: int | None) -> bool:
    return number >= first_round and (last_round is None or number <= last_round)


# --- Reading values ------------------------------------------------------------------------------------------------


def _read_choice(choices: list[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            raise BadValue(f"Must be one of {', '.join(choices)}.")
        return str(value)

    return read


def _read_number(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        text = str(value).strip()
        # `True` is an int in Python; here it is a mistake.
        if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 10):
            raise BadValue(f"Must be a whole number from {low} to {high}.")
        if not low <= int(text) <= high:
            raise BadValue(f"Must be from {low} to {high}.")
        return int(text)

    return read


def _read_optional(read: Callable[[Any], int]) -> Callable[[Any], int | None]:
    return lambda value: None if value in (None, "", "none") else read(value)


def _read_claim(value: Any) -> bool:
    if value in (True, "true", "True"):
        return True
    if value in (False, "false", "False"):
        return False
    raise BadValue("Must be true or false.")


def _read_list(read_item: Callable[[Any], int]) -> Callable[[Any], list[int]]:
    def read(value: Any) -> list[int]:
        items = value if isinstance(value, list | tuple) else [item for item in str(value or "").split(",") if item]
        if len(items) > LONGEST_LIST:
            raise BadValue(f"Must have at most {LONGEST_LIST} items.")
        return [read_item(item) for item in items]

    return read


def _choice(says: str, choices: list[str], *settled: str) -> Switch:
    return Switch(
        says, _read_choice(choices), choices[0], lambda value: value in settled, ", ".join(settled), tuple(choices)
    )


def _number(says: str, low: int, high: int, default: int, *, settled: range) -> Switch:
    text = str(settled[0]) if len(settled) == 1 else f"{settled[0]} to {settled[-1]}"
    return Switch(says, _read_number(low, high), default, lambda value: value in settled, text)


def _only(says: str, read: Callable[[Any], Any], default: Any, shown: str) -> Switch:
    """A switch of which only the default is settled yet."""
    return Switch(says, read, default, lambda value: value == default, shown)


_round = _read_number(1, 1000)

SWITCHES: dict[str, Switch] = {
    "lock": _choice("When picks can no longer change.", LockPolicy.values, LockPolicy.ROUND),
    "strikes": _number("Losses that an entry survives.", 0, 20, 0, settled=range(21)),
    "tie": _choice("What a tie is.", TieRule.values, TieRule.LOSS, TieRule.WIN),
    "missed_pick": _choice(
        "What follows when an entry picks nobody.", MissedPick.values, MissedPick.ELIMINATE, MissedPick.STRIKE
    ),
    "missed_pick_then": _choice(
        "What follows when nothing of a fallback list is left.", MissedPickThen.values, MissedPickThen.ELIMINATE
    ),
    "cancelled_game": _choice(
        "What a pick of a game is that is not played in its round.",
        CancelledGame.values,
        CancelledGame.LOSS,
        CancelledGame.WIN,
    ),
    "picks_per_round": _number("Teams to pick in each round.", 1, 2, 1, settled=range(1, 2)),
    "two_pick_rounds": _only("Rounds that ask for two teams, both of which must win.", _read_list(_round), [], "none"),
    "reuse_limit": _number("How often an entry may pick a team.", 1, 100, 1, settled=range(1, 2)),
    "reuse_reset_round": _only("The round from which every team is free again.", _read_optional(_round), None, "none"),
    "all_out": _choice("What follows when everybody falls in one round.", AllOut.values, AllOut.SPLIT, AllOut.REVIVE),
    "last_round": _choice("How those left after the last round share.", LastRound.values, LastRound.SPLIT),
    "late_entry_until": _only("The last round in which somebody may still join.", _read_optional(_round), None, "none"),
    "late_entry_strikes": _only("Whether rounds missed by joining late are strikes.", _read_claim, False, "false"),
    "buy_back_until": _only(
        "The last round after which an entry may buy back in.", _read_optional(_round), None, "none"
    ),
    "buy_back_limit": _number("How often an entry may buy back in.", 0, 100, 0, settled=range(1)),
    "buy_back_fee_cents": _number("What buying back in costs.", 0, 100_000_000, 0, settled=range(1)),
    "payout": _choice("How the pot is shared.", Payout.values, Payout.EQUAL),
    "payout_table": _only("Basis points of the pot by rank.", _read_list(_read_number(1, 10_000)), [], "none"),
    "house_fee_bp": _number("Basis points of each fee that the house keeps.", 0, 10_000, 0, settled=range(10_001)),
}
