"""Reading the picks of one entry, and how they changed, as far as a certain person may."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import User
from entries.models import Entry, PickChange
from entries.queries.grades import (
    ASKED_SQL,
    CLOSED_SQL,
    CLOSES_AT_SQL,
    IN_PLAY_SQL,
    RULES_SQL,
    SAT_OUT_SQL,
    SHOWN_RESULT_SQL,
    VISIBLE_SQL,
)
from entries.queries.reveal import is_revealed, revealed_rounds
from pools.models import Pool, Round, Team

__all__ = [
    "RELEASED",
    "Released",
    "ShownPick",
    "is_history_public",
    "is_revealed",
    "pick_history",
    "picks_by_entry",
    "picks_of",
    "released_picks",
    "revealed_rounds",
]

# The reason that history gives where the rules took a pick back.
RELEASED = "the game is cancelled, postponed or moved to another round"

# One line for each pick that a round asks for. One that is not there was missed once the round is closed; a void entry
# misses nothing.
PICKS = f"""
    SELECT e.id, r.id, r.number, t.code, k.game_id, {SHOWN_RESULT_SQL}, k.source,
           coalesce({CLOSES_AT_SQL} <= clock_timestamp()
               OR rules.lock = 'game' AND g.round_id = k.round_id AND g.locks_at <= clock_timestamp(), false),
           k.picked_at, k.rules_version, k.nonce
    FROM entries_entry e
    JOIN pools_pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.competition_id = p.competition_id AND {IN_PLAY_SQL}
    {RULES_SQL}
    JOIN generate_series(1, 2) AS asked (slot) ON asked.slot <= {ASKED_SQL}
    LEFT JOIN entries_pick k ON k.entry_id = e.id AND k.round_id = r.id AND k.slot = asked.slot
    LEFT JOIN pools_team t ON t.id = k.team_id
    LEFT JOIN pools_game g ON g.id = k.game_id
    WHERE e.id = ANY(%(entries)s) AND NOT {SAT_OUT_SQL}
      AND CASE WHEN k.id IS NULL THEN e.status <> 'void' AND {CLOSED_SQL}
               ELSE e.user_id = %(viewer)s OR {VISIBLE_SQL} END
    ORDER BY e.id, r.number, asked.slot
"""

IS_CLOSED = f"""
    SELECT {CLOSED_SQL} FROM pools_pool p JOIN pools_round r ON r.id = %(round)s {RULES_SQL} WHERE p.id = %(pool)s
"""


# What was taken back and is still missing, while it can be picked again: the last team of each empty slot.
MISSING_AGAIN = f"""
    SELECT DISTINCT ON (r.number, c.slot) r.number, r.name, t.name, {CLOSES_AT_SQL}
    FROM entries_entry e
    JOIN pools_pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.competition_id = p.competition_id AND r.number = ANY(%(numbers)s) AND {IN_PLAY_SQL}
    {RULES_SQL}
    JOIN entries_pickchange c ON c.entry_id = e.id AND c.round_id = r.id AND c.to_team_id IS NULL
        AND c.reason = %(reason)s
    JOIN pools_team t ON t.id = c.from_team_id
    WHERE e.id = %(entry)s AND e.status = 'active' AND {CLOSES_AT_SQL} > clock_timestamp() AND NOT EXISTS (
        SELECT 1 FROM entries_pick k WHERE k.entry_id = e.id AND k.round_id = r.id AND k.slot = c.slot)
    ORDER BY r.number, c.slot, c.id DESC
"""


class ShownPick(NamedTuple):
    """A pick that the viewer may see, or one that was missed: then there is no team and no game."""

    round_id: int
    round: int
    team: str | None
    game: int | None
    result: str
    source: str | None
    locked: bool
    picked_at: datetime | None
    rules_version: int | None
    nonce: str | None


def picks_of(entry: Entry, *, viewer_id: int) -> list[ShownPick]:
    """The entry's picks that the viewer may see, and those it missed, in play order."""
    return picks_by_entry([entry], viewer_id=viewer_id).get(entry.pk, [])


def picks_by_entry(entries: Sequence[Entry], *, viewer_id: int) -> dict[int, list[ShownPick]]:
    """The same of several entries, whose pools are at hand, by their ids: one query, and one for each competition."""
    for competition_id in {entry.pool.competition_id for entry in entries}:
        revealed_rounds(competition_id)
    found: dict[int, list[ShownPick]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(PICKS, {"entries": [entry.pk for entry in entries], "viewer": viewer_id})
        for entry_id, *pick in cursor.fetchall():
            found[entry_id].append(ShownPick(*pick))
    return found


class Released(NamedTuple):
    """A pick that was taken back and not replaced yet. For its owner's eyes."""

    round: int
    round_name: str
    team: str
    until: datetime


def released_picks(*, entry_id: int, numbers: Sequence[int]) -> list[Released]:
    """What the rules took back in these rounds and the player can still replace, in play order."""
    with connection.cursor() as cursor:
        cursor.execute(MISSING_AGAIN, {"entry": entry_id, "numbers": list(numbers), "reason": RELEASED})
        return [Released(*row) for row in cursor.fetchall()]


def is_history_public(pool: Pool, round_: Round) -> bool:
    """Whether others than the owner may read how picks for the round changed: once none can arrive any more.

    Where each game locks for itself, that is later than the picks themselves: a change tells what else was thought of.
    """
    is_revealed(round_)
    with connection.cursor() as cursor:
        cursor.execute(IS_CLOSED, {"pool": pool.pk, "round": round_.pk})
        return bool(cursor.fetchone()[0])


def pick_history(*, entry_id: int, round_id: int) -> QuerySet[PickChange]:
    """Every change of the entry's picks for the round, oldest first. For the owner, or once the history is public.

    Adds the codes `from_team` and `to_team` (None for no pick), and `by`, the name of who did it (None: the system).
    """
    return (
        PickChange.objects.filter(entry_id=entry_id, round_id=round_id)
        .annotate(
            from_team=Subquery(Team.objects.filter(pk=OuterRef("from_team_id")).values("code")),
            to_team=Subquery(Team.objects.filter(pk=OuterRef("to_team_id")).values("code")),
            by=Subquery(User.objects.filter(pk=OuterRef("actor_id")).values("display_name")),
        )
        .order_by("id")
    )
