"""What came of a rehearsal, read from the tables of settlement before they go: numbers, and no entry by itself."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.backends.utils import CursorWrapper

# Teams that are told, and different prizes.
MOST_TEAMS, MOST_PRIZES = 8, 12

ENDS = "SELECT p.pool_id, p.ended, p.alive FROM settling_pool p ORDER BY p.pool_id"
COUNTED = """
    SELECT pool_id, count(*) FILTER (WHERE status <> 'void') FROM entries_entry GROUP BY pool_id
"""
ROUNDS = """
    SELECT s.pool_id, s.number, r.name, s.is_revived
    FROM settling_round s JOIN pools_round r ON r.id = s.round_id JOIN settling_pool p ON p.pool_id = s.pool_id
    WHERE p.ended IS NULL OR s.number <= p.ended ORDER BY s.pool_id, s.number
"""
FALLEN = """
    SELECT pool_id, number, code, count(*) FROM settling_loss WHERE is_out GROUP BY 1, 2, 3
    UNION ALL
    SELECT c.pool_id, p.ended, 'tiebreak', count(*)
    FROM settling_place c JOIN settling_pool p ON p.pool_id = c.pool_id
    WHERE c.class = 1 AND c.is_alive GROUP BY 1, 2
"""
LIVES = "SELECT pool_id, number, count(*) FROM settling_loss WHERE NOT is_out GROUP BY 1, 2"
WINNERS = """
    SELECT pool_id, count(*) FILTER (WHERE class = 0), coalesce(sum(prize_cents), 0)::bigint
    FROM settling_place GROUP BY pool_id
"""
PRIZES = """
    SELECT pool_id, prize_cents, count(*) FROM settling_place WHERE prize_cents > 0
    GROUP BY pool_id, prize_cents ORDER BY pool_id, prize_cents DESC
"""
COLLECTED = "SELECT pool_id, sum(fee_cents * requests)::bigint FROM entries_feetally GROUP BY pool_id"
# Picks of entries that were in when the round locked, up to the end.
PICKED = """
    SELECT e.pool_id, k.team_id, count(*), count(*) FILTER (WHERE k.source IN ('fallback', 'favourite'))
    FROM entries_pick k
    JOIN entries_entry e ON e.id = k.entry_id AND e.status <> 'void'
    JOIN pools_round r ON r.id = k.round_id AND r.number >= e.first_round_number
    JOIN settling_pool p ON p.pool_id = e.pool_id AND (p.ended IS NULL OR r.number <= p.ended)
    LEFT JOIN settling_loss l ON l.entry_id = e.id AND l.is_out
    WHERE l.number IS NULL OR l.number >= r.number
    GROUP BY e.pool_id, k.team_id
"""
# Where both rule sets had the same player pick for a round, how often they did alike.
ALIKE = """
    SELECT count(*), count(*) FILTER (WHERE a.team_id = b.team_id)
    FROM rehearsed_entry x
    JOIN rehearsed_entry y ON y.n = x.n AND y.pool_id = 2
    JOIN entries_pick a ON a.entry_id = x.id
    JOIN entries_pick b ON b.entry_id = y.id AND (b.round_id, b.slot) = (a.round_id, a.slot)
    WHERE x.pool_id = 1
"""
REASONS = ("pick_lost", "pick_tied", "no_pick", "game_cancelled", "tiebreak")


def outcome(cursor: CursorWrapper, *, last_round: int, teams: Mapping[int, str]) -> list[dict[str, Any]]:
    """One dictionary for each rule set, in their order; `teams` are the names to call them by.

    Money is in minor units. `ended` is the round in which the pool ended, `ran_out` whether that was the last one with
    more than one entry still in. `rounds` go up to the end, each with who was left and why others were not.
    """
    counted = dict(_rows(cursor, COUNTED))
    collected = dict(_rows(cursor, COLLECTED))
    winners = {pool: (number, pot) for pool, number, pot in _rows(cursor, WINNERS)}
    prizes, picks, filled_in = _prizes(cursor), *_picks(cursor, teams)
    told = []
    for pool, ended, alive in list(_rows(cursor, ENDS)):
        number, pot = winners.get(pool, (0, 0))
        told.append({
            "entries": counted.get(pool, 0),
            "ended": ended,
            "ran_out": ended == last_round and alive > 1,
            "winners": number,
            "collected_cents": collected.get(pool, 0),
            "pot_cents": pot,
            "house_cents": collected.get(pool, 0) - pot,
            "prizes": prizes[pool][:MOST_PRIZES],
            "more_prizes": max(len(prizes[pool]) - MOST_PRIZES, 0),
            "filled_in": filled_in[pool],
            "picks": sum(count for _, count in picks[pool]),
            "teams": picks[pool][:MOST_TEAMS],
        })  # fmt: skip
    _add_rounds(cursor, told)
    return told


def alike(cursor: CursorWrapper) -> dict[str, int]:
    """How many picks both rule sets saw of the same player for the same round, and how many of them were the same."""
    cursor.execute(ALIKE)
    both, same = cursor.fetchone()
    return {"both": both, "same": same}


def _rows(cursor: CursorWrapper, statement: str) -> Iterator[Any]:
    cursor.execute(statement)
    yield from cursor.fetchall()


def _prizes(cursor: CursorWrapper) -> dict[int, list[tuple[int, int]]]:
    found = defaultdict[int, list[tuple[int, int]]](list)
    for pool, cents, count in _rows(cursor, PRIZES):
        found[pool].append((cents, count))
    return found


def _picks(cursor: CursorWrapper, teams: Mapping[int, str]) -> tuple[dict[int, list[tuple[str, int]]], dict[int, int]]:
    found, filled_in = defaultdict[int, list[tuple[str, int]]](list), defaultdict[int, int](int)
    for pool, team, count, filled in _rows(cursor, PICKED):
        found[pool].append((teams[team], count))
        filled_in[pool] += filled
    for picked in found.values():
        picked.sort(key=lambda line: (-line[1], line[0]))
    return found, filled_in


def _add_rounds(cursor: CursorWrapper, told: list[dict[str, Any]]) -> None:
    """The rounds of each, with who was left after them."""
    fell = defaultdict[tuple[int, int], dict[str, int]](dict)
    for pool, number, code, count in _rows(cursor, FALLEN):
        fell[pool, number][code] = count
    lives = {(pool, number): count for pool, number, count in _rows(cursor, LIVES)}
    left = {place: one["entries"] for place, one in enumerate(told, start=1)}
    for one in told:
        one["rounds"] = []
    for pool, number, name, is_revived in list(_rows(cursor, ROUNDS)):
        reasons = {code: fell[pool, number][code] for code in REASONS if fell[pool, number].get(code)}
        left[pool] -= sum(reasons.values())
        told[pool - 1]["rounds"].append({
            "number": number, "name": name, "left": left[pool], "out": reasons, "lives": lives.get((pool, number), 0),
            "revived": is_revived,
        })  # fmt: skip
