"""What a new schedule changes about games that we have, and what it may not change.

A game that somebody picked never leaves its round, its sides or its time slot by an import: it is raised for a ruling
and otherwise left alone. A result once recorded is corrected by a file with another score, never taken away.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pools.models import Game, GameStatus, Round
from pools.services.schedule import guards
from pools.services.schedule.matching import Match

FIELDS = (
    "round", "external_id", "home", "away", "kickoff_at", "home_spread", "status", "home_score", "away_score", "review",
)  # fmt: skip
DECIDED = (GameStatus.FINAL, GameStatus.CANCELLED)
LONGEST_REVIEW = 200


class Changes:
    """Works out new values on the game objects; nothing is written here.

    `locks` has the first kickoff of each round as the file has it; `through` is the last round whose scores are wanted.
    """

    def __init__(
        self, *, rounds: Mapping[int, Round], locks: Mapping[int, datetime], now: datetime, through: int | None
    ) -> None:
        self.rounds, self.locks, self.now, self.through = rounds, locks, now, through
        self.warnings: list[str] = []
        self.results = 0

    def new_game(self, match: Match, competition_id: int) -> Game:
        """A game we did not have."""
        game = Game(competition_id=competition_id, status=GameStatus.SCHEDULED)
        self._take_facts(game, match)
        self._take_result(game, match)
        return game

    def update(self, matches: Iterable[Match], missing: Iterable[Game]) -> list[Game]:
        """Bring known games up to the file; those that differ from before."""
        known = [(match.game, match) for match in matches if match.game is not None]
        gone = [game for game in missing if game.status not in DECIDED and game.round.number in self.locks]
        before = {game.pk: _values(game) for game in [*(game for game, _ in known), *gone]}
        conflicts = {game.pk: reason for game, match in known if (reason := self._conflict(game, match))}
        picked = guards.picked(list(conflicts))
        for game, match in known:
            self._update(game, match, conflicts[game.pk] if game.pk in picked else "")
        for game in gone:
            self._raise(game, "The schedule does not list it any more.")
        return [game for game in [*(game for game, _ in known), *gone] if _values(game) != before[game.pk]]

    def _update(self, game: Game, match: Match, conflict: str) -> None:
        if game.status == GameStatus.CANCELLED:
            # Staff said so; only staff take it back.
            if match.fixture.has_result:
                self.warnings.append(f"{game.external_id}: cancelled here, but the file has a result. Left cancelled.")
        elif conflict and game.status != GameStatus.FINAL:
            self._raise(game, conflict)
        else:
            if conflict:
                self.warnings.append(f"{game.external_id}: final, with picks. {conflict} Left as it was.")
            else:
                self._take_facts(game, match)
            game.review = ""
            self._take_result(game, match)

    def _conflict(self, game: Game, match: Match) -> str:
        """Why the game could not stay what players picked."""
        if game.round.number != match.number:
            return f"The schedule has it in round {match.number} now, not {game.round.number}."
        if {game.home_id, game.away_id} != {match.home.pk, match.away.pk}:
            return f"The schedule has {match.away.code} at {match.home.code} now."
        next_lock, kickoff = self.locks.get(match.number + 1), match.fixture.kickoff_at
        if next_lock is not None and game.kickoff_at < next_lock <= kickoff:
            return f"The schedule has it at {kickoff:%Y-%m-%d %H:%M} UTC now, after round {match.number + 1} locks."
        return ""

    def _take_facts(self, game: Game, match: Match) -> None:
        game.round = self.rounds[match.number]
        game.external_id = match.fixture.external_id
        game.home, game.away = match.home, match.away
        game.kickoff_at = match.fixture.kickoff_at
        if match.fixture.home_spread is not None:
            game.home_spread = match.fixture.home_spread

    def _take_result(self, game: Game, match: Match) -> None:
        fixture = match.fixture
        if self.through is not None and match.number > self.through:
            return
        if fixture.result_fault:
            self._refuse_result(game, fixture.result_fault)
        elif fixture.has_result and self.locks[match.number] > self.now:
            self.warnings.append(f"{fixture.external_id}: has a score, but its round has not locked. Score not taken.")
        elif fixture.has_result:
            self._record(game, fixture.home_score, fixture.away_score)

    def _record(self, game: Game, home: int | None, away: int | None) -> None:
        if game.status == GameStatus.FINAL:
            if (game.home_score, game.away_score) == (home, away):
                return
            self.warnings.append(
                f"{game.external_id}: score corrected from {game.home_score}-{game.away_score} to {home}-{away}."
            )
        game.status, game.home_score, game.away_score = GameStatus.FINAL, home, away
        self.results += 1

    def _refuse_result(self, game: Game, fault: str) -> None:
        """Half a result is no result: never 0-0, never taken, and somebody has to look."""
        if game.status == GameStatus.FINAL:
            self.warnings.append(f"{game.external_id}: the file has {fault}. The recorded result stays.")
        else:
            self._raise(game, f"The schedule has {fault}.")

    def _raise(self, game: Game, reason: str) -> None:
        game.review = reason[:LONGEST_REVIEW]
        self.warnings.append(f"{game.external_id}: raised for a ruling. {reason}")


def _values(game: Game) -> tuple[Any, ...]:
    return (
        game.round_id, game.external_id, game.home_id, game.away_id, game.kickoff_at, game.home_spread,
        game.status, game.home_score, game.away_score, game.review,
    )  # fmt: skip
