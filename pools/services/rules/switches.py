"""The switches of a pool: what each decides, how a value of it is read, and what it is when nobody says.

Values come from JSON, from a form and from a command line, so every reader understands text: `2`, `true`, `none`,
`1,2,3`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from config.phrases import phrase
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

LONGEST_LIST = 100
NOTHING = (None, "", "none")


class BadValue(Exception):
    """The value is not one that the switch can have; the message says what it can."""


@dataclass(frozen=True)
class Switch:
    """What it decides, which values it takes (in words), how to read one, and what it is when nobody says."""

    says: str
    takes: str
    read: Callable[[Any], Any]
    default: Any
    choices: tuple[str, ...] = ()
    # Of a number, or of each in a list: the lowest and the highest.
    bounds: tuple[int, int] | None = None
    # In minor units of the pool's currency. Its key ends in `_cents`; forms ask for whole units.
    is_money: bool = False


def shown(value: Any) -> str:
    """A switch's value as one writes it on a command line."""
    if value is None or value == []:
        return "none"
    if isinstance(value, list | tuple):
        return ",".join(str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_choice(choices: list[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            raise BadValue(phrase("Must be one of {choices}.", choices=", ".join(choices)))
        return str(value)

    return read


def _read_number(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        # JSON has one kind of number: 2.0 is 2.
        text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
        # `True` is an int in Python; here it is a mistake.
        if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 10):
            raise BadValue(phrase("Must be a whole number from {low} to {high}.", low=low, high=high))
        if not low <= int(text) <= high:
            raise BadValue(phrase("Must be from {low} to {high}.", low=low, high=high))
        return int(text)

    return read


def _read_optional(read: Callable[[Any], int]) -> Callable[[Any], int | None]:
    return lambda value: None if value in NOTHING else read(value)


def _read_claim(value: Any) -> bool:
    if isinstance(value, bool | str):
        claim = {"true": True, "false": False}.get(str(value).strip().lower())
        if claim is not None:
            return claim
    raise BadValue("Must be true or false.")


def _read_list(read_item: Callable[[Any], int]) -> Callable[[Any], list[int]]:
    def read(value: Any) -> list[int]:
        if value in NOTHING:
            return []
        items = value if isinstance(value, list | tuple) else [item for item in str(value).split(",") if item.strip()]
        if len(items) > LONGEST_LIST:
            raise BadValue(phrase("Must have at most {longest} items.", longest=LONGEST_LIST))
        return [read_item(item) for item in items]

    return read


def _choice(says: str, choices: list[str], takes: str) -> Switch:
    return Switch(says, takes, _read_choice(choices), choices[0], tuple(choices))


def _number(says: str, low: int, high: int, default: int, *, note: str = "") -> Switch:
    return Switch(says, f"{low} to {high}{note}", _read_number(low, high), default, bounds=(low, high))


def _round_or_none(says: str) -> Switch:
    return Switch(says, "a round that the pool plays, or none", _read_optional(_round), None, bounds=ROUNDS)


def _money(says: str, most: int, takes: str) -> Switch:
    return Switch(says, takes, _read_number(0, most), 0, bounds=(0, most), is_money=True)


ROUNDS = (1, 1000)
SHARES = (1, 10_000)
_round = _read_number(*ROUNDS)

SWITCHES: dict[str, Switch] = {
    "lock": _choice(
        "When a pick can no longer change.",
        LockPolicy.values,
        "round: at the round's first kickoff, or its fixed time if earlier; game: at the kickoff of the pick's game",
    ),
    "strikes": _number("Losses that an entry survives before the next one eliminates it.", 0, 20, 0),
    "tie": _choice(
        "What a tie is to a pick.",
        TieRule.values,
        "loss; win; void: it costs nothing and the team is not used up",
    ),
    "missed_pick": _choice(
        "What follows when an entry lacks a pick.",
        MissedPick.values,
        "eliminate: out, whatever strikes are left; strike: a loss like any other; favourite: it gets the team favoured"
        " by most; fallback: it gets the first team of the player's own list",
    ),
    "missed_pick_then": _choice(
        "What follows when a fallback list has no team left.",
        MissedPickThen.values,
        "only with missed_pick=fallback: eliminate, strike or favourite, as there",
    ),
    "cancelled_game": _choice(
        "What a pick is whose game is cancelled, postponed, or moved out of its round.",
        CancelledGame.values,
        "loss; win; void: it costs nothing and the team is not used up; repick: taken back before the lock, else void",
    ),
    "picks_per_round": _number("Teams to pick in each round; all of them must win.", 1, 2, 1),
    "two_pick_rounds": Switch(
        "Rounds that ask for two teams, both of which must win.",
        "numbers of rounds, such as 12,13; only with picks_per_round=1",
        _read_list(_round),
        [],
        bounds=ROUNDS,
    ),
    "reuse_limit": _number("How often an entry may use the same team.", 1, 100, 1),
    "reuse_reset_round": _round_or_none("The round from which the count of used teams starts again."),
    "all_out": _choice(
        "What follows when a round leaves nobody in.",
        AllOut.values,
        "split: those who fell in it and had submitted a pick win; revive: the round eliminates nobody; tiebreak: of"
        " those who win under split, the highest margin",
    ),
    "last_round": _choice(
        "Who wins of several left after the last round.",
        LastRound.values,
        "split: all of them; tiebreak: the highest margin",
    ),
    "late_entry_until": _round_or_none("Places are to be had until the lock of this round."),
    "late_entry_strikes": Switch(
        "Whether each round missed by coming in late is a strike.",
        "true or false; only with late_entry_until",
        _read_claim,
        False,
    ),
    "buy_back_until": _round_or_none("An entry that falls in a round up to this one may buy back in."),
    "buy_back_limit": _number(
        "How often an entry may buy back in.", 0, 100, 0, note="; at least 1 with buy_back_until, else 0"
    ),
    "buy_back_fee_cents": _money(
        "What buying back in costs each time.", 100_000_000, "0 or more; only with buy_back_until"
    ),
    "payout": _choice("How the pot is shared.", Payout.values, "equal: equally by the winners; table: by rank"),
    "payout_table": Switch(
        "Basis points of the pot by rank, the first rank first.",
        "numbers that never rise and add up to 10000, such as 6000,3000,1000; only with payout=table",
        _read_list(_read_number(*SHARES)),
        [],
        bounds=SHARES,
    ),
    "house_fee_bp": _number(
        "The house's part of each fee, in basis points.", 0, 10_000, 0, note="; rounded down to the minor unit"
    ),
}
