"""Who plays: entries for each rule set, made up, as a finished pool had them, or as a file has them.

The n-th entry of one rule set and the n-th of the other are the same player. Where picks are brought along, each rule
set refuses those that it would have refused: a team too often, or more teams than a round asks for.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from entries.models import PickOrigin, PickSource, Rehearsal
from entries.queries.grades import ASKED_SQL, RULES_SQL, VOID_SQL
from entries.services.rehearsals.pickers import Calendar

# Beyond any round: whoever does not go on has only the picks that they brought.
NEVER = 32_000

POOLS = """
    INSERT INTO entries_entry (id, pool_id, number, first_round_number, status, strikes, eliminated_code)
    SELECT id, pool_id, 1, %(first)s, 'active', 0, '' FROM rehearsed_entry
"""
MADE_UP = """
    INSERT INTO rehearsed_entry (id, pool_id, n, through)
    SELECT (p.id - 1) * %(entries)s + n, p.id, n, %(through)s
    FROM pools_pool p CROSS JOIN generate_series(1, %(entries)s) n
"""
TALLIES = """
    INSERT INTO entries_entrytally (pool_id, status, eliminated_round_number, first_round_number, entries)
    SELECT pool_id, status, 0, first_round_number, count(*) FROM entries_entry GROUP BY 1, 2, 4
"""
FEES = """
    INSERT INTO entries_feetally (pool_id, fee_cents, requests)
    SELECT pool_id, %(fee)s, count(*) FROM entries_entry GROUP BY pool_id
"""

# The entries of a pool in their own order, so that cents that do not divide go to the same ones. Their picks end with
# their fall, or with the end of the pool.
OF_POOL = """
    INSERT INTO rehearsed_entry (id, pool_id, n, old_id, through)
    SELECT (p.id - 1) * %(entries)s + e.n, p.id, e.n, e.id,
           CASE WHEN %(goes_on)s THEN e.through ELSE %(never)s END
    FROM pools_pool p
    CROSS JOIN (
        SELECT e.id, row_number() OVER (ORDER BY e.id) AS n,
               coalesce(e.eliminated_round_number, o.ended_round_number, 0) AS through
        FROM {schema}.entries_entry e JOIN {schema}.pools_pool o ON o.id = e.pool_id WHERE e.pool_id = %(pool)s
    ) e
"""
ENTRIES_OF_POOL = """
    INSERT INTO entries_entry (id, pool_id, number, first_round_number, status, strikes, eliminated_code)
    SELECT x.id, x.pool_id, 1, e.first_round_number, CASE e.status WHEN 'void' THEN 'void' ELSE 'active' END, 0, ''
    FROM rehearsed_entry x JOIN {schema}.entries_entry e ON e.id = x.old_id
"""
# What was filled in for missed picks followed from the pool's own rules: rules that fill in otherwise do it anew.
PICKS_OF_POOL = """
    INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce)
    SELECT x.id, k.round_id, k.slot, k.team_id, k.game_id, k.source, 1, ''
    FROM rehearsed_entry x JOIN {schema}.entries_pick k ON k.entry_id = x.old_id
    WHERE k.source NOT IN ('fallback', 'favourite') OR x.pool_id = ANY(%(alike)s)
    ORDER BY x.id
"""
REPRIEVES_OF_POOL = """
    INSERT INTO entries_reprieve (id, entry_id, from_round_number, before_round_number, revoked_at)
    SELECT v.id, x.id, v.from_round_number, v.before_round_number, v.revoked_at
    FROM rehearsed_entry x JOIN {schema}.entries_reprieve v ON v.entry_id = x.old_id
"""
LISTS_OF_POOL = """
    INSERT INTO entries_fallbackchange (id, entry_id, team_ids, at)
    SELECT c.id, x.id, c.team_ids, c.at
    FROM rehearsed_entry x JOIN {schema}.entries_fallbackchange c ON c.entry_id = x.old_id
"""
# A pick that somebody ruled on, or that was looked for in vain, is not filled in again.
RULED_OF_POOL = """
    INSERT INTO entries_pickchange (id, entry_id, round_id, slot, source, ruling_id)
    SELECT c.id, x.id, c.round_id, c.slot, c.source, c.ruling_id
    FROM rehearsed_entry x JOIN {schema}.entries_pickchange c ON c.entry_id = x.old_id
    WHERE c.ruling_id IS NOT NULL OR c.source IN ('fallback', 'favourite') AND x.pool_id = ANY(%(alike)s)
"""
TRIED_OF_POOL = """
    INSERT INTO entries_fillinattempt (entry_id, round_id)
    SELECT x.id, a.round_id
    FROM rehearsed_entry x JOIN {schema}.entries_fillinattempt a ON a.entry_id = x.old_id
    WHERE x.pool_id = ANY(%(alike)s)
"""
FEES_OF_POOL = """
    INSERT INTO entries_feetally (pool_id, fee_cents, requests)
    SELECT p.id, f.fee_cents, f.requests FROM pools_pool p CROSS JOIN {schema}.entries_feetally f
    WHERE f.pool_id = %(pool)s
