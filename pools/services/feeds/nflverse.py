"""nflverse's games.csv as a feed: the schedule and the results of a whole season, each time."""

from datetime import datetime

from pools.models import FeedSource
from pools.services.feeds.batches import Batch, origin_of
from pools.services.schedule.apply import apply_schedule
from pools.services.schedule.fixtures import Schedule, ScheduleError
from pools.services.schedule.nflverse import COLUMNS, NflverseReader, is_nflverse
from pools.services.schedule.source import read_rows_of

NAME = "games.csv"


def apply(source: FeedSource, body: bytes, now: datetime) -> Batch:
    """Bring the competition up to the season in the body. Raises `ScheduleError` and then has written nothing."""
    if not source.competition.games.exists():
        raise ScheduleError(f"{source.competition.code} has no games yet: import its schedule first.")
    report = apply_schedule(
        code=source.competition.code,
        schedule=_read(source, body),
        now=now,
        source=str(source),
        origin=origin_of(source, "schedule"),
    )
    return Batch(
        games=report.games,
        changed=report.created + report.updated,
        results=report.results,
        raised=report.raised,
        held=report.held,
        finals=report.finals,
        warnings=report.warnings,
    )


def _read(source: FeedSource, body: bytes) -> Schedule:
    with read_rows_of(NAME, body) as rows:
        if not is_nflverse(rows.header):
            lacking = ", ".join(sorted(COLUMNS - set(rows.header)))
            raise ScheduleError(f"{NAME}: not a schedule of nflverse's; it lacks {lacking}.")
        return NflverseReader(source.season, game_types=source.game_types.split(",")).read(rows)
