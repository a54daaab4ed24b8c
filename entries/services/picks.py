"""Saving picks: the one act that thousands do in the last minute before a lock.

Two statements and a commit: one that locks the entry and gathers every fact the rules ask for, one that writes the
pick and, through its triggers, the history row. The deadline is the database's to decide: what this module reads
beforehand serves a good message, and the guard behind the row lock has the last word.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, transaction

from accounts.models import User
from config.errors import Code, DomainError, NotFound, Refused, invalid
from entries.models import EntryStatus
from entries.services.slips import make_slip
from pools.models import GameStatus, PoolStatus


class SavedPick(NamedTuple):
    """A pick as it stands after saving; `changed` is false when it stood so before."""

    entry_id: int
    round_number: int
    team_code: str
    game_id: int
    rules_version: int
    nonce: str
    picked_at: datetime
    changed: bool

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
    """What a player asks for: this team, for this round, with this entry."""

    entry_id: int
    round_number: int
    teams: Sequence[str]


class _Facts(NamedTuple):
    entry_status: str
    pool_status: str
    round_id: int | None
    round_name: str | None
    locks_at: datetime | None
    is_locked: bool | None
    rules_version: int | None
    team_id: int | None
    game_id: int | None
    game_status: str | None
    has_started: bool | None
    used_in: int | None


# FOR NO KEY UPDATE OF e: two saves for one entry come one after the other; references to the entry do not wait.
_GATHER = """
    SELECT e.status, p.status, r.id, r.name, r.locks_at, r.locks_at <= clock_timestamp(), rules.version,
           t.id, g.id, g.status, g.kickoff_at <= clock_timestamp(), used.number
    FROM entries_entry e
    JOIN pools_pool p ON p.id = e.pool_id
    LEFT JOIN pools_round r ON r.competition_id = p.competition_id AND r.number = %(round)s
        AND r.number BETWEEN p.first_round_number AND p.last_round_number
    LEFT JOIN pools_team t ON t.competition_id = p.competition_id AND t.code = %(team)s
    LEFT JOIN LATERAL (
        SELECT id, status, kickoff_at FROM pools_game
        WHERE round_id = r.id AND t.id IN (home_id, away_id) ORDER BY kickoff_at, id LIMIT 1
    ) g ON true
    LEFT JOIN LATERAL (
        SELECT version FROM pools_rules
        WHERE pool_id = p.id AND effective_round_number <= r.number ORDER BY version DESC LIMIT 1
    ) rules ON true
    LEFT JOIN LATERAL (
        SELECT u.number FROM entries_pick k JOIN pools_round u ON u.id = k.round_id
        WHERE k.entry_id = e.id AND k.team_id = t.id AND k.round_id <> r.id LIMIT 1
    ) used ON true
    WHERE e.id = %(entry)s AND e.user_id = %(user)s
    FOR NO KEY UPDATE OF e
"""

_WRITE = """
    WITH who AS (SELECT set_config('outlast.actor', %(user)s::text, true), set_config('outlast.reason', '', true))
    INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce, picked_at)
    SELECT %(entry)s, %(round_id)s, 1, %(team_id)s, %(game_id)s, 'player', %(version)s, %(nonce)s, clock_timestamp()
    FROM who
    ON CONFLICT (entry_id, round_id, slot) DO UPDATE
        SET team_id = EXCLUDED.team_id, game_id = EXCLUDED.game_id, source = EXCLUDED.source,
            rules_version = EXCLUDED.rules_version, nonce = EXCLUDED.nonce, picked_at = clock_timestamp()
        WHERE (entries_pick.team_id, entries_pick.game_id) IS DISTINCT FROM (EXCLUDED.team_id, EXCLUDED.game_id)
    RETURNING rules_version, nonce, picked_at
"""

_STANDING = """
    SELECT rules_version, nonce, picked_at FROM entries_pick
    WHERE entry_id = %(entry)s AND round_id = %(round_id)s AND slot = 1
