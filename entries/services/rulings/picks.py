"""Rulings about a pick: a late one, another one for a wrong one, or none at all, in a round that is revealed.

The guards of the database judge the team. A pick ahead that uses the team too often gives way: to refuse because of it
would tell staff what nobody but its owner may know. Its owner is told, and chooses again.
"""

import secrets
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from config.audit import attribute
from config.errors import Code, Refused, invalid
from config.phrases import phrase
from entries.models import Entry, Pick, PickSource, Ruling
from entries.models.pick import LATE_SETTING, RULING_SETTING
from entries.services.rulings.decision import (
    Decision,
    Details,
    Stale,
    check_keys,
    lock_entry,
    refuse_void,
    whole_number,
)
from pools.models import Game, LockPolicy, Round, Rules, Team
from pools.queries import current_rules

MOST_TEAMS = 2
TOO_OFTEN = ("pick_team_within_limit", "pick_team_once_a_round")


class Choice(NamedTuple):
    """A team of the round, and its game there."""

    team: Team
    game: Game


def pick_details(entry: Entry, asked: Details) -> dict[str, Any]:
    """What is asked, checked; what can be checked only under locks comes later."""
    check_keys(asked, PickDecision.KEYS)
    teams = asked.get("teams")
    if not isinstance(teams, Sequence) or isinstance(teams, str) or not all(isinstance(code, str) for code in teams):
        raise invalid("details.teams", "Must be a list of team codes; empty for no pick.")
    if len(teams) > MOST_TEAMS or len(set(teams)) < len(teams):
        raise invalid("details.teams", phrase("At most {most} different teams.", most=MOST_TEAMS))
    return {"round": whole_number(asked, "round"), "teams": list(teams)}


class PickDecision(Decision):
    """What an entry's picks of one round are."""

    KEYS: ClassVar = ("round", "teams")

    entry: Entry
    round: Round

    def look(self) -> None:
        """Refuses a void entry, a round that the entry does not play or whose picks are secret, and no change."""
        self.entry = lock_entry(self.ruling)
        refuse_void(self.entry)
        self._find_round()
        self.choices = [self._choice(code) for code in self.ruling.details["teams"]]
        self.present = list(_picks_of(self.entry, self.round))
        if {pick.team_id for pick in self.present} == {choice.team.pk for choice in self.choices}:
            raise Stale("The entry's picks of that round are these already.")
        self._refuse_secret([pick.game for pick in self.present] + [choice.game for choice in self.choices])

    def carry_out(self) -> dict[str, Any]:
        """Teams that stay keep their slot; the others replace those that go, lowest slot first."""
        before = [_kept(pick) for pick in self.present]
        wanted = {choice.team.pk for choice in self.choices}
        going = [pick for pick in self.present if pick.team_id not in wanted]
        coming = [choice for choice in self.choices if choice.team.pk not in {pick.team_id for pick in self.present}]
        with Hand(self.entry, self.ruling) as hand:
            for pick, choice in zip(going, coming, strict=False):
                hand.replace(pick, choice, self.version)
            for pick in going[len(coming) :]:
                pick.delete()
            free = [slot for slot in (1, 2) if slot not in {pick.slot for pick in self.present}]
            for slot, choice in zip(free, coming[len(going) :], strict=False):
                hand.add(self.round, slot, choice, self.version)
        return {"picks": before, "ahead": hand.taken_back}

    def look_back(self) -> None:
        self.entry = lock_entry(self.ruling)
        self.round = Round.objects.get(competition_id=self.ruling.competition_id, number=self.ruling.details["round"])
        self.present = list(_picks_of(self.entry, self.round))

    def undo(self, *, reversal: Ruling) -> None:
        """The rows as they were, to the nonce; then the picks ahead that had given way, where their place is free."""
        stood = self.ruling.before["picks"]
        with Hand(self.entry, reversal) as hand:
            for pick in self.present:
                if _kept(pick) not in stood:
                    pick.delete()
            standing = [_kept(pick) for pick in self.present]
            for row in stood:
                if row not in standing:
                    hand.restore(row)
            for row in self.ruling.before["ahead"]:
                hand.restore_ahead(row)

    def _find_round(self) -> None:
        number, pool = self.ruling.details["round"], self.entry.pool
        first = max(pool.first_round_number, self.entry.first_round_number)
        found = Round.objects.filter(competition_id=pool.competition_id, number=number).first()
        if found is None or not first <= number <= pool.last_round_number:
            raise Refused(
                Code.ROUND_NOT_OPEN, phrase("The entry does not play round {round}.", round=number), {"round": number}
            )
        if found.revealed_at is None:
            raise _secret(number)
        rules = (
            Rules.objects.filter(pool=pool, effective_round_number__lte=number)
            .order_by("-version")
            .only("version", "lock", "picks_per_round", "two_pick_rounds")
            .first()
        )
        assert rules is not None
        asked_for = MOST_TEAMS if number in rules.two_pick_rounds else rules.picks_per_round
        if len(self.ruling.details["teams"]) > asked_for:
            raise invalid("details.teams", phrase("Round {round} takes {most} at most.", round=number, most=asked_for))
        self.round, self.version, self.lock = found, rules.version, rules.lock

    def _choice(self, code: str) -> Choice:
        """The team's first game of the round, like any pick."""
        team = Team.objects.filter(competition_id=self.round.competition_id, code=code).first()
        plays = Q(home=team) | Q(away=team)
        game = Game.objects.filter(plays, round=self.round).first() if team else None
        if team is None or game is None:
            number = self.round.number
            raise Refused(
                Code.TEAM_NOT_PLAYING,
                phrase("{code} has no game in round {round}.", code=code, round=number),
                {"round": number, "team": code},
            )
        return Choice(team, game)

    def _refuse_secret(self, games: Sequence[Game]) -> None:
        """Where each game locks by itself, its picks are the player's alone until it does."""
        if self.lock == LockPolicy.GAME and any(game.revealed_at is None for game in games):
            raise _secret(self.round.number)


