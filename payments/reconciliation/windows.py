"""From when until when a run looks: whole seconds, the first included, the last not.

The provider dates by the second, and its lists lag behind; so nobody looks nearer than a minute to now, and each run
looks back over what earlier ones have read.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

SETTLED_AFTER = timedelta(seconds=60)
# What the feed looks back over every hour: a movement can be listed late.
OVERLAP = timedelta(hours=2)
# How far back the very first run looks; what is older, a deeper run has to be asked for.
FIRST_LOOK = timedelta(days=35)
NIGHTLY_DAYS = 3
WEEKLY_DAYS = 35
# By the clock of finance.
NIGHTLY_AT = time(3)
SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open, in whole seconds. Refuses an end that is not after its beginning."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", self.since.replace(microsecond=0))
        object.__setattr__(self, "until", self.until.replace(microsecond=0))
        if self.since >= self.until:
            raise ValueError(f"a window from {self.since} until {self.until} holds nothing")


def feed_window(*, through: datetime | None, now: datetime, until: datetime | None = None) -> Window:
    """What the hourly run reads: from before where the last one ended. `until` looks nearer to now than is wise."""
    end = until or now - SETTLED_AFTER
    begin = end - FIRST_LOOK if through is None else min(through, end) - OVERLAP
    return Window(begin, end)


def deep_window(*, days: int, now: datetime, until: datetime | None = None) -> Window:
    """The last days, whatever was read before."""
    end = until or now - SETTLED_AFTER
    return Window(end - timedelta(days=days), end)


def last_night(now: datetime, zone: ZoneInfo) -> datetime:
    """The last time that the clock of finance struck three."""
    local = now.astimezone(zone)
    struck = datetime.combine(local.date(), NIGHTLY_AT, zone)
    if struck > local:
        struck = datetime.combine(local.date() - timedelta(days=1), NIGHTLY_AT, zone)
    return struck.astimezone(UTC)


def days_of(night: datetime, zone: ZoneInfo) -> int:
    """How far back the run of that night looks: on Sundays much further."""
    return WEEKLY_DAYS if night.astimezone(zone).weekday() == SUNDAY else NIGHTLY_DAYS
