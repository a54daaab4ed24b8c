"""Entries with picks, and rounds that are played and settled."""

from entries.models import Entry, EntryStatus
from entries.queries.reveal import revealed_rounds
from entries.services.settlement import settle_competition
from pools.models import Pool, Round
from pools.services.telling import tell_locks
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import finish, lock_round, play_round


def enter(pool: Pool, *codes: str | None, **fields) -> Entry:
    """An entry with these picks for rounds 1, 2, 3 …; None is a round without a pick."""
    entry = EntryFactory(in_pool=pool, **fields)
    for number, code in enumerate(codes, start=1):
        if code:
            pick(entry, number, code)
    return entry


def play(pool: Pool, number: int, *winners: str) -> None:
    """The round is played and settled: these away sides win, else the home sides (every other code, the first too)."""
    play_round(pool.competition.rounds.get(number=number), winners=set(winners))
    settle_competition(competition_id=pool.competition_id)


def play_as_told(round_: Round) -> None:
    """From its lock to its settlement as the scheduler does it, so that each step is told; all home sides win."""
    lock_round(round_)
    tell_locks()
    revealed_rounds(round_.competition_id)
    for game in round_.games.all():
        finish(game, 1, 0)
    settle_competition(competition_id=round_.competition_id)


def void(entry: Entry) -> Entry:
    """Take the place back."""
    entry.status = EntryStatus.VOID
    entry.save(update_fields=["status"])
    return entry