class Hand:
    """Writes picks after their lock, in the name of one ruling; what settlement writes later is not in its name."""

    def __init__(self, entry: Entry, ruling: Ruling) -> None:
        self.entry, self.ruling = entry, ruling
        self.secret = Q(round__revealed_at=None)
        if current_rules(entry.pool).lock == LockPolicy.GAME:
            self.secret |= Q(game__revealed_at=None)
        self.taken_back: list[dict[str, Any]] = []

    def __enter__(self) -> "Hand":
        attribute(by=self.ruling.decided_by, reason=f"ruling {self.ruling.pk}")
        _declare(PickSource.STAFF.value, str(self.ruling.pk))
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        # After a refusal of the database nothing can be said any more, and the settings go with the transaction.
        if kind is None:
            _declare("", "")

    def replace(self, pick: Pick, choice: Choice, version: int) -> None:
        """Another team in the same slot."""
        pick.team, pick.game, pick.rules_version = choice.team, choice.game, version
        self._by_staff(pick)

    def add(self, round_: Round, slot: int, choice: Choice, version: int) -> None:
        """A pick where there was none."""
        new = Pick(entry=self.entry, round=round_, slot=slot, team=choice.team, game=choice.game, rules_version=version)
        self._by_staff(new)

    def restore(self, row: dict[str, Any]) -> None:
        """The very row that stood before."""
        self._save(_pick(self.entry, row), is_new=True)

    def restore_ahead(self, row: dict[str, Any]) -> None:
        """A pick that had given way comes back, unless its place is taken or the rules have no room for it now."""
        if Pick.objects.filter(entry=self.entry, round_id=row["round_id"], slot=row["slot"]).exists():
            return
        try:
            with transaction.atomic():
                _pick(self.entry, row).save(force_insert=True)
        except IntegrityError as error:
            if _constraint(error) not in TOO_OFTEN:
                raise

    def _by_staff(self, pick: Pick) -> None:
        pick.source, pick.nonce = PickSource.STAFF, secrets.token_hex(16)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            pick.picked_at = cursor.fetchone()[0]
        self._save(pick, is_new=pick.pk is None)

    def _save(self, pick: Pick, *, is_new: bool) -> None:
        """Save it; as long as the team is used too often, the nearest pick ahead of the same team gives way."""
        while True:
            try:
                with transaction.atomic():
                    pick.save(force_insert=is_new, force_update=not is_new)
            except IntegrityError as error:
                if _constraint(error) not in TOO_OFTEN or not self._take_back(pick):
                    raise _refusal(error, pick) from error
            else:
                return

    def _take_back(self, pick: Pick) -> bool:
        ahead = (
            Pick.objects.filter(self.secret, entry=self.entry, team_id=pick.team_id)
            .exclude(round_id=pick.round_id)
            .order_by("round__number")
            .first()
        )
        if ahead is None:
            return False
        self.taken_back.append(_kept(ahead))
        ahead.delete()
        return True


def _declare(late: str, ruling: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config(%s, %s, true), set_config(%s, %s, true)", [LATE_SETTING, late, RULING_SETTING, ruling]
        )


def _picks_of(entry: Entry, round_: Round) -> Any:
    return Pick.objects.filter(entry=entry, round=round_).select_related("game").order_by("slot").locked()


def _kept(pick: Pick) -> dict[str, Any]:
    """A pick as JSON keeps it."""
    return {
        "id": pick.pk, "round_id": pick.round_id, "slot": pick.slot, "team_id": pick.team_id, "game_id": pick.game_id,
        "source": str(pick.source), "rules_version": pick.rules_version, "nonce": pick.nonce,
        "picked_at": pick.picked_at.isoformat(),
    }  # fmt: skip


def _pick(entry: Entry, row: dict[str, Any]) -> Pick:
    return Pick(entry=entry, **row | {"picked_at": parse_datetime(row["picked_at"])})


def _secret(number: int) -> Refused:
    return Refused(
        Code.ROUND_NOT_OPEN,
        phrase("Picks of round {round} are the players' own until they lock.", round=number),
        {"round": number},
    )


def _constraint(error: IntegrityError) -> str:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""


def _refusal(error: IntegrityError, pick: Pick) -> Exception:
    if _constraint(error) in TOO_OFTEN:
        return Refused(
            Code.TEAM_ALREADY_USED,
            phrase("This entry has already used {team}.", team=pick.team.code),
            {"team": pick.team.code},
        )
    return error
