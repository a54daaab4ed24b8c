"""Small schedule files, as tests need them."""

import csv
from pathlib import Path

from config.clock import database_now
from pools.services.schedule import Report, apply_schedule, read_schedule

NFL_DEFAULTS = {
    "season": "2024", "game_type": "REG", "week": "1", "gameday": "2024-09-08", "gametime": "13:00",
    "away_score": "", "home_score": "", "location": "Home", "result": "", "total": "", "spread_line": "",
}  # fmt: skip
EPL_DEFAULTS = {
    "season": "2023-24", "gameweek_played": "1", "kickoff_utc": "2023-08-12T14:00:00Z", "finished": "False",
    "home_goals": "", "away_goals": "",
}  # fmt: skip


def nfl_row(name: str, **values) -> dict[str, str]:
    """A row of `2024_01_KC_BUF`; `score=(home, away)` fills in what follows from it."""
    _, week, away, home = name.split("_")
    score = values.pop("score", None)
    row = {**NFL_DEFAULTS, "game_id": name, "week": str(int(week)), "away_team": away, "home_team": home}
    if score is not None:
        row |= {"home_score": score[0], "away_score": score[1], "result": score[0] - score[1], "total": sum(score)}
    return {key: str(value) for key, value in (row | values).items()}


def epl_row(code: str, home: str, away: str, **values) -> dict[str, str]:
    """A row of the fixtures file; `score=(home, away)` makes the game finished."""
    score = values.pop("score", None)
    row = {**EPL_DEFAULTS, "code": code, "home": home, "away": away}
    if score is not None:
        row |= {"home_goals": score[0], "away_goals": score[1], "finished": "True"}
    return {key: str(value) for key, value in (row | values).items()}


def write_csv(path: Path, rows: list[dict[str, str]]) -> str:
    """The file's path, for a command line."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def import_rows(folder: Path, rows: list[dict[str, str]], *, code: str = "nfl-2024", **options) -> Report:
    """Write the rows to a file and import it."""
    schedule = read_schedule(write_csv(folder / "schedule.csv", rows), season=code[-4:])
    return apply_schedule(code=code, schedule=schedule, now=database_now(), **options)
