"""Saving picks: the one act that thousands do in the last minute before a lock.

Two statements and a commit, for one team or two: one that locks the entry and gathers every fact the rules ask for,
one that writes the picks and, through its triggers, their history. The deadline is the database's to decide: what is
read beforehand serves a good message, and the guard behind the row lock has the last word.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction

from accounts.models import User
from config.errors import DomainError, invalid
from entries.queries.grades import RESULT_SQL
from entries.services.picks import refusals
from entries.services.picks.facts import RoundFacts, TeamFacts, gather
from entries.services.slips import make_slip


class SavedPick(NamedTuple):
    """A pick as it stands after saving; `changed` is false when it stood so before.

    Where the round asks for two teams, `others` has the second one.
    """

    entry_id: int
    round_number: int
    team_code: str
    game_id: int
    source: str
    rules_version: int
    nonce: str
    picked_at: datetime
    changed: bool
    locked: bool
    result: str
    others: tuple["SavedPick", ...] = ()

    @property
    def picks(self) -> tuple["SavedPick", ...]:
        """All picks of the round, in the order asked."""
        return self, *self.others

    @property
    def slip(self) -> dict[str, Any]:
        return make_slip(
            entry_id=self.entry_id,
            round_number=self.round_number,
            team_code=self.team_code,
            rules_version=self.rules_version,
            saved_at=self.picked_at,
            nonce=self.nonce,
        )


@dataclass(frozen=True)
class Wish:
    """What a player asks for: these teams, for this round, with this entry."""

    entry_id: int
    round_number: int
    teams: Sequence[str]


# A team that stands keeps its slot, and its game where that has begun; the others take the slots that are left, in the
# order asked. A slot is written only where it changes, so that history has one line for each that did. A slot above
# what the round asks for is left from rules since amended.
_WRITE = f"""
    WITH who AS (
        SELECT set_config('outlast.actor', %(user)s::text, true), set_config('outlast.reason', '', true)
    ), asked AS (
        SELECT * FROM unnest(%(teams)s::bigint[], %(games)s::bigint[], %(nonces)s::text[])
            WITH ORDINALITY AS a (team_id, game_id, nonce, nth)
    ), standing AS (
        SELECT k.*, rules.lock = 'game' AND g.round_id = k.round_id AND g.locks_at <= clock_timestamp() AS is_fixed
        FROM entries_pick k JOIN pools_game g ON g.id = k.game_id
        JOIN pools_rules rules ON (rules.pool_id, rules.version) = (%(pool)s, %(version)s)
        WHERE k.entry_id = %(entry)s AND k.round_id = %(round_id)s
    ), kept AS (
        SELECT s.slot, a.team_id, s.game_id AS from_game, a.nonce,
               CASE WHEN s.is_fixed THEN s.game_id ELSE coalesce(a.game_id, s.game_id) END AS game_id
        FROM standing s JOIN asked a USING (team_id) WHERE s.slot <= %(asked)s
    ), wanted AS (
        SELECT slot, team_id, game_id, nonce FROM kept WHERE game_id <> from_game
        UNION ALL
        SELECT free.slot, fresh.team_id, fresh.game_id, fresh.nonce
        FROM (SELECT *, row_number() OVER (ORDER BY nth) AS place FROM asked
              WHERE team_id NOT IN (SELECT team_id FROM kept)) fresh
        JOIN (SELECT slot, row_number() OVER (ORDER BY slot) AS place FROM generate_series(1, %(asked)s) slot
              WHERE slot NOT IN (SELECT slot FROM kept)) free USING (place)
        WHERE fresh.game_id IS NOT NULL
    ), dropped AS (
        DELETE FROM entries_pick k USING who
        WHERE k.entry_id = %(entry)s AND k.round_id = %(round_id)s AND k.slot > %(asked)s RETURNING 1
    ), written AS (
        INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce, picked_at)
        SELECT %(entry)s, %(round_id)s, slot, team_id, game_id, 'player', %(version)s, nonce, clock_timestamp()
        FROM wanted, who, (SELECT count(*) FROM dropped) gone
        ON CONFLICT (entry_id, round_id, slot) DO UPDATE
            SET team_id = EXCLUDED.team_id, game_id = EXCLUDED.game_id, source = EXCLUDED.source,
                rules_version = EXCLUDED.rules_version, nonce = EXCLUDED.nonce, picked_at = clock_timestamp()
        RETURNING team_id, game_id, source, rules_version, nonce, picked_at
    )
    SELECT coalesce(w.game_id, k.game_id), coalesce(w.source, k.source), coalesce(w.rules_version, k.rules_version),
           coalesce(w.nonce, k.nonce), coalesce(w.picked_at, k.picked_at), w.team_id IS NOT NULL,
           w.team_id IS NULL AND k.is_fixed,
           CASE WHEN w.team_id IS NULL AND k.is_fixed THEN {RESULT_SQL} ELSE 'pending' END
    FROM asked a
    JOIN pools_rules rules ON (rules.pool_id, rules.version) = (%(pool)s, %(version)s)
    LEFT JOIN written w USING (team_id)
    LEFT JOIN standing k USING (team_id)
    LEFT JOIN pools_game g ON g.id = k.game_id
    ORDER BY a.nth
