"""What can be true of a batch and of a result. Only feeds are asked: a person who imports a file has looked at it."""

from datetime import datetime

from pools.services.schedule.fixtures import League, ScheduleError

# A handful is news; more is another file.
ALWAYS_FEW = 3
ONE_IN = 10


def too_many(count: int, of: int) -> bool:
    """Whether so many games of a competition cannot all have changed at once."""
    return count > max(ALWAYS_FEW, of // ONE_IN)


def refuse_missing(missing: int, of: int) -> None:
    """Raises `ScheduleError` for a batch that lacks more than single games."""
    if too_many(missing, of):
        raise ScheduleError(f"{missing} of {of} games are missing: this is not the whole season.")


def refuse_raised(raised: int, of: int) -> None:
    """Raises `ScheduleError` for a batch that would raise more than single games."""
    if too_many(raised, of):
        raise ScheduleError(f"{raised} of {of} games would have to be raised for a ruling: this is another season's.")


def doubt(home: int, away: int, league: League) -> str:
    """What makes the score of a final game hardly true, or nothing."""
    is_likely = max(home, away) <= league.highest_likely_score and (home or away or league.nil_nil_happens)
    return "" if is_likely else f"a final {home}-{away}"


def is_too_soon(kickoff_at: datetime, now: datetime, league: League) -> bool:
    """Whether a game that kicked off then cannot have ended yet."""
    return now < kickoff_at + league.shortest_game
