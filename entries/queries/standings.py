"""Who stands where in a pool.

Winners come first, then who is still in, then the others by how far they came; equals share a rank. Void places have
none. Where an entry stands is one number that the database can sort, count and index.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, QuerySet

from entries.models import Entry
from entries.models.entry import STANDING, EntryStatus
from entries.queries.grades import IN_PLAY_SQL, RESULT_SQL, RULES_SQL, SAT_OUT_SQL, VISIBLE_SQL
from entries.queries.reveal import revealed_rounds
from pools.models import Pool

PICKS = f"""
    SELECT k.entry_id, r.number, t.code, {RESULT_SQL}
    FROM entries_pick k
    JOIN entries_entry e ON e.id = k.entry_id
    JOIN pools_pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.id = k.round_id
    JOIN pools_team t ON t.id = k.team_id
    JOIN pools_game g ON g.id = k.game_id
    {RULES_SQL}
    WHERE k.entry_id = ANY(%(entries)s) AND {IN_PLAY_SQL} AND NOT {SAT_OUT_SQL} AND {VISIBLE_SQL}
    ORDER BY r.number, k.slot
"""

ROUNDS_PLAYED = """
    SELECT count(*) FROM pools_pool p
    JOIN pools_round r ON r.competition_id = p.competition_id
        AND r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number)
    WHERE p.id = %(pool)s AND r.id = ANY(%(rounds)s) AND NOT EXISTS (
        SELECT 1 FROM pools_game g WHERE g.round_id = r.id AND g.status NOT IN ('final', 'cancelled', 'postponed'))
"""


class StandingPick(NamedTuple):
    """A revealed pick."""

    round: int
    team: str
    result: str


class Standing(NamedTuple):
    """One entry's place."""

    rank: int
    entry: int
    display_name: str
    number: int
    status: str
    strikes: int
    eliminated_round: int | None
    rounds_survived: int
    picks: Sequence[StandingPick]


def standing_entries(pool: Pool) -> QuerySet[Entry]:
    """The pool's entries that count, with `standing` to sort by: the smaller, the better."""
    return Entry.objects.counted().filter(pool=pool).annotate(standing=STANDING).select_related("user")


def standings_of(pool: Pool, entries: Sequence[Entry]) -> list[Standing]:
    """These entries of `standing_entries` with rank and revealed picks, in a constant number of queries."""
    revealed = list(revealed_rounds(pool.competition_id))
    groups, played = _groups(pool), _rounds_played(pool, revealed)
    picks = _picks([entry.pk for entry in entries])
    return [
        Standing(
            rank=1 + sum(count for standing, count in groups if standing < _standing(entry)),
            entry=entry.pk,
            display_name=entry.user.display_name,
            number=entry.number,
            status=entry.status,
            strikes=entry.strikes,
            eliminated_round=entry.eliminated_round_number,
            rounds_survived=_survived(pool, entry, played),
            picks=picks[entry.pk],
        )
        for entry in entries
    ]


def _standing(entry: Entry) -> int:
    return int(entry.standing)  # type: ignore[attr-defined]  # annotated by `standing_entries`


def _groups(pool: Pool) -> list[tuple[int, int]]:
    """How many entries stand where: a few dozen pairs, however many entries there are."""
    counts = Entry.objects.counted().filter(pool=pool).values(standing=STANDING).annotate(entries=Count("id"))
    return list(counts.order_by().values_list("standing", "entries"))


def _rounds_played(pool: Pool, revealed: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(ROUNDS_PLAYED, {"pool": pool.pk, "rounds": revealed})
        return int(cursor.fetchone()[0])


def _survived(pool: Pool, entry: Entry, played: int) -> int:
    if entry.status == EntryStatus.ELIMINATED and entry.eliminated_round_number is not None:
        return entry.eliminated_round_number - pool.first_round_number
    return played


def _picks(entry_ids: list[int]) -> dict[int, list[StandingPick]]:
    found: dict[int, list[StandingPick]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(PICKS, {"entries": entry_ids})
        for entry_id, *pick in cursor.fetchall():
            found[entry_id].append(StandingPick(*pick))
    return found
