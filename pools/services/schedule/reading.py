"""Finding out what a file is by its columns, and reading one season of it."""

from collections.abc import Collection, Mapping
from datetime import datetime

from config.http import Progress
from pools.services.schedule import epl, nflverse
from pools.services.schedule.fixtures import Schedule, ScheduleError
from pools.services.schedule.source import open_rows


def read_schedule(
    location: str,
    *,
    season: str,
    game_types: Collection[str] = nflverse.REGULAR_SEASON,
    kickoffs: Mapping[str, datetime] | None = None,
    progress: Progress | None = None,
) -> Schedule:
    """The season of a file or http(s) address. Raises `ScheduleError` for a format that is neither of the known ones.

    `game_types` and `kickoffs` (US Eastern wall time by game) are for nflverse files alone.
    """
    with open_rows(location, progress) as rows:
        if nflverse.is_nflverse(rows.header):
            return nflverse.NflverseReader(season, game_types=game_types, kickoffs=kickoffs).read(rows)
        if epl.is_epl(rows.header):
            if kickoffs:
                raise ScheduleError(f"{rows.name}: --kickoff is for nflverse files, whose times are wall-clock times.")
            return epl.EplReader(season).read(rows)
        raise ScheduleError(_unknown_format(rows.name, rows.header))


def _unknown_format(name: str, header: Collection[str]) -> str:
    lacking = [
        f"nflverse games lack {', '.join(sorted(nflverse.COLUMNS - set(header)))}",
        f"Premier League fixtures lack {', '.join(sorted(epl.COLUMNS - set(header)))}",
    ]
    return f"{name}: not a schedule that can be read. To be one of {'; to be one of '.join(lacking)}."
