"""Premier League fixtures: kickoffs in UTC, a round for each gameweek, teams by name alone.

A team may play twice in a gameweek, or not at all; a gameweek is the one in which the game was really played.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta

from pools.services.schedule import values
from pools.services.schedule.fixtures import Fixture, League, Schedule, ScheduleError
from pools.services.schedule.source import Row
from pools.services.schedule.teams import name_epl_teams

COLUMNS = frozenset(
    ["season", "code", "gameweek_played", "kickoff_utc", "finished", "home", "away", "home_goals", "away_goals"]
)
LEAGUE = League(
    name="Premier League", time_zone="Europe/London", round_word="Gameweek", name_teams=name_epl_teams,
    shortest_game=timedelta(minutes=100), highest_likely_score=15, nil_nil_happens=True,
)  # fmt: skip
FINISHED = {"true": True, "false": False, "1": True, "0": False}


class EplReader:
    """Reads one season, named by its first year: `2023` or `2023-24`."""

    def __init__(self, season: str) -> None:
        self.season = season
        self.seasons_seen: set[str] = set()
        self.without_round = 0

    def read(self, rows: Iterable[Row]) -> Schedule:
        """The season's games. Raises `ScheduleError` when there are none."""
        schedule = Schedule(LEAGUE, self.season, pairs_once=True)
        for row in rows:
            self.seasons_seen.add(row["season"][:10])
            if row["season"][:4] == self.season[:4]:
                schedule.season = row["season"][:10]
                schedule.fixtures.extend(self._fixture(row))
        if not schedule.fixtures:
            seen = ", ".join(sorted(self.seasons_seen)) or "none"
            raise ScheduleError(f"The file has no games of season {self.season}. It has seasons: {seen}.")
        if self.without_round:
            schedule.warnings.append(f"{self.without_round} games have no gameweek or kickoff yet and are left out.")
        return schedule

    def _fixture(self, row: Row) -> list[Fixture]:
        """The game, or nothing while the league has not said when it is played."""
        number = values.whole_number(row, "gameweek_played", low=1, high=99)
        if number is None or row["kickoff_utc"] in values.MISSING:
            self.without_round += 1
            return []
        home, away, fault = _scores(row)
        return [
            Fixture(
                line=row.line,
                external_id=values.text(row, "code", longest=60),
                round_number=number,
                home=values.text(row, "home", longest=60),
                away=values.text(row, "away", longest=60),
                kickoff_at=values.instant(row, "kickoff_utc"),
                home_score=home,
                away_score=away,
                result_fault=fault,
            )
        ]


def _scores(row: Row) -> tuple[int | None, int | None, str]:
    """Both scores of a finished game, or none and what is wrong; goals of a game still played are no result."""
    home = values.whole_number(row, "home_goals", low=0, high=999)
    away = values.whole_number(row, "away_goals", low=0, high=999)
    is_finished = FINISHED.get(row["finished"].lower())
    if is_finished is None:
        raise ScheduleError(f"Line {row.line}: finished is {row['finished']!r}, not True or False.")
    if not is_finished:
        return None, None, ""
    if home is None or away is None:
        return None, None, "finished, but without both scores"
    return home, away, ""


def is_epl(header: Collection[str]) -> bool:
    """Whether a file with these columns is one of fixtures."""
    return set(header) >= COLUMNS
