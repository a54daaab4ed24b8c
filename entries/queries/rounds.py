"""A round of a pool once it is revealed: how the picks were spread, and what became of every entry that played it.

Where each game locks for itself, a round shows as much as is revealed: until it is closed, an entry that has not picked
looks like one whose pick is secret still.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection
from django.db.models import TextChoices

from config.errors import Code, Forbidden, NotFound
from config.phrases import phrase
from entries.queries.grades import (
    ASKED_SQL,
    CLOSED_SQL,
    IN_PLAY_SQL,
    RESULT_SQL,
    RULES_SQL,
    SAT_OUT_SQL,
    VISIBLE_SQL,
)
from entries.queries.reveal import is_revealed
from entries.queries.tallies import PICKED
from pools.models import Pool, Round
from pools.queries import rounds_of

CHUNK = 2000

# From tallies: some dozens of rows, however many picks.
DISTRIBUTION = f"""
    SELECT t.code, sum(k.picks)::bigint AS picks, {RESULT_SQL} AS result
    FROM (SELECT 0 AS id, round_id, game_id, team_id, slot, sum(picks) AS picks FROM ({PICKED}) rows
          GROUP BY round_id, game_id, team_id, slot HAVING sum(picks) > 0) k
    JOIN pools_pool p ON p.id = %(pool)s
    JOIN pools_round r ON r.id = k.round_id
        AND r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number)
    JOIN pools_team t ON t.id = k.team_id
    JOIN pools_game g ON g.id = k.game_id
    {RULES_SQL}
    WHERE {VISIBLE_SQL}
    GROUP BY t.code, result ORDER BY picks DESC, t.code
"""

REPORT = f"""
    SELECT e.id, e.reference, u.display_name, e.number, t.code, g.external_id, home.code, away.code,
           CASE WHEN g.status = 'final' THEN g.home_score END, CASE WHEN g.status = 'final' THEN g.away_score END,
           CASE WHEN k.id IS NOT NULL OR {CLOSED_SQL} THEN {RESULT_SQL} ELSE 'pending' END, k.source,
           CASE WHEN e.eliminated_round_number = r.number THEN 'eliminated'
                WHEN e.status = 'winner' AND p.ended_round_number = r.number THEN 'winner' ELSE 'alive' END,
           CASE WHEN e.eliminated_round_number = r.number THEN e.eliminated_code END,
           rules.version
    FROM entries_entry e
    JOIN accounts_user u ON u.id = e.user_id
    JOIN pools_pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.id = %(round)s
    {RULES_SQL}
    JOIN generate_series(1, 2) AS asked (slot) ON asked.slot <= {ASKED_SQL}
    LEFT JOIN (entries_pick k JOIN pools_game g ON g.id = k.game_id)
        ON k.entry_id = e.id AND k.round_id = r.id AND k.slot = asked.slot AND {VISIBLE_SQL}
    LEFT JOIN pools_team t ON t.id = k.team_id
    LEFT JOIN pools_team home ON home.id = g.home_id
    LEFT JOIN pools_team away ON away.id = g.away_id
    WHERE e.pool_id = %(pool)s AND e.status <> 'void' AND {IN_PLAY_SQL} AND NOT {SAT_OUT_SQL}
    ORDER BY e.id, asked.slot
"""


class Fate(TextChoices):
    """What the round made of an entry, as far as it is settled."""

    ALIVE = "alive"
    ELIMINATED = "eliminated"
    WINNER = "winner"


class Spread(NamedTuple):
    """One team's part of a round: `share` of all picks, from 0 to 1."""

    team: str
    picks: int
    share: float
    result: str


class ReportLine(NamedTuple):
    """One entry in a round, or one of its picks where the round asks for two. `rules_version` is what grades it."""

    entry: int
    reference: str
    display_name: str
    number: int
    team: str | None
    game: str | None
    home: str | None
    away: str | None
    home_score: int | None
    away_score: int | None
    result: str
    source: str | None
    fate: str
    eliminated_reason: str | None
    rules_version: int


def revealed_round(pool: Pool, number: int) -> Round:
    """The pool's round of this number. Refuses one that the pool does not play, and one whose picks are secret."""
    round_ = rounds_of(pool).filter(number=number).first()
    if round_ is None:
        raise NotFound(Code.NOT_FOUND, "The pool has no such round.")
    if not is_revealed(round_):
        raise Forbidden(
            Code.FORBIDDEN,
            phrase("Round {round} is not locked yet; its picks are secret.", round=number),
            {"round": number},
        )
    return round_


def distribution(pool: Pool, round_: Round) -> list[Spread]:
    """How the picks of a revealed round were spread, the most picked team first."""
    with connection.cursor() as cursor:
        cursor.execute(DISTRIBUTION, {"pool": pool.pk, "rounds": [round_.pk]})
        rows = cursor.fetchall()
    total = sum(picks for _, picks, _ in rows)
    return [Spread(team, picks, round(picks / total, 4), result) for team, picks, result in rows]


def report_lines(pool: Pool, round_: Round) -> Iterator[ReportLine]:
    """Every entry that was in play in a revealed round, in the order of ids.

    All lines show one moment: the server keeps the whole answer while it is being sent, however slowly.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(REPORT, {"pool": pool.pk, "round": round_.pk})
        while rows := cursor.fetchmany(CHUNK):
            yield from (ReportLine(*row) for row in rows)
