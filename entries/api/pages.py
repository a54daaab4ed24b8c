"""Standings and rounds as pages that everybody sees the same, each in one statement; PostgreSQL writes the JSON.

They show what `entries.queries.standings` and `entries.queries.rounds` show; a test holds them against each other.
"""

import json
from collections.abc import Mapping
from typing import Any

from config.api.conditional import weak
from config.api.envelope import Encoded, encode
from config.api.envelope import Page as Items
from config.api.pagination import sign_position
from config.pages.registry import Asked, Page, Shown, number_up_to, one_of, register
from config.pages.versions import Version
from config.prepared import Statement, numbered
from entries.api.report_files import report_data
from entries.models import EntryStatus
from entries.queries.grades import IN_PLAY_SQL, RESULT_SQL, RULES_SQL, SAT_OUT_SQL, VISIBLE_SQL
from entries.queries.reveal import is_revealed, revealed_rounds
from entries.queries.rounds import distribution
from entries.queries.standings import LARGEST_ID, STANDINGS_OF_STATUS
from pools.api.pages import horizon, pool_page, round_page, rounds_page, versions_of
from pools.models import Pool, Round
from pools.queries import rounds_of
from pools.queries.statistics import pool_numbers

POOL_PATH = r"/api/v1/pools/(?P<pool>[0-9]{1,18})"
ROUND_PATH = POOL_PATH + r"/rounds/(?P<number>[0-9]{1,4})"
# Pages deeper than this, and of odd lengths, are read from the rows each time: nobody fills our memory with them.
PARTS = {"page": number_up_to(50), "limit": one_of("20", "50", "100")}
# A report of more entries, some 300 kB, is read while it is sent.
LARGEST_REPORT = 2_000

STANDING_SQL = """(CASE WHEN e.status = 'winner' THEN 0 WHEN e.status = 'active' THEN 1
                   ELSE 100000 - e.eliminated_round_number END)"""
STANDINGS = f"""
    WITH rounds AS MATERIALIZED (
        SELECT r.id, r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number)
            AND r.revealed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pools_game g WHERE g.round_id = r.id
                AND g.status NOT IN ('final', 'cancelled', 'postponed')) AS is_played,
            r.revealed_at IS NULL AND r.locks_at <= clock_timestamp() OR EXISTS (SELECT 1 FROM pools_game g
                WHERE g.round_id = r.id AND g.revealed_at IS NULL AND g.locks_at <= clock_timestamp()) AS is_due
        FROM pools_pool p JOIN pools_round r ON r.competition_id = p.competition_id WHERE p.id = %(pool)s
    ), groups AS MATERIALIZED (
        SELECT standing, entries, sum(entries) OVER (ORDER BY standing) - entries AS ahead FROM (
            SELECT CASE t.status WHEN 'winner' THEN 0 WHEN 'active' THEN 1 ELSE 100000 - t.eliminated_round_number END
                AS standing, sum(t.entries)::bigint AS entries
            FROM entries_entrytally t WHERE t.pool_id = %(pool)s AND t.status <> 'void' GROUP BY 1
        ) counted
    ), page AS MATERIALIZED (
        SELECT e.*, {STANDING_SQL} AS standing FROM entries_entry e
        WHERE e.pool_id = %(pool)s AND e.status <> 'void' AND {STANDING_SQL} >= %(best)s
            AND ({STANDING_SQL}, e.id) <= (%(worst)s, %(largest)s)
        ORDER BY {STANDING_SQL}, e.id LIMIT %(limit)s OFFSET %(offset)s
    ), picks AS (
        SELECT k.entry_id, json_agg(json_build_object('round', r.number, 'team', t.code, 'result', {RESULT_SQL})
                                    ORDER BY r.number, k.slot) AS picks
        FROM entries_pick k
        JOIN page e ON e.id = k.entry_id
        JOIN pools_pool p ON p.id = e.pool_id
        JOIN pools_round r ON r.id = k.round_id
        JOIN pools_team t ON t.id = k.team_id
        JOIN pools_game g ON g.id = k.game_id
        {RULES_SQL}
        WHERE {IN_PLAY_SQL} AND NOT {SAT_OUT_SQL} AND {VISIBLE_SQL}
        GROUP BY k.entry_id
    )
    SELECT coalesce((SELECT array_to_json(array_agg(line)) FROM (
            SELECT 1 + groups.ahead AS rank, e.id AS entry, u.display_name, e.number, e.status, e.strikes,
                e.eliminated_round_number AS eliminated_round,
                CASE WHEN e.status = 'eliminated' AND e.eliminated_round_number IS NOT NULL
                     THEN e.eliminated_round_number - p.first_round_number
                     ELSE (SELECT count(*) FROM rounds WHERE is_played) END AS rounds_survived,
                coalesce(picks.picks, '[]') AS picks
            FROM page e
            JOIN accounts_user u ON u.id = e.user_id
            LEFT JOIN groups ON groups.standing = e.standing
            LEFT JOIN picks ON picks.entry_id = e.id
            ORDER BY e.standing, e.id
        ) line)::text, '[]'),
        (SELECT coalesce(sum(entries), 0)::bigint FROM groups WHERE standing BETWEEN %(best)s AND %(worst)s),
        (SELECT array[e.standing, e.id] FROM page e ORDER BY e.standing DESC, e.id DESC LIMIT 1),
        (SELECT coalesce(bool_or(is_due), false) FROM rounds), p.competition_id
    FROM pools_pool p WHERE p.id = %(pool)s AND p.status <> 'draft'
"""
# Its values, in the order of their numbers.
KINDS = {"pool": "bigint", "best": "int", "worst": "int", "largest": "bigint", "limit": "bigint", "offset": "bigint"}
# Planned once for each connection: that takes about as long as reading what it finds.
STANDINGS_BY_NUMBER = numbered(STANDINGS, KINDS)
_PREPARED = Statement("standings", STANDINGS_BY_NUMBER)


