"""Reading entries, and the picks that a certain person may see of them.

An entry's owner sees all of its picks; everybody else, staff included, those of revealed rounds alone. That somebody
has picked is no secret to staff, so the number of picks is told in full. What was picked ahead for rounds after the
entry's elimination, or after the pool's end, is cancelled: nobody sees or counts it.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from entries.models import Entry, EntryStatus
from entries.models.entry import EntryQuerySet
from entries.queries.grades import IN_PLAY_SQL, RESULT_SQL, RULES_SQL
from entries.queries.reveal import revealed_rounds
from pools.models import PoolStatus, Round

USED = f"""
    SELECT k.entry_id, t.code, e.user_id = %(viewer)s OR r.revealed_at IS NOT NULL
    FROM entries_pick k
    JOIN entries_entry e ON e.id = k.entry_id
    JOIN pools_pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.id = k.round_id
    JOIN pools_team t ON t.id = k.team_id
    WHERE k.entry_id = ANY(%(entries)s) AND {IN_PLAY_SQL}
    ORDER BY r.number, k.slot
"""

# A round without a pick was missed once it is revealed; a void entry misses nothing.
PICKS = f"""
    SELECT r.id, r.number, t.code, k.game_id, {RESULT_SQL}, k.source, r.locks_at <= clock_timestamp(), k.picked_at,
           k.rules_version, k.nonce
    FROM entries_entry e
    JOIN pools_pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.competition_id = p.competition_id AND {IN_PLAY_SQL}
    LEFT JOIN entries_pick k ON k.entry_id = e.id AND k.round_id = r.id
    LEFT JOIN pools_team t ON t.id = k.team_id
    LEFT JOIN pools_game g ON g.id = k.game_id
    {RULES_SQL}
    WHERE e.id = %(entry)s AND (r.id = ANY(%(revealed)s) OR e.user_id = %(viewer)s AND k.id IS NOT NULL)
      AND (k.id IS NOT NULL OR e.status <> 'void')
    ORDER BY r.number, k.slot
"""


class Used(NamedTuple):
    """What an entry has picked so far, as far as the viewer may know."""

    teams: list[str]
    picks: int


class ShownPick(NamedTuple):
    """A pick that the viewer may see, or a round that was missed: then there is no team and no game."""

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


def entries_in_full(entries: EntryQuerySet, now: datetime) -> QuerySet[Entry]:
    """The entries with their pool, and `next_lock_at` while there is something to pick for."""
    upcoming = Round.objects.filter(
        competition=OuterRef("pool__competition"),
        number__range=(OuterRef("pool__first_round_number"), OuterRef("pool__last_round_number")),
        locks_at__gt=now,
    ).order_by("locks_at")
    return entries.select_related("pool").annotate(upcoming_lock_at=Subquery(upcoming.values("locks_at")[:1]))


def next_lock_at(entry: Entry) -> datetime | None:
    """When an entry of `entries_in_full` must have picked next; None where it cannot pick any more."""
    if entry.status != EntryStatus.ACTIVE or entry.pool.status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        return None
    found: datetime | None = entry.upcoming_lock_at  # type: ignore[attr-defined]  # annotated by `entries_in_full`
    return found


def used_by(entries: Sequence[Entry], *, viewer_id: int) -> dict[int, Used]:
    """What each entry has picked, in the order of rounds, in one query.

    For other people's entries a round counts as revealed a few seconds after its lock, when the scheduler or a reader
    of its pool has revealed it.
    """
    found: dict[int, Used] = defaultdict(lambda: Used([], 0))
    with connection.cursor() as cursor:
        cursor.execute(USED, {"entries": [entry.pk for entry in entries], "viewer": viewer_id})
        for entry_id, team, is_visible in cursor.fetchall():
            teams, picks = found[entry_id]
            found[entry_id] = Used([*teams, team] if is_visible else teams, picks + 1)
    return found


def picks_of(entry: Entry, *, viewer_id: int) -> list[ShownPick]:
    """The entry's picks that the viewer may see, and the rounds it missed, in play order."""
    revealed = list(revealed_rounds(entry.pool.competition_id))
    with connection.cursor() as cursor:
        cursor.execute(PICKS, {"entry": entry.pk, "viewer": viewer_id, "revealed": revealed})
        return [ShownPick(*row) for row in cursor.fetchall()]
