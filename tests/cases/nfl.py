"""A season as public schedules tell it: three Sundays of 2095 with four games each, and the file it comes in."""

import io
from collections.abc import Iterable
from pathlib import Path

from django.core.management import call_command

from pools.models import Competition, Game
from tests.support.schedules import nfl_row, write_csv

CODE, SEASON = "nfl-2095", "2095"
WEEKS = (
    ("2095-09-11", ("KC_BUF", "DEN_LV", "SF_SEA", "NYJ_NE")),
    ("2095-09-18", ("BUF_KC", "LV_DEN", "SEA_SF", "NE_NYJ")),
    ("2095-09-25", ("KC_DEN", "BUF_LV", "SF_NYJ", "SEA_NE")),
)


def row(week: int, sides: str, day: str, **values) -> dict[str, str]:
    return nfl_row(f"{SEASON}_{week:02}_{sides}", season=SEASON, gameday=day, **values)


def season(**changes: dict[str, object] | None) -> list[dict[str, str]]:
    """Its rows. `KC_BUF={"score": (20, 17)}`, home side first, changes a game's, `KC_BUF=None` drops it."""
    told = [(number, day, sides) for number, (day, games) in enumerate(WEEKS, start=1) for sides in games]
    return [
        row(number, sides, **({"day": day} | (changes.get(sides) or {})))
        for number, day, sides in told
        if changes.get(sides, {}) is not None
    ]


class ScheduleFile:
    """What `manage.py import_schedule` is given."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "games.csv"

    def sync(self, rows: Iterable[dict[str, str]] | None = None, *options: str) -> str:
        """Import these rows, or the bare season; gives the warnings. Raises `CommandError` for a file it refuses."""
        warnings = io.StringIO()
        write_csv(self.path, list(rows or season()))
        call_command(
            "import_schedule", str(self.path), "--competition", CODE, *options, stdout=io.StringIO(), stderr=warnings
        )
        return warnings.getvalue()

    def competition(self) -> Competition:
        """The season, imported, with nothing of it played."""
        self.sync()
        return Competition.objects.get(code=CODE)


def game(sides: str) -> Game:
    """By its sides, `AWAY_HOME`."""
    away, home = sides.split("_")
    return Game.objects.select_related("round").get(away__code=away, home__code=home)


def result(sides: str) -> tuple[str, int | None, int | None]:
    """Status and score, home side first."""
    found = game(sides)
    return found.status, found.home_score, found.away_score
