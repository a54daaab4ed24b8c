"""The rounds that need somebody now: in play, without results, or with something that was typed or ruled half."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from entries.models import Ruling, RulingStatus
from entries.queries.rulings import rounds_concerned, rulings_in_full
from pools.models import Pool, PoolStatus
from pools.queries.game_desk import LONGEST_GAME, RULED_SINCE_SQL

MOST_ROUNDS, MOST_POOLS, MOST_RULINGS = 40, 200, 200

# Of competitions in play, the locked rounds that still have something open.
OPEN_ROUNDS = f"""
    SELECT r.id, r.competition_id, c.name, r.number, r.name, r.locks_at, count(*),
           count(*) FILTER (WHERE g.status IN ('final', 'cancelled', 'postponed')),
           count(*) FILTER (WHERE g.status = 'in_progress'),
           count(*) FILTER (WHERE g.status IN ('scheduled', 'in_progress')
                            AND g.kickoff_at < clock_timestamp() - %(longest)s::interval),
           count(*) FILTER (WHERE g.review <> ''),
           count(*) FILTER (WHERE typed.status = 'once'),
           count(*) FILTER (WHERE typed.is_contradicted)
    FROM pools_round r
    JOIN pools_competition c ON c.id = r.competition_id
    JOIN pools_game g ON g.round_id = r.id
    LEFT JOIN LATERAL (
        SELECT t.status, t.status = 'differs' AND g.status IN ('scheduled', 'in_progress')
               OR t.status = 'held'
               AND (g.home_score, g.away_score) IS DISTINCT FROM (t.home_score, t.away_score)
               AND NOT {RULED_SINCE_SQL.format(typed="t")} AS is_contradicted
        FROM pools_typedresult t
        WHERE t.game_id = g.id AND t.status <> 'withdrawn' ORDER BY t.id DESC LIMIT 1
    ) typed ON true
    WHERE r.locks_at <= clock_timestamp() AND EXISTS (
        SELECT 1 FROM pools_pool p WHERE p.competition_id = r.competition_id AND p.status IN ('open', 'running')
        AND r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number))
    GROUP BY r.id, c.name
    HAVING bool_or(g.status IN ('scheduled', 'in_progress') OR g.review <> '' OR typed.status = 'once'
                   OR typed.is_contradicted
                   OR r.number = ANY(%(ruled)s::int[]) AND r.competition_id = ANY(%(competitions)s::bigint[]))
    ORDER BY r.locks_at, r.id LIMIT %(limit)s
"""


@dataclass(slots=True)
class OpenRound:
    """A locked round with its games: how many are decided, in play, late, raised, typed once, or typed otherwise."""

    round_id: int
    competition_id: int
    competition: str
    number: int
    name: str
    locked_at: datetime
    games: int
    decided: int
    in_play: int
    late: int
    raised: int
    typed_once: int
    contradicted: int
    rulings: list[Ruling] = field(default_factory=list)
    pools: list[Pool] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Games without a result."""
        return self.games - self.decided

    @property
    def is_urgent(self) -> bool:
        """Whether it will not go on by itself."""
        return bool(self.late or self.raised or self.typed_once or self.contradicted or self.rulings)


def open_rounds() -> list[OpenRound]:
    """Those that will not go on by themselves first, then the longest locked; three queries."""
    ruled = _proposed()
    ask: dict[str, Any] = {
        "longest": LONGEST_GAME, "limit": MOST_ROUNDS,
        "ruled": sorted({number for _competition, number in ruled}),
        "competitions": sorted({competition for competition, _number in ruled}),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(OPEN_ROUNDS, ask)
        found = [OpenRound(*row) for row in cursor.fetchall()]
    in_play = Pool.objects.filter(
        competition__in={one.competition_id for one in found}, status__in=(PoolStatus.OPEN, PoolStatus.RUNNING)
    )
    # So many of each: those of a league with hundreds would leave no place for those of the next.
    place = Window(RowNumber(), partition_by=F("competition_id"), order_by="id")
    pools = in_play.annotate(place=place).filter(place__lte=MOST_POOLS).order_by("pk")
    for pool in pools:
        for one in found:
            span = range(pool.first_round_number, (pool.ended_round_number or pool.last_round_number) + 1)
            if one.competition_id == pool.competition_id and one.number in span:
                one.pools.append(pool)
    for one in found:
        one.rulings = ruled.get((one.competition_id, one.number), [])
    return sorted(found, key=lambda one: not one.is_urgent)


def rulings_waiting(competition_id: int, number: int) -> list[Ruling]:
    """Proposals about a round of a competition that wait for a second name, oldest first."""
    return _proposed(competition_id).get((competition_id, number), [])


def _proposed(competition_id: int | None = None) -> dict[tuple[int, int], list[Ruling]]:
    """By competition and number of the round, with what their sentences name."""
    rows = rulings_in_full().filter(status=RulingStatus.PROPOSED).order_by("pk")
    if competition_id is not None:
        rows = rows.filter(competition=competition_id)
    found = defaultdict[tuple[int, int], list[Ruling]](list)
    for ruling in rows[:MOST_RULINGS]:
        for number in rounds_concerned(ruling.details):
            found[ruling.competition_id, number].append(ruling)
    return found
