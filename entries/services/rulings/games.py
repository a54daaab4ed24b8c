"""Rulings about a game: not played in its round, stands in it, belongs to another round, or ended with another score.

Where the game is ruled on, no feed changes what was decided; the first result of a game that stands, or that was moved,
still comes from wherever results come.
"""

from datetime import datetime
from typing import Any, ClassVar

from django.utils.dateparse import parse_datetime

from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Refused, invalid
from config.phrases import phrase
from entries.models import Ruling
from entries.services.rulings.decision import Decision, Details, Stale, check_keys, whole_number
from pools.models import Game, GameStatus, Round
from pools.services.results import HIGHEST_SCORE, NOT_PLAYED, RoundStillOpen

REVIEW = ("review", "review_origin", "review_difference")
FACTS = ("status", "home_score", "away_score", "round_id", "kickoff_at", "is_ruled", *REVIEW)
TAKES = {
    "not_played": ("verdict", "status"),
    "stands": ("verdict", "kickoff_at"),
    "moved": ("verdict", "to_round", "kickoff_at"),
    "score": ("verdict", "home_score", "away_score"),
}


def game_details(game: Game, asked: Details) -> dict[str, Any]:
    """What is asked, checked and complete, with the round that the game is in now."""
    verdict = asked.get("verdict")
    if verdict not in TAKES:
        raise invalid("details.verdict", phrase("Must be one of {choices}.", choices=", ".join(TAKES)))
    check_keys(asked, TAKES[verdict])
    details: dict[str, Any] = {"verdict": verdict, "round": game.round.number}
    if verdict == "not_played":
        details["status"] = asked.get("status", GameStatus.POSTPONED.value)
        if details["status"] not in NOT_PLAYED:
            raise invalid("details.status", phrase("Must be one of {choices}.", choices=", ".join(NOT_PLAYED)))
    if verdict == "moved":
        details["to_round"] = whole_number(asked, "to_round")
    if verdict == "score":
        for key in ("home_score", "away_score"):
            details[key] = whole_number(asked, key, at_least=0, at_most=HIGHEST_SCORE)
    if asked.get("kickoff_at") is not None:
        details["kickoff_at"] = _instant(asked["kickoff_at"]).isoformat()
    return details


class GameDecision(Decision):
    """What becomes of one game."""

    KEYS: ClassVar = ("verdict", "status", "home_score", "away_score", "to_round", "kickoff_at")

    game: Game

    def look(self) -> None:
        """Refuses a game that is in another round by now, or that is all this already."""
        self.game = _lock(self.ruling)
        if self.game.round.number != self.ruling.details["round"]:
            raise Stale(
                phrase("The game is in round {round} now.", round=self.game.round.number), round=self.game.round.number
            )
        closed = dict.fromkeys(REVIEW, "")
        self.after = {**facts_of(self.game), **self._decided(), **closed, "is_ruled": True}
        if self.after == facts_of(self.game):
            raise Stale("A ruling has decided that already.")

    def carry_out(self) -> dict[str, Any]:
        before = facts_of(self.game)
        attribute(by=self.ruling.decided_by, reason=f"ruling {self.ruling.pk}")
        _write(self.game, self.after)
        return {"was": before, "became": self.after}

    def look_back(self) -> None:
        """Refuses when something that the ruling decided has changed since."""
        self.game = _lock(self.ruling)
        was, became, now = self.ruling.before["was"], self.ruling.before["became"], facts_of(self.game)
        decided = [name for name in FACTS if was[name] != became[name] and name not in REVIEW]
        changed = [name for name in decided if now[name] != became[name]]
        if changed:
            raise Stale(
                phrase("The game has changed since: {facts}. Rule on it anew.", facts=", ".join(changed)),
                changed=changed,
            )
        # A review that was opened since speaks of the game as it is now: it stays.
        restored = [*decided, *(REVIEW if not now["review"] else ())]
        self.after = now | {name: was[name] for name in restored}

    def undo(self, *, reversal: Ruling) -> None:
        attribute(by=reversal.decided_by, reason=f"ruling {reversal.pk}")
        _write(self.game, self.after)

    def _decided(self) -> dict[str, Any]:
        details = self.ruling.details
        match details["verdict"]:
            case "not_played":
                return {"status": details["status"], "home_score": None, "away_score": None}
            case "score":
                return self._scored()
            case "moved":
                return self._moved()
            case _:
                return self._stands()

    def _scored(self) -> dict[str, Any]:
        if self.game.round.locks_at is None or self.game.round.locks_at > database_now():
            raise RoundStillOpen(self.game)
        details = self.ruling.details
        scores = {"home_score": details["home_score"], "away_score": details["away_score"]}
        return {"status": GameStatus.FINAL.value, **scores}

    def _stands(self) -> dict[str, Any]:
        """It counts with its result: a game that was called off waits for one again."""
        decided: dict[str, Any] = {}
        if self.game.status in NOT_PLAYED:
            decided["status"] = GameStatus.SCHEDULED.value
        if "kickoff_at" in self.ruling.details:
            decided["kickoff_at"] = self.ruling.details["kickoff_at"]
        return decided

    def _moved(self) -> dict[str, Any]:
        """To a round that can still be picked, as a game that has not begun: else the move would lock that round."""
        number, now = self.ruling.details["to_round"], database_now()
        to = Round.objects.filter(competition_id=self.game.competition_id, number=number).first()
        if to is None:
            raise invalid("details.to_round", phrase("There is no round {round}.", round=number))
        if to.pk == self.game.round_id:
            raise Stale(phrase("The game is in round {round} already.", round=number))
        if to.locks_at is not None and to.locks_at <= now:
            raise Refused(Code.DEADLINE_PASSED, phrase("Round {round} has locked.", round=number), {"round": number})
        kickoff_at = _instant(self.ruling.details.get("kickoff_at", self.game.kickoff_at.isoformat()))
        if kickoff_at <= now:
            raise invalid("details.kickoff_at", "Say when it is played: the kickoff that is known has passed.")
        return {
            "status": GameStatus.SCHEDULED.value, "home_score": None, "away_score": None,
            "round_id": to.pk, "kickoff_at": kickoff_at.isoformat(),
        }  # fmt: skip


def facts_of(game: Game) -> dict[str, Any]:
    """What rulings decide about a game, as JSON keeps it."""
    facts = {name: getattr(game, name) for name in FACTS}
    return facts | {"status": str(game.status), "kickoff_at": game.kickoff_at.isoformat()}


def _lock(ruling: Ruling) -> Game:
    assert ruling.game_id is not None, "the database holds it: ruling_names_its_subject"
    return Game.objects.select_related("round").locked().get(pk=ruling.game_id)


def _write(game: Game, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        setattr(game, name, _instant(value) if name == "kickoff_at" else value)
    game.save(update_fields=list(FACTS))


def _instant(value: Any) -> datetime:
    """An instant with a zone, from what JSON or a form has. Raises VALIDATION_ERROR for anything else."""
    try:
        at = value if isinstance(value, datetime) else parse_datetime(str(value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise invalid("details.kickoff_at", "Must be an instant with its zone, such as 2026-12-02T20:40:00Z.")
    return at
