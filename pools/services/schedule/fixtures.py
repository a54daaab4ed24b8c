"""What every reader of a schedule hands on, whatever the file looked like."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from config.errors import Code, Malformed


class ScheduleError(Malformed):
    """The file cannot be imported; nothing of it was. The sentence names the line where there is one."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.VALIDATION_ERROR, message)


@dataclass(frozen=True, slots=True)
class Fixture:
    """One game of the file. `home` and `away` are the file's own labels; scores come in pairs or not at all."""

    line: int
    external_id: str
    round_number: int
    home: str
    away: str
    kickoff_at: datetime
    home_score: int | None = None
    away_score: int | None = None
    home_spread: Decimal | None = None
    result_fault: str = ""

    @property
    def has_result(self) -> bool:
        return self.home_score is not None


class TeamName(NamedTuple):
    """How a team is called here."""

    code: str
    name: str


@dataclass(frozen=True)
class League:
    """What a file format says about all its seasons."""

    name: str
    time_zone: str
    round_word: str
    # The labels of a file and the teams we have already (name → code) to the code and name of each label.
    name_teams: Callable[[Iterable[str], Mapping[str, str]], dict[str, TeamName]]
    # What a feed is believed without a person's word: no game has ended sooner after its kickoff, …
    shortest_game: timedelta
    highest_likely_score: int
    nil_nil_happens: bool


@dataclass
class Schedule:
    """One season as the file has it, with what the reader wants a person to know.

    `pairs_once`: a side is at home to another at most once, so a second time is the same game written twice.
    """

    league: League
    season: str
    pairs_once: bool
    fixtures: list[Fixture] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def refuse_repeats(self) -> None:
        """Raises `ScheduleError` when a game is listed twice, also under another name."""
        seen: dict[object, Fixture] = {}
        for fixture in self.fixtures:
            pair = (fixture.home, fixture.away)
            for key in (fixture.external_id, pair) if self.pairs_once else (fixture.external_id,):
                first = seen.setdefault(key, fixture)
                if first is not fixture:
                    raise ScheduleError(
                        f"Line {fixture.line}: {fixture.external_id} is the game of line {first.line}"
                        f" ({first.external_id}) again."
                    )
