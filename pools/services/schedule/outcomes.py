"""Taking the results that a source has: how an operator's import does it, and how a feed does.

An operator's file corrects a recorded score. A feed never does: whatever contradicts what is decided already, and
whatever can hardly be true, it raises for a ruling, because a correction takes two names.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pools.models import Game, GameStatus
from pools.services.schedule import plausible
from pools.services.schedule.fixtures import League
from pools.services.schedule.reviews import Reviews

CALLED_OFF = (GameStatus.CANCELLED, GameStatus.POSTPONED)


@dataclass(frozen=True, slots=True)
class Said:
    """What a source says of a game: final with both scores, final with a `fault`, or nothing of the kind.

    `kickoff_at` is the source's own; `lock_at` the lock of the round as the source has it.
    """

    kickoff_at: datetime
    lock_at: datetime
    home_score: int | None = None
    away_score: int | None = None
    fault: str = ""

    @property
    def is_final(self) -> bool:
        return self.home_score is not None and self.away_score is not None

    @property
    def score(self) -> str:
        return f"{self.home_score}-{self.away_score}"


class Outcomes(Protocol):
    """Takes or refuses what is said; `results` counts the games that became final, or final with another score."""

    results: int

    def take(self, game: Game, said: Said) -> None: ...


class CorrectingOutcomes:
    """An operator's import: half a result is raised, a whole one is taken, also over another."""

    def __init__(self, reviews: Reviews, now: datetime) -> None:
        self.reviews, self.now, self.results = reviews, now, 0

    def take(self, game: Game, said: Said) -> None:
        """Bring the game's result up to what is said."""
        if said.fault:
            self._refuse(game, said.fault)
        elif said.is_final and said.lock_at > self.now:
            self.reviews.warnings.append(
                f"{game.external_id}: has a score, but its round has not locked. Score not taken."
            )
        elif said.is_final:
            self._record(game, said)

    def _record(self, game: Game, said: Said) -> None:
        if game.status == GameStatus.FINAL:
            if score_of(game) == said.score:
                return
            if self.reviews.is_let_stand(game, correction(game, said)):
                self.reviews.warnings.append(f"{game.external_id}: {score_of(game)} was let stand, not {said.score}.")
                return
            self.reviews.warnings.append(f"{game.external_id}: score corrected from {score_of(game)} to {said.score}.")
        finish(game, said)
        self.results += 1

    def _refuse(self, game: Game, fault: str) -> None:
        """Half a result is no result: never 0-0, never taken, and somebody has to look."""
        if game.status == GameStatus.FINAL:
            self.reviews.warnings.append(f"{game.external_id}: the file has {fault}. The recorded result stays.")
        else:
            self.reviews.ask(game, f"fault: {fault}", f"The schedule has {fault}.")


class CautiousOutcomes:
    """A feed: only a plausible first result of a game that nobody has decided about is taken.

    `finals` is what the feed calls final now; `held` counts what it said that may be true later.
    """

    def __init__(self, reviews: Reviews, now: datetime, league: League) -> None:
        self.reviews, self.now, self.league = reviews, now, league
        self.results = self.held = 0
        self.finals: dict[int, str] = {}

    def take(self, game: Game, said: Said) -> None:
        """Take the result, or raise the game."""
        if said.fault:
            self._ask(game, f"fault: {said.fault}", f"has {said.fault}")
        elif not said.is_final:
            self._miss(game)
        elif game.status != GameStatus.FINAL and self._is_too_soon(game, said):
            self.held += 1
            self._ask(game, f"early {said.score}", f"has it as final, {said.score}, before it can have ended")
        else:
            self.finals[game.pk] = said.score
            self._judge(game, said)

    def _miss(self, game: Game) -> None:
        """A feed that is merely behind another says nothing; one that takes back its own word does."""
        if game.status == GameStatus.FINAL and game.pk in self.reviews.origin.said:
            self._ask(game, f"final {score_of(game)} > none", "does not have it as final any more")

    def _judge(self, game: Game, said: Said) -> None:
        if game.status == GameStatus.FINAL:
            if score_of(game) != said.score:
                self._ask(game, correction(game, said), f"has it at {said.score} now, not {score_of(game)}")
        elif game.status in CALLED_OFF:
            self._ask(
                game, f"{game.status} > {said.score}", f"has a result, {said.score}, but here it is {game.status}"
            )
        else:
            self._record(game, said)

    def _is_too_soon(self, game: Game, said: Said) -> bool:
        """Before the lock, or sooner after the kickoff than any game ends."""
        if said.lock_at > self.now:
            return True
        return plausible.is_too_soon(max(said.kickoff_at, game.kickoff_at), self.now, self.league)

    def _record(self, game: Game, said: Said) -> None:
        if doubt := plausible.doubt(said.home_score or 0, said.away_score or 0, self.league):
            self._ask(game, doubt, f"has {doubt}")
            return
        finish(game, said)
        self.results += 1

    def _ask(self, game: Game, difference: str, what: str) -> None:
        self.reviews.ask(game, difference, f"The {self.reviews.origin.noun} {what}.")


def correction(game: Game, said: Said) -> str:
    """The difference between a recorded result and another."""
    return f"result {score_of(game)} > {said.score}"


def score_of(game: Game) -> str:
    """Home side first."""
    return f"{game.home_score}-{game.away_score}"


def finish(game: Game, said: Said) -> None:
    """Make it final, unsaved."""
    game.status, game.home_score, game.away_score = GameStatus.FINAL, said.home_score, said.away_score
