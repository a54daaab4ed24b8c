"""A rounds file: which games each round owns, where the contest's rounds are not the league's weeks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pools.services.schedule import values
from pools.services.schedule.fixtures import ScheduleError
from pools.services.schedule.source import Rows

COLUMNS = ("round", "name", "game_id")


@dataclass
class DrawnRounds:
    """Names by round number, and the round and line of each game."""

    names: dict[int, str] = field(default_factory=dict)
    number_of: dict[str, int] = field(default_factory=dict)
    line_of: dict[str, int] = field(default_factory=dict)


def read_rounds(rows: Rows) -> DrawnRounds:
    """Raises `ScheduleError` for other columns, a game in two rounds, or a round with two names."""
    if set(COLUMNS) - set(rows.header):
        raise ScheduleError(f"{rows.name}: a rounds file has the columns {', '.join(COLUMNS)}.")
    drawn = DrawnRounds()
    for row in rows:
        number = values.needed_number(row, "round", low=1, high=999)
        name, game = values.text(row, "name", longest=40), values.text(row, "game_id", longest=60)
        if drawn.names.setdefault(number, name) != name:
            raise ScheduleError(f"{rows.name}, line {row.line}: round {number} is {drawn.names[number]!r} further up.")
        if game in drawn.number_of:
            raise ScheduleError(
                f"{rows.name}, line {row.line}: {game} is in round {drawn.number_of[game]} already"
                f" (line {drawn.line_of[game]})."
            )
        drawn.number_of[game], drawn.line_of[game] = number, row.line
    if not drawn.names:
        raise ScheduleError(f"{rows.name}: has no rounds.")
    return drawn


def refuse_unknown_games(drawn: DrawnRounds, lines: Mapping[str, int] | Iterable[str]) -> None:
    """Raises `ScheduleError` for a game that the schedule does not have."""
    for game in drawn.number_of.keys() - set(lines):
        raise ScheduleError(f"Rounds file, line {drawn.line_of[game]}: the schedule has no game {game}.")
