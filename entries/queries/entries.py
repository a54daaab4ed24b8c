"""Reading entries, and what a certain person may see of what they used.

An entry's owner sees all of its picks; everybody else, staff included, those that are revealed alone. That somebody
has picked is no secret to staff, so the number of picks is told in full. What was picked ahead for rounds after the
entry's elimination, or after the pool's end, is cancelled: nobody sees or counts it.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Prefetch, QuerySet

from entries.models import Entry
from entries.models.entry import EntryQuerySet
from entries.queries.grades import (
    ASKED_SQL,
    CLOSES_AT_SQL,
    IN_PLAY_SQL,
    RULES_SQL,
    SAT_OUT_SQL,
    VISIBLE_SQL,
    VOID_SQL,
)
from pools.models import Rules

# `current` is the round to pick for now: what was used before the count began again is free by then.
USED = f"""
    WITH pool AS MATERIALIZED (
        SELECT p.*, coalesce(now.number, p.last_round_number) AS current, now.reuse_reset_round AS reset
        FROM pools_pool p
        LEFT JOIN LATERAL (
            SELECT r.number, rules.reuse_reset_round FROM pools_round r {RULES_SQL}
            WHERE r.competition_id = p.competition_id AND r.number BETWEEN p.first_round_number AND p.last_round_number
              AND (r.number = p.last_round_number OR coalesce({CLOSES_AT_SQL} > clock_timestamp(), true))
            ORDER BY r.number LIMIT 1
        ) now ON true
        WHERE p.id IN (SELECT pool_id FROM entries_entry WHERE id = ANY(%(entries)s))
    )
    SELECT k.entry_id, t.code, (e.user_id = %(viewer)s OR {VISIBLE_SQL})
           AND (p.reset IS NULL OR (r.number >= p.reset) = (p.current >= p.reset)) AND NOT ({VOID_SQL})
    FROM entries_pick k
    JOIN entries_entry e ON e.id = k.entry_id
    JOIN pool p ON p.id = e.pool_id
    JOIN pools_round r ON r.id = k.round_id
    JOIN pools_team t ON t.id = k.team_id
    JOIN pools_game g ON g.id = k.game_id
    {RULES_SQL}
    WHERE k.entry_id = ANY(%(entries)s) AND {IN_PLAY_SQL} AND NOT {SAT_OUT_SQL}
    ORDER BY r.number, k.slot
"""

# Where each game locks for itself, the next kickoff of a round in which the entry has a pick that can still change.
NEXT_LOCKS = f"""
    SELECT e.id, min(next.locks_at)
    FROM entries_entry e
    JOIN pools_pool p ON p.id = e.pool_id AND p.status IN ('open', 'running')
    JOIN pools_round r ON r.competition_id = p.competition_id AND {IN_PLAY_SQL}
    {RULES_SQL}
    CROSS JOIN LATERAL (
        SELECT r.locks_at WHERE rules.lock = 'round'
        UNION ALL
        SELECT g.locks_at FROM pools_game g
        WHERE rules.lock = 'game' AND g.round_id = r.id AND g.status NOT IN ('cancelled', 'postponed')
          AND {ASKED_SQL} > (
              SELECT count(*) FROM entries_pick k JOIN pools_game o ON o.id = k.game_id AND o.round_id = r.id
              WHERE k.entry_id = e.id AND k.round_id = r.id AND o.locks_at <= clock_timestamp())
    ) next
    WHERE e.id = ANY(%(entries)s) AND e.status = 'active' AND next.locks_at > clock_timestamp()
    GROUP BY e.id
"""


class Used(NamedTuple):
    """What an entry has used and picked so far, as far as the viewer may know."""

    teams: list[str]
    picks: int


def entries_in_full(entries: EntryQuerySet) -> QuerySet[Entry]:
    """The entries with their pools and the pools' rules, in two queries however many there are."""
    versions = Prefetch("pool__rules_versions", Rules.objects.order_by("-version"), to_attr="rules_newest_first")
    return entries.select_related("pool").prefetch_related(versions)


def rules_of_elimination(entry: Entry) -> Rules | None:
    """The version that the elimination of an entry of `entries_in_full` quotes; None while it is not out."""
    if not entry.eliminated_code:
        return None
    pool: Any = entry.pool  # with `rules_newest_first`, which `entries_in_full` fetched beside it
    versions: list[Rules] = pool.rules_newest_first
    return next((rules for rules in versions if rules.version == entry.rules_version), None)


def next_locks(entries: Sequence[Entry]) -> dict[int, datetime]:
    """When each entry must have picked next, in one query; those that cannot pick any more are left out."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_LOCKS, {"entries": [entry.pk for entry in entries]})
        return dict(cursor.fetchall())


def used_by(entries: Sequence[Entry], *, viewer_id: int) -> dict[int, Used]:
    """What each entry has picked, in the order of rounds, in one query.

    A team is told as often as it counts as used for the round to pick now: void picks do not, nor do those before
    the count began again. For other people's entries a round counts as revealed a few seconds after its lock, when
    the scheduler or a reader of its pool has revealed it.
    """
    found: dict[int, Used] = defaultdict(lambda: Used([], 0))
    with connection.cursor() as cursor:
        cursor.execute(USED, {"entries": [entry.pk for entry in entries], "viewer": viewer_id})
        for entry_id, team, is_told in cursor.fetchall():
            teams, picks = found[entry_id]
            found[entry_id] = Used([*teams, team] if is_told else teams, picks + 1)
    return found
