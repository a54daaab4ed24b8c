"""What a new schedule changes about games that we have, and what it may not change.

A game that somebody picked never leaves its round, its sides or its time slot by an import: it is raised for a ruling
and otherwise left alone. A result once recorded is corrected by an operator's file with another score, never taken
away. Of a game that a ruling decided, only the first result is taken, where it is to have one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pools.models import Game, GameStatus, Round
from pools.services.schedule import guards
from pools.services.schedule.matching import Match
from pools.services.schedule.outcomes import Outcomes, Said
from pools.services.schedule.reviews import Reviews

FIELDS = (
    "round", "external_id", "home", "away", "kickoff_at", "home_spread", "status", "home_score", "away_score", "review",
    "review_origin", "review_difference",
)  # fmt: skip
COLUMNS = tuple(field.attname for field in Game._meta.concrete_fields if field.name in FIELDS)
DECIDED = (GameStatus.FINAL, GameStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a game could not stay what players picked: for memory, and for people."""

    difference: str
    text: str


class Changes:
    """Works out new values on the game objects; nothing is written here.

    `locks` has the first kickoff of each round as the file has it; `through` is the last round whose scores are wanted.
    """

    def __init__(
        self,
        *,
        rounds: Mapping[int, Round],
        locks: Mapping[int, datetime],
        now: datetime,
        through: int | None,
        reviews: Reviews,
        outcomes: Outcomes,
    ) -> None:
        self.rounds, self.locks, self.now, self.through = rounds, locks, now, through
        self.reviews, self.outcomes = reviews, outcomes
        self.is_feed, self.warnings = reviews.origin.is_feed, reviews.warnings
        self.missing = 0

    def new_games(self, matches: Iterable[Match], competition_id: int) -> list[Game]:
        """The games that we did not have; a feed adds none that would lock a round, or to one that has locked."""
        found = [match for match in matches if match.game is None]
        late = [match.fixture.external_id for match in found if self.is_feed and self._comes_late(match)]
        if late:
            self.warnings.append(f"New, but already under way, so left to an import by hand: {', '.join(late[:10])}.")
        return [self._new_game(match, competition_id) for match in found if match.fixture.external_id not in late]

    def _comes_late(self, match: Match) -> bool:
        locks_at = self.rounds[match.number].locks_at
        return match.fixture.kickoff_at <= self.now or (locks_at is not None and locks_at <= self.now)

    def _new_game(self, match: Match, competition_id: int) -> Game:
        game = Game(competition_id=competition_id, status=GameStatus.SCHEDULED)
        self._take_facts(game, match)
        if not self.is_feed:
            self._take_outcome(game, match)
        return game

    def update(self, matches: Iterable[Match], missing: Iterable[Game]) -> list[Game]:
        """Bring known games up to the file; those that differ from before."""
        known = [(match.game, match) for match in matches if match.game is not None and self._is_ours(match.game)]
        gone = [game for game in missing if not game.is_ruled and self._is_ours(game) and self._is_gone(game)]
        self.missing = len(gone)
        before = {game.pk: _values(game) for game in [*(game for game, _ in known), *gone]}
        free = [(game, match) for game, match in known if not game.is_ruled]
        conflicts = {game.pk: found for game, match in free if (found := self._conflict(game, match))}
        picked = guards.picked(list(conflicts))
        for game, match in known:
            if game.is_ruled:
                self._take_first_result(game, match)
            else:
                self._update(game, match, conflicts.get(game.pk), is_picked=game.pk in picked)
        for game in gone:
            self.reviews.ask(game, "dropped", "The schedule does not list it any more.")
        return [game for game in [*(game for game, _ in known), *gone] if _values(game) != before[game.pk]]

    def _is_ours(self, game: Game) -> bool:
        """Whether nobody else has, or is about to have, the say about the game."""
        is_decided = game.is_ruled and game.status not in (GameStatus.SCHEDULED, GameStatus.IN_PROGRESS)
        return not (is_decided or self.reviews.is_anothers(game))

    def _is_gone(self, game: Game) -> bool:
        """A file may have fewer rounds than we do; a feed has the whole season."""
        if self.is_feed:
            return game.status != GameStatus.CANCELLED
        return game.status not in DECIDED and game.round.number in self.locks

    def _update(self, game: Game, match: Match, conflict: Conflict | None, *, is_picked: bool) -> None:
        if game.status == GameStatus.CANCELLED:
            self._leave_cancelled(game, match)
        elif conflict and (is_picked or self._is_settled(game)) and not self._may_correct(game):
            self._leave(game, match, conflict)
        elif past := self._past_kickoff(game, match):
            self._leave(game, match, past)
        else:
            if conflict and is_picked:
                self.warnings.append(f"{game.external_id}: final, with picks. {conflict.text} Left as it was.")
            elif not self._is_settled(game):
                self._take_facts(game, match)
            self.reviews.close(game)
            self._take_outcome(game, match)

    def _leave_cancelled(self, game: Game, match: Match) -> None:
        """Staff said so; only staff take it back."""
        if self.is_feed:
            self.reviews.close(game)
            self._take_outcome(game, match)
        elif match.fixture.has_result:
            self.warnings.append(f"{game.external_id}: cancelled here, but the file has a result. Left cancelled.")

    def _leave(self, game: Game, match: Match, conflict: Conflict) -> None:
        """Where it is, for a person to decide; if one has, only a final game's score is still compared."""
        if not self.reviews.is_let_stand(game, conflict.difference):
            self.reviews.ask(game, conflict.difference, conflict.text)
            return
        self.reviews.close(game)
        if game.status == GameStatus.FINAL:
            self._take_outcome(game, match)
        elif match.fixture.has_result:
            self.warnings.append(f"{game.external_id}: let stand where it is, so its result is entered by hand.")

    def _may_correct(self, game: Game) -> bool:
        """An operator's file corrects the score of a final game wherever it has the game."""
        return game.status == GameStatus.FINAL and not self.is_feed

    def _is_settled(self, game: Game) -> bool:
        """Whether a feed has nothing to say any more about when and where the game is."""
        return self.is_feed and game.status == GameStatus.FINAL

    def _past_kickoff(self, game: Game, match: Match) -> Conflict | None:
        """A kickoff that a feed moves from the future to the past would lock the round, for ever, by a slip."""
        kickoff = match.fixture.kickoff_at
        if not self.is_feed or self._is_settled(game) or not kickoff <= self.now < game.kickoff_at:
            return None
        when = f"{kickoff:%Y-%m-%d %H:%M} UTC"
        return Conflict(f"kickoff > {when}", f"The schedule has it at {when} now, which is past.")

    def _conflict(self, game: Game, match: Match) -> Conflict | None:
        """Why the game could not stay what players picked."""
        if game.round.number != match.number:
            text = f"The schedule has it in round {match.number} now, not {game.round.number}."
            return Conflict(f"round {game.round.number} > {match.number}", text)
        if {game.home_id, game.away_id} != {match.home.pk, match.away.pk}:
            sides = f"{match.away.code} at {match.home.code}"
            return Conflict(f"sides {game.away_id}-{game.home_id} > {sides}", f"The schedule has {sides} now.")
        next_lock, kickoff = self.locks.get(match.number + 1), match.fixture.kickoff_at
        if next_lock is not None and game.kickoff_at < next_lock <= kickoff:
            when = f"{kickoff:%Y-%m-%d %H:%M} UTC"
            text = f"The schedule has it at {when} now, after round {match.number + 1} locks."
            return Conflict(f"kickoff > {when}", text)
        return None

    def _take_facts(self, game: Game, match: Match) -> None:
        game.round = self.rounds[match.number]
        game.external_id = match.fixture.external_id
        game.home, game.away = match.home, match.away
        game.kickoff_at = match.fixture.kickoff_at
        if match.fixture.home_spread is not None:
            game.home_spread = match.fixture.home_spread

    def _take_outcome(self, game: Game, match: Match) -> None:
        if self.through is not None and match.number > self.through:
            return
        fixture = match.fixture
        said = Said(fixture.kickoff_at, self.locks[match.number], *_scores(game, match), fixture.result_fault)
        self.outcomes.take(game, said)

    def _take_first_result(self, game: Game, match: Match) -> None:
        """Of a game that a ruling let stand, or moved: where and when it counts is decided, how it ends is not."""
        self.reviews.close(game)
        if self.through is not None and game.round.number > self.through:
            return
        fixture, lock_at = match.fixture, game.round.locks_at or self.locks[match.number]
        self.outcomes.take(game, Said(fixture.kickoff_at, lock_at, *_scores(game, match), fixture.result_fault))


def _scores(game: Game, match: Match) -> tuple[int | None, int | None]:
    """The scores by our own sides: a game that is left as it is may have its sides the other way round in the file."""
    fixture = match.fixture
    if game.home_id == match.away.pk and game.away_id == match.home.pk:
        return fixture.away_score, fixture.home_score
    return fixture.home_score, fixture.away_score


def _values(game: Game) -> tuple[Any, ...]:
    return tuple(getattr(game, name) for name in COLUMNS)
