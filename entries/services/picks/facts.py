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

    `may_not_pick`: it is suspended, and its pool does not let it pick meanwhile. `closes_at` is the last moment at
    which any pick of the round can change; `has_more` than it asks for: a slot left from rules since amended.
    """

    entry_status: str
    may_not_pick: bool
    pool_id: int
    pool_status: str
    round_id: int | None
    closes_at: datetime | None
    is_closed: bool | None
    lock: str | None
    rules_version: int | None
    asked: int | None
    reuse_limit: int | None
    fixed: list[int]
    has_more: bool


class TeamFacts(NamedTuple):
    """Of one team asked for. `stands`: it is picked for the round; `picked_in`: in how many others."""

    code: str
    team_id: int | None
    stands: bool
    game_id: int | None
    game_status: str | None
    has_started: bool | None
    picked_in: int

    @property
    def is_playable(self) -> bool:
        """Its game can be picked now."""
        return self.game_id is not None and self.game_status == GameStatus.SCHEDULED and not self.has_started


def _facts(*, asked: str, round_number: str, whose: str, besides: str = "", order: str) -> str:
    """The statement, by what is asked for, of which entries.

    The game is the team's first that can still be picked; where there is none, the one to tell about.
    FOR NO KEY UPDATE OF e: two saves for one entry come one after the other; references to the entry do not wait. What
    this statement read before it waited may be old: the write looks again, and the guards have the last word.
    """
    return f"""
    SELECT e.status, e.is_suspended AND NOT p.suspended_may_pick, p.id, p.status, r.id, closes.at,
           closes.at <= clock_timestamp(), rules.lock, rules.version, {ASKED_SQL}, rules.reuse_limit,
           coalesce(standing.fixed, '{{}}'),
           coalesce(standing.last_slot > {ASKED_SQL}, false),
           asked.code, t.id, coalesce(t.id = ANY(standing.teams), false), game.id, game.status, game.has_started,
           (SELECT count(*) FROM entries_pick k WHERE k.entry_id = e.id AND k.team_id = t.id AND k.round_id <> r.id)
           {besides}
    FROM entries_entry e
    {asked}
    JOIN pools_pool p ON p.id = e.pool_id
    LEFT JOIN pools_round r ON r.competition_id = p.competition_id AND r.number = {round_number}
        AND r.number BETWEEN greatest(p.first_round_number, e.first_round_number) AND p.last_round_number
    {RULES_SQL}
    LEFT JOIN LATERAL (SELECT {CLOSES_AT_SQL} AS at) closes ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(k.team_id) AS teams, max(k.slot) AS last_slot,
               array_agg(k.team_id) FILTER (WHERE rules.lock = 'game' AND g.round_id = r.id
                                            AND g.locks_at <= clock_timestamp()) AS fixed
        FROM entries_pick k JOIN pools_game g ON g.id = k.game_id
        WHERE k.entry_id = e.id AND k.round_id = r.id
    ) standing ON true
    LEFT JOIN pools_team t ON t.competition_id = p.competition_id AND t.code = asked.code
    LEFT JOIN LATERAL (
        SELECT id, status, least(locks_at, kickoff_at) <= clock_timestamp() AS has_started FROM pools_game
        WHERE round_id = r.id AND t.id IN (home_id, away_id)
        ORDER BY status = 'scheduled' AND least(locks_at, kickoff_at) > clock_timestamp() DESC,
                 status IN ('cancelled', 'postponed'), kickoff_at, id
        LIMIT 1
    ) game ON true
    WHERE {whose}
    ORDER BY {order}
    FOR NO KEY UPDATE OF e
"""


GATHER = _facts(
    asked="CROSS JOIN unnest(%(teams)s::text[]) WITH ORDINALITY AS asked (code, nth)",
    round_number="%(round)s",
    whose="e.id = %(entry)s AND e.user_id = %(user)s",
    order="asked.nth",
)
# One team for each of many entries, locked in the order of their ids.
GATHER_MANY = _facts(
    asked="JOIN unnest(%(entries)s::bigint[], %(rounds)s::int[], %(teams)s::text[])"
    " AS asked (entry_id, round_number, code) ON asked.entry_id = e.id",
    round_number="asked.round_number",
    whose="e.user_id = %(user)s",
    besides=", e.id",
    order="e.id",
)

# As the guard counts them.
USES = f"""
    SELECT r.number
    FROM entries_entry e
    JOIN pools_round now ON now.id = %(round)s
    CROSS JOIN LATERAL {rules_of("e.pool_id", "now.number", "reuse_reset_round")} here
    JOIN entries_pick k ON k.entry_id = e.id AND k.team_id = %(team)s AND k.round_id <> now.id
    JOIN pools_round r ON r.id = k.round_id
    JOIN pools_game g ON g.id = k.game_id
    CROSS JOIN LATERAL {rules_of("e.pool_id", "r.number", "tie, cancelled_game")} rules
    WHERE e.id = %(entry)s AND NOT ({VOID_SQL})
      AND (here.reuse_reset_round IS NULL
           OR (r.number >= here.reuse_reset_round) = (now.number >= here.reuse_reset_round))
    ORDER BY r.number
"""

SHARED = len(RoundFacts._fields)


def gather(
    *, entry_id: int, user_id: int, round_number: int, teams: Sequence[str]
) -> tuple[RoundFacts, list[TeamFacts]]:
    """Lock the user's entry and gather the facts. Refuses with NOT_FOUND when it is not the user's."""
    ask: dict[str, Any] = {"entry": entry_id, "user": user_id, "round": round_number, "teams": list(teams)}
    with connection.cursor() as cursor:
        cursor.execute(GATHER, ask)
        rows = cursor.fetchall()
    if not rows:
        raise NotFound(Code.NOT_FOUND, "There is no such entry.")
    return RoundFacts(*rows[0][:SHARED]), [TeamFacts(*row[SHARED:]) for row in rows]


def gather_many(*, user_id: int, asked: Sequence[tuple[int, int, str]]) -> dict[int, tuple[RoundFacts, TeamFacts]]:
    """The same of many entries at once: (entry, round, team) each, no entry twice; by entry, the user's own alone."""
    entries, rounds, teams = (list(column) for column in zip(*asked, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(GATHER_MANY, {"user": user_id, "entries": entries, "rounds": rounds, "teams": teams})
        rows = cursor.fetchall()
    return {row[-1]: (RoundFacts(*row[:SHARED]), TeamFacts(*row[SHARED:-1])) for row in rows}


def uses(*, entry_id: int, round_id: int, team_id: int) -> list[int]:
    """The other rounds in which the entry has used the team, as far as they count for this one."""
    with connection.cursor() as cursor:
        cursor.execute(USES, {"entry": entry_id, "round": round_id, "team": team_id})
        return [number for (number,) in cursor.fetchall()]