"""

_DELETE = """
    WITH who AS (SELECT set_config('outlast.actor', %(user)s::text, true), set_config('outlast.reason', '', true))
    DELETE FROM entries_pick USING who WHERE entry_id = %(entry)s AND round_id = %(round_id)s
"""


def save_pick(*, entry_id: int, user: User, round_number: int, teams: Sequence[str]) -> SavedPick:
    """Set the entry's picks for the round; saving the same teams again, in any order, changes nothing.

    Refuses with ENTRY_NOT_ACTIVE, ROUND_NOT_OPEN (outside the pool, or the pool is not in play), DEADLINE_PASSED,
    TEAM_NOT_PLAYING, GAME_STARTED (of the team asked for, or of one that would be given up), TEAM_ALREADY_USED; with
    NOT_FOUND when the entry is not the user's; with VALIDATION_ERROR when the round takes another number of teams.
    """
    if not teams:
        raise invalid("teams", "Name the team.")
    try:
        with transaction.atomic():
            facts, chosen = gather(entry_id=entry_id, user_id=user.pk, round_number=round_number, teams=teams)
            _check(facts, chosen, round_number=round_number)
            rows = _write(facts, chosen, entry_id=entry_id, user=user)
            for team, row in zip(chosen, rows, strict=True):
                if row[0] is None:
                    # It stood when it was looked at, and somebody else's save has replaced it since.
                    refusals.check_team(facts, team, round_number=round_number)
    except IntegrityError as error:
        raise _explained(error, entry_id=entry_id, user=user, round_number=round_number, teams=teams) from error
    first, *others = (
        SavedPick(entry_id, round_number, team.code, *row) for team, row in zip(chosen, rows, strict=True)
    )
    return first._replace(others=tuple(others))


def save_picks(*, user: User, wishes: Sequence[Wish], atomic: bool) -> list[SavedPick | DomainError]:
    """Save several picks of one player in one transaction, each with its own answer, in the order asked.

    With `atomic`, the first refusal undoes and raises; otherwise a refused pick leaves the others standing.
    """
    answers: dict[int, SavedPick | DomainError] = {}
    with transaction.atomic():
        # In the order of the entries' ids, whoever asks: two bulk saves cannot deadlock.
        for index in sorted(range(len(wishes)), key=lambda i: (wishes[i].entry_id, wishes[i].round_number)):
            wish = wishes[index]
            try:
                answers[index] = save_pick(
                    entry_id=wish.entry_id, user=user, round_number=wish.round_number, teams=wish.teams
                )
            except DomainError as refusal:
                if atomic:
                    raise
                answers[index] = refusal
    return [answers[index] for index in range(len(wishes))]


def delete_pick(*, entry_id: int, user: User, round_number: int) -> bool:
    """Take back what is picked for the round; says whether there was anything.

    Refuses like `save_pick`, also when there is nothing; with GAME_STARTED where the game of one of its teams has.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            facts, _ = gather(entry_id=entry_id, user_id=user.pk, round_number=round_number, teams=[""])
            _check(facts, [], round_number=round_number)
            cursor.execute(_DELETE, {"user": user.pk, "entry": entry_id, "round_id": facts.round_id})
            return bool(cursor.rowcount)
    except IntegrityError as error:
        raise _explained(error, entry_id=entry_id, user=user, round_number=round_number, teams=[]) from error


def _check(facts: RoundFacts, chosen: Sequence[TeamFacts], *, round_number: int) -> None:
    """Whether these teams, or none, may be what is picked for the round. A team that stands is not judged again."""
    codes = [team.code for team in chosen]
    refusals.check_open(facts, round_number=round_number)
    if codes:
        refusals.check_number(facts, codes)
    refusals.check_fixed(facts, codes)
    for team in chosen:
        if not team.stands:
            refusals.check_team(facts, team, round_number=round_number)


def _write(facts: RoundFacts, chosen: Sequence[TeamFacts], *, entry_id: int, user: User) -> list[tuple[Any, ...]]:
    ask = {
        "user": user.pk,
        "entry": entry_id,
        "pool": facts.pool_id,
        "round_id": facts.round_id,
        "version": facts.rules_version,
        "asked": facts.asked,
        "teams": [team.team_id for team in chosen],
        "games": [team.game_id if team.is_playable else None for team in chosen],
        "nonces": [secrets.token_hex(16) for _ in chosen],
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, ask)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _explained(
    error: IntegrityError, *, entry_id: int, user: User, round_number: int, teams: Sequence[str]
) -> Exception:
    """Why a guard refused what our own look had found in order: things have changed since, so look again."""
    with transaction.atomic():
        facts, chosen = gather(entry_id=entry_id, user_id=user.pk, round_number=round_number, teams=teams or [""])
    try:
        _check(facts, chosen if teams else [], round_number=round_number)
    except DomainError as refusal:
        return refusal
    return refusals.told(error, round_number=round_number, code=teams[0] if teams else "")