"""
FROM_POOL = (
    OF_POOL, ENTRIES_OF_POOL, PICKS_OF_POOL, REPRIEVES_OF_POOL, LISTS_OF_POOL, RULED_OF_POOL, TRIED_OF_POOL,
    FEES_OF_POOL, TALLIES,
)  # fmt: skip

# Lists for missed rounds, each player's in an order of their own.
LISTS = """
    INSERT INTO entries_fallbackchange (id, entry_id, team_ids, at)
    SELECT row_number() OVER (), x.id, array_agg(t.id ORDER BY md5(concat_ws('/', %(seed)s::bigint, x.n, t.code))),
           '-infinity'
    FROM rehearsed_entry x
    JOIN pools_rules rules ON rules.pool_id = x.pool_id AND rules.missed_pick = 'fallback'
    CROSS JOIN {schema}.pools_team t WHERE t.competition_id = %(competition)s
    GROUP BY x.id, x.n
"""

COPY = "COPY entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce) FROM STDIN"

# Of what was brought along, what a rule set would have refused.
GOVERNED = f"""
    FROM entries_pick k
    JOIN entries_entry e ON e.id = k.entry_id
    JOIN pools_pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.id = k.round_id
    JOIN pools_game g ON g.id = k.game_id
    {RULES_SQL}
"""
TOO_MANY = f"DELETE FROM entries_pick WHERE id IN (SELECT k.id {GOVERNED} WHERE k.slot > {ASKED_SQL})"
TOO_OFTEN = f"""
    DELETE FROM entries_pick WHERE id IN (
        SELECT id FROM (
            SELECT k.id, rules.reuse_limit, row_number() OVER (
                PARTITION BY k.entry_id, k.team_id, coalesce(r.number >= rules.reuse_reset_round, false)
                ORDER BY r.number, k.slot) AS nth
            {GOVERNED} WHERE NOT ({VOID_SQL})
        ) counted WHERE nth > reuse_limit)
"""


def cast(cursor: CursorWrapper, schema: str, rehearsal: Rehearsal, calendar: Calendar) -> int:
    """Fill in who plays and what they brought; how many picks the rule sets would have refused."""
    ask = _ask(rehearsal)
    if rehearsal.origin == PickOrigin.POOL:
        for statement in FROM_POOL:
            cursor.execute(statement.format(schema=schema), ask)
    else:
        for statement in (MADE_UP, POOLS, TALLIES, FEES):
            cursor.execute(statement, ask)
        cursor.execute(LISTS.format(schema=schema), ask)
    if rehearsal.origin == PickOrigin.FILE:
        _bring_file(cursor, rehearsal, calendar)
    if rehearsal.origin == PickOrigin.MADE_UP:
        return 0
    cursor.execute(TOO_MANY)
    refused = int(cursor.rowcount)
    cursor.execute(TOO_OFTEN)
    return refused + int(cursor.rowcount)


def _ask(rehearsal: Rehearsal) -> dict[str, Any]:
    is_made_up = rehearsal.origin == PickOrigin.MADE_UP
    return {
        "competition": rehearsal.competition_id,
        "first": rehearsal.first_round_number,
        "entries": rehearsal.entries,
        "fee": rehearsal.fee_cents,
        "seed": rehearsal.seed,
        "pool": rehearsal.pool_id,
        "goes_on": rehearsal.goes_on,
        "never": NEVER,
        "through": 0 if is_made_up else NEVER,
        "alike": [place for place, rules in enumerate(rehearsal.rule_sets, start=1) if rules.get("fills_in_alike")],
    }


def _bring_file(cursor: CursorWrapper, rehearsal: Rehearsal, calendar: Calendar) -> None:
    """The picks of the file, for each rule set; with the last one of an entry it goes on, if it does."""
    cursor.execute("SELECT number, id FROM pools_round")
    rounds = dict(cursor.fetchall())
    sets = range(len(rehearsal.rule_sets))
    entries: Sequence[Sequence[tuple[int, int]]] = rehearsal.file_picks or []
    with cursor.copy(COPY) as copy:
        for place in sets:
            for n, picks in enumerate(entries, start=1):
                for number, slot, team_id in slotted(picks):
                    game_id = calendar.game_of(number, team_id)
                    row = (place * rehearsal.entries + n, rounds[number], slot, team_id, game_id)
                    copy.write_row((*row, str(PickSource.IMPORT), 1, ""))
    if rehearsal.goes_on:
        cursor.execute("""
            UPDATE rehearsed_entry x SET through = coalesce((
                SELECT max(r.number) FROM entries_pick k JOIN pools_round r ON r.id = k.round_id
                WHERE k.entry_id = x.id), 0)
        """)


def slotted(picks: Iterable[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Round, slot and team of each pick of an entry: those of one round in the order of the file, two at most."""
    seen: dict[int, list[int]] = {}
    for number, team_id in picks:
        teams = seen.setdefault(number, [])
        if team_id not in teams and len(teams) < 2:
            teams.append(team_id)
    return [(number, slot, team) for number, teams in seen.items() for slot, team in enumerate(teams, start=1)]
