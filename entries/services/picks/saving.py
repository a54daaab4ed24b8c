"""Saving picks: the one act that thousands do in the last minute before a lock.

Two statements and a commit, for one team or two: one that locks the entry and gathers every fact the rules ask for,
one that writes the picks and, through its triggers, their history. The deadline is the database's to decide: what is
read beforehand serves a good message, and the guard behind the row lock has the last word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from accounts.models import User
from config.errors import DomainError, invalid
from entries.services.picks import refusals
from entries.services.picks.facts import RoundFacts, TeamFacts, gather
from entries.services.picks.writing import take_back, write
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


def save_pick(*, entry_id: int, user: User, round_number: int, teams: Sequence[str]) -> SavedPick:
    """Set the entry's picks for the round; saving the same teams again, in any order, changes nothing.

    Refuses with ENTRY_NOT_ACTIVE, ENTRY_SUSPENDED (where the pool does not let such an entry pick), ROUND_NOT_OPEN
    (outside the pool, or the pool is not in play), DEADLINE_PASSED, TEAM_NOT_PLAYING, GAME_STARTED (of the team asked
    for, or of one that would be given up), TEAM_ALREADY_USED; with NOT_FOUND when the entry is not the user's; with
    VALIDATION_ERROR when the round takes another number of teams.
    """
    if not teams:
        raise invalid("teams", "Name the team.")
    try:
        with transaction.atomic():
            facts, chosen = gather(entry_id=entry_id, user_id=user.pk, round_number=round_number, teams=teams)
            check(facts, chosen, entry_id=entry_id, round_number=round_number)
            saved = write(facts, chosen, entry_id=entry_id, user_id=user.pk)
            for team, row in zip(chosen, saved, strict=True):
                if row is None:
                    # It stood when it was looked at, and somebody else's save has replaced it since.
                    refusals.check_team(facts, team, entry_id=entry_id, round_number=round_number)
    except IntegrityError as error:
        raise _explained(error, entry_id=entry_id, user=user, round_number=round_number, teams=teams) from error
    first, *others = (
        SavedPick(entry_id, round_number, team.code, *row) for team, row in zip(chosen, saved, strict=True) if row
    )
    return first._replace(others=tuple(others))


def delete_pick(*, entry_id: int, user: User, round_number: int) -> bool:
    """Take back what is picked for the round; says whether there was anything.

    Refuses like `save_pick`, also when there is nothing; with GAME_STARTED where the game of one of its teams has.
    """
    try:
        with transaction.atomic():
            facts, _ = gather(entry_id=entry_id, user_id=user.pk, round_number=round_number, teams=[""])
            check(facts, [], entry_id=entry_id, round_number=round_number)
            return take_back(facts, entry_id=entry_id, user_id=user.pk)
    except IntegrityError as error:
        raise _explained(error, entry_id=entry_id, user=user, round_number=round_number, teams=[]) from error


def check(facts: RoundFacts, chosen: Sequence[TeamFacts], *, entry_id: int, round_number: int) -> None:
    """Whether these teams, or none, may be what is picked for the round. A team that stands is not judged again."""
    refusals.check_open(facts, round_number=round_number)
    if chosen:
        refusals.check_number(facts, [team.code for team in chosen])
    refusals.check_fixed(facts, chosen)
    for team in chosen:
        if not team.stands:
            refusals.check_team(facts, team, entry_id=entry_id, round_number=round_number)


def _explained(
    error: IntegrityError, *, entry_id: int, user: User, round_number: int, teams: Sequence[str]
) -> Exception:
    """Why a guard refused what our own look had found in order: things have changed since, so look again."""
    with transaction.atomic():
        facts, chosen = gather(entry_id=entry_id, user_id=user.pk, round_number=round_number, teams=teams or [""])
    try:
        check(facts, chosen if teams else [], entry_id=entry_id, round_number=round_number)
    except DomainError as refusal:
        return refusal
    return refusals.told(error, round_number=round_number, code=teams[0] if teams else "")
