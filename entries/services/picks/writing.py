"""Writing the picks of one entry for one round, once they are found in order: slot by slot, with their author."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from config.audit.origin import told
from entries.queries.grades import RESULT_SQL, PickResult
from entries.services.picks.facts import RoundFacts, TeamFacts
from pools.models import LockPolicy

# Also where the call came from, which would otherwise be told in a statement of its own.
_WHO = """
    SELECT set_config('outlast.actor', %(user)s::text, true), set_config('outlast.reason', '', true),
           set_config('outlast.origin', %(origin)s, true)
"""

_CHANGED = """
    SET team_id = EXCLUDED.team_id, game_id = EXCLUDED.game_id, source = EXCLUDED.source,
        rules_version = EXCLUDED.rules_version, nonce = EXCLUDED.nonce, picked_at = clock_timestamp()
"""

# One team, under the round's own lock: what nearly every save is.
_WRITE_ONE = f"""
    WITH who AS ({_WHO})
    INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce, picked_at)
    SELECT %(entry)s, %(round_id)s, 1, %(team)s, %(game)s, 'player', %(version)s, %(nonce)s, clock_timestamp() FROM who
    ON CONFLICT (entry_id, round_id, slot) DO UPDATE {_CHANGED}
        WHERE (entries_pick.team_id, entries_pick.game_id) IS DISTINCT FROM (EXCLUDED.team_id, EXCLUDED.game_id)
    RETURNING game_id, source, rules_version, nonce, picked_at, true, false
"""
_STANDING_ONE = """
    SELECT game_id, source, rules_version, nonce, picked_at, false, false FROM entries_pick
    WHERE entry_id = %(entry)s AND round_id = %(round_id)s AND slot = 1
"""

# The same for many entries, no entry twice.
_WRITE_MANY = f"""
    WITH who AS ({_WHO}), asked AS (
        SELECT * FROM unnest(%(entries)s::bigint[], %(rounds)s::bigint[], %(teams)s::bigint[], %(games)s::bigint[],
                             %(versions)s::int[], %(nonces)s::text[])
            AS a (entry_id, round_id, team_id, game_id, rules_version, nonce)
    ), written AS (
        INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce, picked_at)
        SELECT entry_id, round_id, 1, team_id, game_id, 'player', rules_version, nonce, clock_timestamp()
        FROM asked, who ORDER BY entry_id
        ON CONFLICT (entry_id, round_id, slot) DO UPDATE {_CHANGED}
            WHERE (entries_pick.team_id, entries_pick.game_id) IS DISTINCT FROM (EXCLUDED.team_id, EXCLUDED.game_id)
        RETURNING entry_id, game_id, source, rules_version, nonce, picked_at
    )
    SELECT a.entry_id, coalesce(w.game_id, k.game_id), coalesce(w.source, k.source),
           coalesce(w.rules_version, k.rules_version), coalesce(w.nonce, k.nonce), coalesce(w.picked_at, k.picked_at),
           w.entry_id IS NOT NULL, false
    FROM asked a
    LEFT JOIN written w USING (entry_id)
    LEFT JOIN entries_pick k ON (k.entry_id, k.round_id, k.slot) = (a.entry_id, a.round_id, 1)
"""

# A team that stands keeps its slot, and its game where that has begun; the others take the slots that are left, in the
# order asked. A slot is written only where it changes, so that history has one line for each that did.
_WRITE = f"""
    WITH who AS ({_WHO}), asked AS (
        SELECT * FROM unnest(%(teams)s::bigint[], %(games)s::bigint[], %(nonces)s::text[])
            WITH ORDINALITY AS a (team_id, game_id, nonce, nth)
    ), standing AS (
        SELECT k.*, %(by_game)s AND g.round_id = k.round_id AND g.locks_at <= clock_timestamp() AS is_fixed
        FROM entries_pick k JOIN pools_game g ON g.id = k.game_id
        WHERE k.entry_id = %(entry)s AND k.round_id = %(round_id)s
    ), kept AS (
        SELECT s.slot, a.team_id, s.game_id AS from_game, a.nonce,
               CASE WHEN s.is_fixed THEN s.game_id ELSE coalesce(a.game_id, s.game_id) END AS game_id
        FROM standing s JOIN asked a USING (team_id)
    ), wanted AS (
        SELECT slot, team_id, game_id, nonce FROM kept WHERE game_id <> from_game
        UNION ALL
        SELECT free.slot, fresh.team_id, fresh.game_id, fresh.nonce
        FROM (SELECT *, row_number() OVER (ORDER BY nth) AS place FROM asked
              WHERE team_id NOT IN (SELECT team_id FROM kept)) fresh
        JOIN (SELECT slot, row_number() OVER (ORDER BY slot) AS place FROM generate_series(1, %(asked)s) slot
              WHERE slot NOT IN (SELECT slot FROM kept)) free USING (place)
        WHERE fresh.game_id IS NOT NULL
    ), written AS (
        INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce, picked_at)
        SELECT %(entry)s, %(round_id)s, slot, team_id, game_id, 'player', %(version)s, nonce, clock_timestamp()
        FROM wanted, who
        ON CONFLICT (entry_id, round_id, slot) DO UPDATE {_CHANGED}
        RETURNING team_id, game_id, source, rules_version, nonce, picked_at
    )
    SELECT coalesce(w.game_id, k.game_id), coalesce(w.source, k.source), coalesce(w.rules_version, k.rules_version),
           coalesce(w.nonce, k.nonce), coalesce(w.picked_at, k.picked_at), w.team_id IS NOT NULL,
           w.team_id IS NULL AND k.is_fixed
    FROM asked a
    LEFT JOIN written w USING (team_id)
    LEFT JOIN standing k USING (team_id)
    ORDER BY a.nth