def standings_page(asked: Asked) -> Shown | None:
    """One page of the standings."""
    page, limit = int(asked.query.get("page", 1)), int(asked.query.get("limit", 20))
    status = asked.query.get("status")
    best, worst = (0, 100_000) if status is None else STANDINGS_OF_STATUS[EntryStatus(status)]
    values = {
        "pool": asked.pool, "best": best, "worst": worst, "largest": LARGEST_ID, "limit": limit,
        "offset": (page - 1) * limit,
    }  # fmt: skip
    found = _standings(values)
    if found is not None and found[3]:
        # A lock has passed: whoever looks first reveals what it hid, and then reads it.
        revealed_rounds(found[4])
        found = _standings(values)
    if found is None:
        return None
    data, total, last, *_ = found
    pagination: dict[str, Any] = {"page": page, "limit": limit, "total": total, "next_cursor": None}
    after = last if last is not None and page * limit < total else None
    if after is not None:
        filters = [("status", status)] if status is not None else []
        pagination["next_cursor"] = sign_position((None, asked.path, filters), after)
    return Shown(Encoded(data.encode(), pagination), tuple(after or ()))


def _standings(values: Mapping[str, int]) -> tuple[str, int, list[int] | None, bool, int] | None:
    """The lines, how many there are of all pages, where the last line stands, whether a reveal is due, and where."""
    told = _PREPARED.row(*(b"%d" % values[name] for name in KINDS))
    if told is None:
        return None
    data, total, last, is_due, competition = told
    return data, int(total), json.loads(f"[{last[1:-1]}]") if last else None, is_due == "t", int(competition)


def distribution_page(asked: Asked) -> Shown | None:
    """How the picks of a round were spread; None while they are secret."""
    found = _revealed(asked)
    if found is None:
        return None
    page, limit = int(asked.query.get("page", 1)), int(asked.query.get("limit", 20))
    spread = [line._asdict() for line in distribution(*found)]
    items = spread[(page - 1) * limit : page * limit]
    return Shown(encode(Items(items, {"page": page, "limit": limit, "total": len(spread)})))


def report_page(asked: Asked) -> Shown | None:
    """What became of every entry in a round; None while picks are secret, and where a pool is too large to be kept."""
    found = _revealed(asked)
    if found is None or pool_numbers([asked.pool])[asked.pool].entries_total > LARGEST_REPORT:
        return None
    return Shown(Encoded(report_data(*found)))


def _revealed(asked: Asked) -> tuple[Pool, Round] | None:
    """The pool and its round, where everybody may see what was picked."""
    pool = Pool.objects.public().filter(pk=asked.pool).first()
    round_ = rounds_of(pool).filter(number=asked.number).first() if pool is not None else None
    return None if pool is None or round_ is None or not is_revealed(round_) else (pool, round_)


def until(pool_id: int) -> float | None:
    """The instant until which pages built now hold, after revealing what is due; infinity where nothing lies ahead.

    None where a lock has passed and picks are still on their way in: who looks next may see more.
    """
    found = horizon(pool_id)
    if found is not None and found[1]:
        revealed_rounds(found[2])
        found = horizon(pool_id)
    if found is None or found[1]:
        return None
    return float("inf") if found[0] is None else found[0]


def version_tag(pool_id: int) -> str | None:
    """The tag of whatever is told of the pool as it stands, without looking at any of it; None where it may change."""
    if until(pool_id) is None:
        return None
    version: Version | None = versions_of(frozenset((pool_id,))).get(pool_id)
    return None if version is None else weak(f"v{version.text}")


def register_pages() -> None:
    """Make known which pages there are. Called once, when Django starts."""
    register(
        versions_of,
        until,
        Page("pool", POOL_PATH, lambda asked: Shown.of(pool_page(asked.pool))),
        Page("rounds", POOL_PATH + "/rounds", rounds_page, PARTS),
        Page("round", ROUND_PATH, round_page),
        Page("standings", POOL_PATH + "/standings", standings_page, PARTS | {"status": one_of(*STANDINGS_OF_STATUS)}),
        Page("distribution", ROUND_PATH + "/distribution", distribution_page, PARTS),
        Page("report", ROUND_PATH + r"/report\.json", report_page),
    )
