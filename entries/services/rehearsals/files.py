"""Picks of a file, in the format that entries are imported in; whose they were is not kept."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection

from config.errors import invalid
from config.phrases import phrase
from entries.services.imports import UnreadableFile
from entries.services.imports.judge import CALLED
from entries.services.imports.rows import Row
from entries.services.rehearsals.pickers import Calendar
from pools.models import Competition

MOST_LINES = 500_000
TOLD_LINES = 10


@dataclass
class FilePicks:
    """Of each entry, in the order of the file, its rounds and teams. `left_out` counts lines that mean nothing here."""

    entries: list[list[tuple[int, int]]] = field(default_factory=list)
    left_out: int = 0
    told: list[str] = field(default_factory=list)

    def faults(self) -> dict[str, Any]:
        """How many lines were left out, and of the first ones why."""
        return {"count": self.left_out, "lines": self.told} if self.left_out else {}


def read_picks(rows: Iterable[Row], *, competition: Competition, rounds: range, calendar: Calendar) -> FilePicks:
    """The picks of the rounds. Other lines are left out, each with a reason.

    Refuses a file that cannot be read, one with more than `MOST_LINES` lines, and one without a single pick.
    """
    teams, found, known = _teams(competition), FilePicks(), dict[str, list[tuple[int, int]]]()
    try:
        for number, row in enumerate(islice(rows, MOST_LINES + 1), start=1):
            if number > MOST_LINES:
                raise invalid("file", phrase("It has more than {most:,} lines.", most=MOST_LINES))
            team_id = teams.get(row.team.lower())
            fault = row.fault or _fault(row, team_id, rounds, calendar)
            if fault or team_id is None or row.round is None:
                found.left_out += 1
                found.told += [f"line {row.line}: {fault}"] if len(found.told) < TOLD_LINES else []
            else:
                known.setdefault(row.entry, []).append((row.round, team_id))
    except UnreadableFile as error:
        raise invalid("file", str(error)) from error
    if not known:
        raise invalid(
            "file", phrase("No line of it is a pick of these rounds. {first}", first=" ".join(found.told[:1]))
        )
    found.entries = list(known.values())
    return found


def _fault(row: Row, team_id: int | None, rounds: range, calendar: Calendar) -> str:
    if row.round is None or row.round not in rounds:
        return f"round {row.round} is not rehearsed"
    if team_id is None:
        return f"unknown team {row.team}"
    if calendar.game_of(row.round, team_id) is None:
        return f"{row.team} has no game in round {row.round}"
    return ""


def _teams(competition: Competition) -> dict[str, int]:
    """What people may call a team, in small letters."""
    with connection.cursor() as cursor:
        cursor.execute(CALLED, {"league": competition.pk})
        return {label: team_id for label, team_id, _ in cursor.fetchall()}
