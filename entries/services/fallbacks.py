"""An entry's fallback list: the teams that fill in, in its order, for a round that the player misses.

It may change at any time; what counts for a round is how it stood at the round's lock, by its history. So that the
history is whole when a round is filled in, saving shares the lock of the next round, as picks do: the round is
revealed, and filled in, only once every save that began before has ended.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from accounts.models import User
from config.errors import Code, NotFound, Refused, invalid
from config.phrases import Name, phrase
from entries.models import EntryStatus
from entries.models.pick import REVEAL_LOCK
from pools.models import PoolStatus


class SavedFallback(NamedTuple):
    """The list as it stands after saving; `changed` is false when it stood so before."""

    teams: list[str]
    saved_at: datetime | None
    changed: bool


class _Facts(NamedTuple):
    entry_status: str
    pool_status: str
    is_used: bool
    team_ids: list[int | None]


_GATHER = """
    SELECT e.status, p.status,
           EXISTS (
               SELECT 1 FROM pools_round r
               CROSS JOIN LATERAL (
                   SELECT missed_pick FROM pools_rules WHERE pool_id = p.id AND effective_round_number <= r.number
                   ORDER BY version DESC LIMIT 1
               ) rules
               WHERE r.competition_id = p.competition_id
                 AND r.number BETWEEN p.first_round_number AND p.last_round_number
                 AND coalesce(r.locks_at > clock_timestamp(), true) AND rules.missed_pick = 'fallback'),
           ARRAY(SELECT t.id FROM unnest(%(codes)s::text[]) WITH ORDINALITY AS asked (code, nth)
                 LEFT JOIN pools_team t ON t.competition_id = p.competition_id AND t.code = asked.code ORDER BY nth)
    FROM entries_entry e JOIN pools_pool p ON p.id = e.pool_id
    WHERE e.id = %(entry)s AND e.user_id = %(user)s
    FOR NO KEY UPDATE OF e
"""

_SAVE = """
    WITH who AS (
        SELECT set_config('outlast.actor', %(user)s::text, true), set_config('outlast.reason', '', true)
    ), held AS MATERIALIZED (
        SELECT count(*) FROM (
            SELECT pg_advisory_xact_lock_shared(%(lock)s, id::int) FROM (
                SELECT r.id FROM entries_entry e JOIN pools_pool p ON p.id = e.pool_id
                JOIN pools_round r ON r.competition_id = p.competition_id
                WHERE e.id = %(entry)s AND r.locks_at > clock_timestamp() ORDER BY r.locks_at LIMIT 1
            ) next
        ) locked
    )
    INSERT INTO entries_fallback (entry_id, team_ids, saved_at)
    SELECT %(entry)s, %(teams)s::bigint[], clock_timestamp() FROM who, held
    WHERE %(teams)s::bigint[] <> '{}' OR EXISTS (SELECT 1 FROM entries_fallback WHERE entry_id = %(entry)s)
    ON CONFLICT (entry_id) DO UPDATE SET team_ids = EXCLUDED.team_ids, saved_at = EXCLUDED.saved_at
        WHERE entries_fallback.team_ids <> EXCLUDED.team_ids
    RETURNING saved_at
"""

_STANDING = "SELECT saved_at FROM entries_fallback WHERE entry_id = %(entry)s"


@transaction.atomic
def save_fallback(*, entry_id: int, user: User, teams: Sequence[str]) -> SavedFallback:
    """Set the entry's list, best team first; an empty one clears it, the same again changes nothing.

    Refuses with NOT_FOUND when the entry is not the user's, ENTRY_NOT_ACTIVE, ROUND_NOT_OPEN when the pool is not in
    play, FALLBACK_NOT_USED when no round to come uses lists, VALIDATION_ERROR for an unknown or repeated team.
    """
    ask: dict[str, Any] = {"entry": entry_id, "user": user.pk, "codes": list(teams), "lock": REVEAL_LOCK}
    with connection.cursor() as cursor:
        cursor.execute(_GATHER, ask)
        row = cursor.fetchone()
        if row is None:
            raise NotFound(Code.NOT_FOUND, "There is no such entry.")
        facts = _Facts(*row)
        _check(facts, teams)
        ask["teams"] = facts.team_ids
        cursor.execute(_SAVE, ask)
        written = cursor.fetchone()
        if written is None:
            cursor.execute(_STANDING, ask)
        standing = written or cursor.fetchone()
    return SavedFallback(list(teams), standing[0] if standing else None, changed=written is not None)


def _check(facts: _Facts, teams: Sequence[str]) -> None:
    if facts.entry_status != EntryStatus.ACTIVE:
        raise Refused(
            Code.ENTRY_NOT_ACTIVE,
            phrase("This entry is {status}.", status=Name(facts.entry_status)),
            {"status": str(facts.entry_status)},
        )
    if facts.pool_status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        raise Refused(Code.ROUND_NOT_OPEN, phrase("The pool is {status}.", status=Name(facts.pool_status)))
    if not facts.is_used:
        raise Refused(Code.FALLBACK_NOT_USED, "No round to come in this pool fills in from a player's list.")
    unknown = [code for code, team_id in zip(teams, facts.team_ids, strict=True) if team_id is None]
    if unknown:
        raise invalid("teams", phrase("Unknown teams: {teams}.", teams=", ".join(unknown)))
    if len(set(teams)) != len(teams):
        raise invalid("teams", "Name each team once.")