"""

_DROP = f"""
    WITH who AS ({_WHO}) DELETE FROM entries_pick USING who
    WHERE entry_id = %(entry)s AND round_id = %(round_id)s AND slot > %(asked)s
"""

_RESULTS = f"""
    SELECT k.team_id, {RESULT_SQL}
    FROM entries_pick k
    JOIN pools_game g ON g.id = k.game_id
    JOIN pools_rules rules ON (rules.pool_id, rules.version) = (%(pool)s, %(version)s)
    WHERE k.entry_id = %(entry)s AND k.round_id = %(round_id)s
"""

_DELETE = f"""
    WITH who AS ({_WHO}) DELETE FROM entries_pick USING who WHERE entry_id = %(entry)s AND round_id = %(round_id)s
"""


class Written(NamedTuple):
    """One pick as it stands now."""

    game_id: int
    source: str
    rules_version: int
    nonce: str
    picked_at: datetime
    is_changed: bool
    is_locked: bool
    result: str = PickResult.PENDING


def write(facts: RoundFacts, chosen: Sequence[TeamFacts], *, entry_id: int, user_id: int) -> list[Written | None]:
    """Make these teams what is picked; how each stands then, None where it neither stands nor can be picked."""
    ask = _question(facts, entry_id, user_id) | {
        "teams": [team.team_id for team in chosen],
        "games": [team.game_id if team.is_playable else None for team in chosen],
        "nonces": [secrets.token_hex(16) for _ in chosen],
    }
    with connection.cursor() as cursor:
        if facts.has_more:
            cursor.execute(_DROP, ask)
        if facts.asked == 1 and facts.lock == LockPolicy.ROUND and chosen[0].is_playable:
            ask |= {"team": chosen[0].team_id, "game": chosen[0].game_id, "nonce": ask["nonces"][0]}
            cursor.execute(_WRITE_ONE, ask)
            if not cursor.rowcount:
                cursor.execute(_STANDING_ONE, ask)
        else:
            cursor.execute(_WRITE, ask)
        written = [Written(*row) if row[0] is not None else None for row in cursor.fetchall()]
        if not any(one and one.is_locked for one in written):
            return written
        cursor.execute(_RESULTS, ask)
        results = dict(cursor.fetchall())
    return [
        one._replace(result=results[team.team_id]) if one and one.is_locked else one
        for one, team in zip(written, chosen, strict=True)
    ]


def write_many(chosen: Mapping[int, tuple[RoundFacts, TeamFacts]], *, user_id: int) -> dict[int, Written]:
    """The same for the only pick of a round of each of these entries, which can be picked, in one statement; by entry.

    One that stood and was replaced meanwhile is left out.
    """
    facts = list(chosen.values())
    ask: dict[str, Any] = {
        "user": user_id,
        "origin": told(),
        "entries": list(chosen),
        "rounds": [round_.round_id for round_, _ in facts],
        "teams": [team.team_id for _, team in facts],
        "games": [team.game_id for _, team in facts],
        "versions": [round_.rules_version for round_, _ in facts],
        "nonces": [secrets.token_hex(16) for _ in facts],
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_MANY, ask)
        return {entry: Written(*row) for entry, *row in cursor.fetchall() if row[0] is not None}


def take_back(facts: RoundFacts, *, entry_id: int, user_id: int) -> bool:
    """Delete what is picked for the round; whether there was anything."""
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, _question(facts, entry_id, user_id))
        return bool(cursor.rowcount)


def _question(facts: RoundFacts, entry_id: int, user_id: int) -> dict[str, Any]:
    return {
        "user": user_id,
        "origin": told(),
        "entry": entry_id,
        "pool": facts.pool_id,
        "round_id": facts.round_id,
        "version": facts.rules_version,
        "asked": facts.asked,
        "by_game": facts.lock == LockPolicy.GAME,
    }
