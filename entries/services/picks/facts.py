"""Everything the rules ask about a pick, in one statement that also locks the entry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from config.errors import Code, NotFound
from entries.models.pick_guards import rules_of
from entries.queries.grades import ASKED_SQL, CLOSES_AT_SQL, RULES_SQL, VOID_SQL
from pools.models import GameStatus

OFF = (GameStatus.CANCELLED, GameStatus.POSTPONED)


class RoundFacts(NamedTuple):
    """Of the entry and the round. `fixed` are the teams it cannot give up any more, because their games have begun.

    `closes_at` is the last moment at which any pick of the round can change.
    """

    entry_status: str
    pool_id: int
    pool_status: str
    round_id: int | None
    closes_at: datetime | None
    is_closed: bool | None
    lock: str | None
    rules_version: int | None
    asked: int | None
    reuse_limit: int | None
    fixed: list[str]


class TeamFacts(NamedTuple):
    """Of one team asked for. `used_in` are the other rounds in which it counts as used; `stands`: it is picked."""

    code: str
    team_id: int | None
    stands: bool
    game_id: int | None
    game_status: str | None
    has_started: bool | None
    used_in: list[int]

    @property
    def is_playable(self) -> bool:
        """Its game can be picked now."""
        return self.game_id is not None and self.game_status == GameStatus.SCHEDULED and not self.has_started


# The game is the team's first that can still be picked; where there is none, the one to tell about.
# FOR NO KEY UPDATE OF e: two saves for one entry come one after the other; references to the entry do not wait. What
# this statement read before it waited may be old: the write looks again, and the guards have the last word.
GATHER = f"""
    SELECT e.status, p.id, p.status, r.id, closes.at, closes.at <= clock_timestamp(), rules.lock, rules.version,
           {ASKED_SQL}, rules.reuse_limit, coalesce(standing.fixed, '{{}}'),
           asked.code, t.id, coalesce(t.id = ANY(standing.teams), false), game.id, game.status, game.has_started,
           coalesce(used.rounds, '{{}}')
    FROM entries_entry e
    JOIN pools_pool p ON p.id = e.pool_id
    LEFT JOIN pools_round r ON r.competition_id = p.competition_id AND r.number = %(round)s
        AND r.number BETWEEN greatest(p.first_round_number, e.first_round_number) AND p.last_round_number
    {RULES_SQL}
    LEFT JOIN LATERAL (SELECT {CLOSES_AT_SQL} AS at) closes ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(k.team_id) AS teams,
               array_agg(own.code ORDER BY k.slot) FILTER (WHERE rules.lock = 'game' AND g.round_id = r.id
                                                           AND g.locks_at <= clock_timestamp()) AS fixed
        FROM entries_pick k JOIN pools_game g ON g.id = k.game_id JOIN pools_team own ON own.id = k.team_id
        WHERE k.entry_id = e.id AND k.round_id = r.id
    ) standing ON true
    CROSS JOIN unnest(%(teams)s::text[]) WITH ORDINALITY AS asked (code, nth)
    LEFT JOIN pools_team t ON t.competition_id = p.competition_id AND t.code = asked.code
    LEFT JOIN LATERAL (
        SELECT id, status, least(locks_at, kickoff_at) <= clock_timestamp() AS has_started FROM pools_game
        WHERE round_id = r.id AND t.id IN (home_id, away_id)
        ORDER BY status = 'scheduled' AND least(locks_at, kickoff_at) > clock_timestamp() DESC,
                 status = ANY(%(off)s), kickoff_at, id
        LIMIT 1
    ) game ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(u.number ORDER BY u.number) AS rounds
        FROM entries_pick k
        JOIN pools_round u ON u.id = k.round_id
        JOIN pools_game g ON g.id = k.game_id
        CROSS JOIN LATERAL {rules_of("e.pool_id", "u.number", "tie, cancelled_game")} law
        WHERE k.entry_id = e.id AND k.team_id = t.id AND k.round_id <> r.id
          AND (rules.reuse_reset_round IS NULL
               OR (u.number >= rules.reuse_reset_round) = (r.number >= rules.reuse_reset_round))
          AND NOT ({VOID_SQL.replace("rules.", "law.")})
    ) used ON true
    WHERE e.id = %(entry)s AND e.user_id = %(user)s
    ORDER BY asked.nth
    FOR NO KEY UPDATE OF e
"""

SHARED = len(RoundFacts._fields)


def gather(
    *, entry_id: int, user_id: int, round_number: int, teams: Sequence[str]
) -> tuple[RoundFacts, list[TeamFacts]]:
    """Lock the user's entry and gather the facts. Refuses with NOT_FOUND when it is not the user's."""
    ask: dict[str, Any] = {
        "entry": entry_id,
        "user": user_id,
        "round": round_number,
        "teams": list(teams),
        "off": [str(status) for status in OFF],
    }
    with connection.cursor() as cursor:
        cursor.execute(GATHER, ask)
        rows = cursor.fetchall()
    if not rows:
        raise NotFound(Code.NOT_FOUND, "There is no such entry.")
    return RoundFacts(*rows[0][:SHARED]), [TeamFacts(*row[SHARED:]) for row in rows]