"""


def save_pick(*, entry_id: int, user: User, round_number: int, teams: Sequence[str]) -> SavedPick:
    """Set the entry's pick for the round; saving the same team again changes nothing.

    Refuses with ENTRY_NOT_ACTIVE, ROUND_NOT_OPEN (outside the pool, or the pool is not in play), DEADLINE_PASSED,
    TEAM_NOT_PLAYING, GAME_STARTED, TEAM_ALREADY_USED; with NOT_FOUND when the entry is not the user's; with
    VALIDATION_ERROR when the round takes another number of teams.
    """
    if len(teams) != 1:
        raise invalid("teams", "This round takes one team.")
    ask: dict[str, Any] = {"entry": entry_id, "user": user.pk, "round": round_number, "team": teams[0]}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_GATHER, ask)
            row = cursor.fetchone()
            if row is None:
                raise NotFound(Code.NOT_FOUND, "There is no such entry.")
            facts = _Facts(*row)
            _check(facts, round_number=round_number, team_code=teams[0])
            ask |= {
                "round_id": facts.round_id,
                "team_id": facts.team_id,
                "game_id": facts.game_id,
                "version": facts.rules_version,
                "nonce": secrets.token_hex(16),
            }
            cursor.execute(_WRITE, ask)
            written = cursor.fetchone()
            if written is None:
                cursor.execute(_STANDING, ask)
            version, nonce, picked_at = written or cursor.fetchone()
    except IntegrityError as error:
        raise _translated(error, round_number=round_number, team_code=teams[0]) from error
    assert facts.game_id is not None
    return SavedPick(
        entry_id, round_number, teams[0], facts.game_id, version, nonce, picked_at, changed=written is not None
    )


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
    """Take the pick back; says whether there was one. Refuses like `save_pick`, also when there is none."""
    ask: dict[str, Any] = {"entry": entry_id, "user": user.pk, "round": round_number, "team": ""}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_GATHER, ask)
            row = cursor.fetchone()
            if row is None:
                raise NotFound(Code.NOT_FOUND, "There is no such entry.")
            facts = _Facts(*row)
            _check_open(facts, round_number=round_number)
            cursor.execute(
                "WITH who AS (SELECT set_config('outlast.actor', %(user)s::text, true))"
                " DELETE FROM entries_pick USING who WHERE entry_id = %(entry)s AND round_id = %(round_id)s",
                ask | {"round_id": facts.round_id},
            )
            return bool(cursor.rowcount)
    except IntegrityError as error:
        raise _translated(error, round_number=round_number, team_code="") from error


def _check(facts: _Facts, *, round_number: int, team_code: str) -> None:
    _check_open(facts, round_number=round_number)
    if facts.game_id is None or facts.game_status in (GameStatus.CANCELLED, GameStatus.POSTPONED):
        raise _not_playing(round_number, team_code)
    if facts.has_started or facts.game_status != GameStatus.SCHEDULED:
        raise Refused(Code.GAME_STARTED, f"The game of {team_code} has started.", {"game": facts.game_id})
    if facts.used_in is not None:
        raise _already_used(team_code, facts.used_in)


def _check_open(facts: _Facts, *, round_number: int) -> None:
    if facts.entry_status != EntryStatus.ACTIVE:
        raise Refused(
            Code.ENTRY_NOT_ACTIVE, f"This entry is {facts.entry_status}.", {"status": str(facts.entry_status)}
        )
    if facts.pool_status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        raise Refused(Code.ROUND_NOT_OPEN, f"The pool is {facts.pool_status}.", {"round": round_number})
    if facts.round_id is None or facts.locks_at is None or facts.rules_version is None:
        raise Refused(
            Code.ROUND_NOT_OPEN, f"Round {round_number} cannot be picked in this pool.", {"round": round_number}
        )
    if facts.is_locked:
        locked_at = facts.locks_at.isoformat().replace("+00:00", "Z")
        raise Refused(
            Code.DEADLINE_PASSED,
            f"Round {round_number} locked at {locked_at}.",
            {"round": round_number, "locked_at": locked_at},
        )


def _not_playing(round_number: int, team_code: str) -> Refused:
    return Refused(
        Code.TEAM_NOT_PLAYING,
        f"{team_code} has no game in round {round_number}.",
        {"round": round_number, "team": team_code},
    )


def _already_used(team_code: str, used_in: int | None = None) -> Refused:
    where = f" in round {used_in}" if used_in else ""
    return Refused(
        Code.TEAM_ALREADY_USED,
        f"This entry has already used {team_code}{where}.",
        {"team": team_code, "round": used_in},
    )


def _translated(error: IntegrityError, *, round_number: int, team_code: str) -> Exception:
    """The refusal behind a guard that spoke after our own checks had passed."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    match constraint:
        case "pick_before_lock":
            return Refused(Code.DEADLINE_PASSED, f"Round {round_number} has locked.", {"round": round_number})
        case "pick_team_within_limit" | "pick_team_once_a_round":
            return _already_used(team_code)
        case "pick_team_plays":
            return _not_playing(round_number, team_code)
        case _:
            return error
