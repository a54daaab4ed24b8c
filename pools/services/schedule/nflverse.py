"""nflverse's `games.csv` and its preseason file, which has fewer columns. A league week is a round."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta

from pools.services.schedule import values
from pools.services.schedule.corrections import NOON, Doubtful, corrected, eastern
from pools.services.schedule.fixtures import Fixture, League, Schedule, ScheduleError
from pools.services.schedule.source import Row
from pools.services.schedule.teams import name_nfl_teams

COLUMNS = frozenset(
    ["game_id", "season", "week", "gameday", "gametime", "away_team", "home_team", "away_score", "home_score"]
)
REGULAR_SEASON = ("REG",)
# The highest score of a regular season is 72; the last 0-0 was played in 1943.
LEAGUE = League(
    name="NFL", time_zone="America/New_York", round_word="Week", name_teams=name_nfl_teams,
    shortest_game=timedelta(hours=2), highest_likely_score=85, nil_nil_happens=False,
)  # fmt: skip
MOST_SHOWN = 10


class NflverseReader:
    """Reads one season.

    `kickoffs` are wall-clock kickoffs in US Eastern time by game id that a person gave where the file's are doubtful.
    """

    def __init__(
        self,
        season: str,
        *,
        game_types: Collection[str] = REGULAR_SEASON,
        kickoffs: Mapping[str, datetime] | None = None,
    ) -> None:
        self.season = season[:4]
        self.game_types = frozenset(game_types)
        self.kickoffs = dict(kickoffs or {})
        # In the regular season nobody is twice at home to the same side; in the playoffs that happens again.
        self.schedule = Schedule(LEAGUE, self.season, pairs_once=self.game_types <= set(REGULAR_SEASON))
        self.doubts: list[str] = []
        self.without_time = 0
        self.seasons_seen: set[str] = set()

    def read(self, rows: Iterable[Row]) -> Schedule:
        """The season's games. Raises `ScheduleError` when there are none, or a kickoff is doubtful."""
        self.schedule.fixtures.extend(self._fixtures(rows))
        if self.doubts:
            raise ScheduleError(
                f"{len(self.doubts)} kickoffs are doubtful. Say each with --kickoff GAME=2024-09-05T20:20, US Eastern: "
                + "; ".join(self.doubts[:MOST_SHOWN])
            )
        if not self.schedule.fixtures:
            seen = ", ".join(sorted(self.seasons_seen)) or "none"
            raise ScheduleError(f"The file has no games of season {self.season}. It has seasons: {seen}.")
        if self.kickoffs:
            raise ScheduleError(f"--kickoff: no game of the season is called {', '.join(sorted(self.kickoffs))}.")
        if self.without_time:
            self.schedule.warnings.append(
                f"{self.without_time} games have no kickoff time; noon US Eastern of their day is assumed."
            )
        return self.schedule

    def _fixtures(self, rows: Iterable[Row]) -> Iterator[Fixture]:
        for row in rows:
            self.seasons_seen.add(row["season"][:10])
            if row["season"] == self.season and row.get("game_type", "REG") in self.game_types:
                yield self._fixture(row)

    def _fixture(self, row: Row) -> Fixture:
        home, away, fault = _scores(row)
        return Fixture(
            line=row.line,
            external_id=values.text(row, "game_id", longest=60),
            round_number=values.needed_number(row, "week", low=1, high=99),
            home=values.text(row, "home_team", longest=20),
            away=values.text(row, "away_team", longest=20),
            kickoff_at=self._kickoff(row),
            home_score=home,
            away_score=away,
            home_spread=values.spread(row, "spread_line"),
            result_fault=fault,
        )

    def _kickoff(self, row: Row) -> datetime:
        day, game = values.day(row, "gameday"), row["game_id"]
        if game in self.kickoffs:
            given = self.kickoffs.pop(game)
            return eastern(given.date(), given.time())
        clock = values.clock(row, "gametime")
        if clock is None:
            # Earlier than any ordinary first kickoff of a day, so no pick is taken after a real one.
            self.without_time += 1
            return eastern(day, NOON)
        return eastern(day, self._believed(row, day, clock))

    def _believed(self, row: Row, day: date, clock: time) -> time:
        is_neutral = row["location"] == "Neutral" if row.get("location") else None
        try:
            likely = corrected(day, clock, is_neutral=is_neutral)
        except Doubtful as doubt:
            self.doubts.append(f"line {row.line}, {row['game_id']}: {day:%A} {day} {clock:%H:%M}, {doubt}")
            return clock
        if likely != clock:
            self.schedule.warnings.append(
                f"{row['game_id']}: kickoff {clock:%H:%M} on a {day:%A} is twelve hours off; taken as {likely:%H:%M}."
            )
        return likely


def _scores(row: Row) -> tuple[int | None, int | None, str]:
    """Both scores, or none and what is wrong: half a result is never read as a score of 0."""
    home = values.whole_number(row, "home_score", low=0, high=999)
    away = values.whole_number(row, "away_score", low=0, high=999)
    result = values.whole_number(row, "result", low=-999, high=999)
    total = values.whole_number(row, "total", low=0, high=1998)
    if home is None and away is None:
        return None, None, "a result without scores" if result is not None else ""
    if home is None or away is None:
        return None, None, "only one of the two scores"
    if result is not None and result != home - away:
        return None, None, f"a result of {result} for a score of {home}-{away}"
    if total is not None and total != home + away:
        return None, None, f"a total of {total} for a score of {home}-{away}"
    return home, away, ""


def is_nflverse(header: Collection[str]) -> bool:
    """Whether a file with these columns is one of nflverse's."""
    return set(header) >= COLUMNS
