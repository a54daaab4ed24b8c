"""Who stands where in a pool.

Winners come first, then who is still in, then the others by how far they came; equals share a rank. Void places have
none. Where an entry stands is one number that the database can sort, count and index.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet

from config.row_order import RowComparison
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

# How many entries stand where, however many there are: a few dozen pairs. And how many rounds the pool has played.
SUMMARY = """
    SELECT (
        SELECT count(*) FROM pools_pool p
        JOIN pools_round r ON r.competition_id = p.competition_id
            AND r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number)
        WHERE p.id = %(pool)s AND r.id = ANY(%(rounds)s) AND NOT EXISTS (
            SELECT 1 FROM pools_game g WHERE g.round_id = r.id AND g.status NOT IN ('final', 'cancelled', 'postponed'))
    ), CASE t.status WHEN 'winner' THEN 0 WHEN 'active' THEN 1 ELSE 100000 - t.eliminated_round_number END AS standing,
    sum(t.entries)::bigint
    FROM entries_entrytally t WHERE t.pool_id = %(pool)s AND t.status <> 'void'
    GROUP BY standing
"""

# Where the entries of a status stand: what the index on standings can find, unlike the status itself.
STANDINGS_OF_STATUS = {
    EntryStatus.WINNER: (0, 0),
    EntryStatus.ACTIVE: (1, 1),
    EntryStatus.ELIMINATED: (2, 100_000),
}
LARGEST_ID = 2**63 - 1


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


class Standings:
    """The standings of a pool. What is asked of all its entries comes from tallies, not from the entries."""

    def __init__(self, pool: Pool) -> None:
        revealed = list(revealed_rounds(pool.competition_id))
        with connection.cursor() as cursor:
            cursor.execute(SUMMARY, {"pool": pool.pk, "rounds": revealed})
            rows = cursor.fetchall()
        self._pool = pool
        self._played = rows[0][0] if rows else 0
        self._groups: dict[int, int] = {standing: entries for _, standing, entries in rows}

    def entries(self, status: str | None = None) -> QuerySet[Entry]:
        """The entries that count, or those of a status, with `standing` to sort by: the smaller, the better."""
        entries = Entry.objects.counted().filter(pool=self._pool).annotate(standing=STANDING).select_related("user")
        if status is None:
            return entries
        best, worst = STANDINGS_OF_STATUS[EntryStatus(status)]
        # Not BETWEEN: the planner takes a range of what it has no statistics of for so few rows that it sorts them.
        until_the_last = RowComparison(("standing", "id"), "<=", (worst, LARGEST_ID))
        return entries.filter(until_the_last, standing__gte=best)

    def total(self, status: str | None = None) -> int:
        """How many these are."""
        best, worst = (0, 100_000) if status is None else STANDINGS_OF_STATUS[EntryStatus(status)]
        return sum(entries for standing, entries in self._groups.items() if best <= standing <= worst)

    def of(self, entries: Sequence[Entry]) -> list[Standing]:
        """These of `entries()` with rank and revealed picks, in one query."""
        picks = _picks([entry.pk for entry in entries])
        return [
            Standing(
                rank=self._rank(_standing(entry)),
                entry=entry.pk,
                display_name=entry.user.display_name,
                number=entry.number,
                status=entry.status,
                strikes=entry.strikes,
                eliminated_round=entry.eliminated_round_number,
                rounds_survived=self._survived(entry),
                picks=picks[entry.pk],
            )
            for entry in entries
        ]

    def _rank(self, mine: int) -> int:
        return 1 + sum(self._groups[standing] for standing in self._groups if standing < mine)

    def _survived(self, entry: Entry) -> int:
        if entry.status == EntryStatus.ELIMINATED and entry.eliminated_round_number is not None:
            return entry.eliminated_round_number - self._pool.first_round_number
        return self._played


def _standing(entry: Entry) -> int:
    return int(entry.standing)  # type: ignore[attr-defined]  # annotated by `standing_entries`


def _picks(entry_ids: list[int]) -> dict[int, list[StandingPick]]:
    found: dict[int, list[StandingPick]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(PICKS, {"entries": entry_ids})
        for entry_id, *pick in cursor.fetchall():
            found[entry_id].append(StandingPick(*pick))
    return found
