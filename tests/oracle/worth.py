"""When a round is open to look at (rules 2 to 5), and what a pick is worth (rules 7 to 11)."""

from dataclasses import dataclass
from functools import cached_property

from tests.oracle.league import Game, Instant, League
from tests.oracle.pool import Entry, Pick, Pool


@dataclass(frozen=True)
class Worth:
    """`won`, `lost` (with the code of the loss), `void` or `pending`."""

    result: str
    code: str = ""


WON, VOID, PENDING = Worth("won"), Worth("void"), Worth("pending")


@dataclass
class View:
    """A pool and its league, looked at in one instant. Nothing changes while it is in use."""

    pool: Pool
    league: League
    now: Instant

    @cached_property
    def _games(self) -> dict[int, Game]:
        return {game.id: game for game in self.league.games}

    @cached_property
    def _rounds(self) -> dict[int, list[Game]]:
        return {number: self.league.games_of(number) for number in self.pool.rounds}

    def game(self, pick: Pick) -> Game:
        return self._games[pick.game]

    def games_of(self, number: int) -> list[Game]:
        return self._rounds[number]

    def lock_of(self, number: int) -> Instant | None:
        """Fixed or not, it is the round's lock under both policies; under `game` it only does not fix picks (2)."""
        return self.league.lock_of(number)

    def is_revealed(self, number: int) -> bool:
        """Nothing is in flight here: the lock has passed, and that is all (3)."""
        lock = self.lock_of(number)
        return lock is not None and lock <= self.now

    def is_closed(self, number: int) -> bool:
        """No pick can arrive any more (4)."""
        if not self.is_revealed(number) or self.pool.book_of(number).lock == "round":
            return self.is_revealed(number)
        return all(game.locks_at <= self.now for game in self.games_of(number) if not game.is_off)

    def has_begun(self, number: int) -> bool:
        return self.is_revealed(number) and any(game.has_outcome for game in self.games_of(number))  # 5

    def is_complete(self, number: int) -> bool:
        return self.is_closed(number) and all(game.has_outcome for game in self.games_of(number))  # 5

    def is_fixed(self, pick: Pick) -> bool:
        """Whether the pick can no longer change (2), and so may be looked at (3)."""
        if self.pool.book_of(pick.round).lock == "game":
            game = self.game(pick)
            if game.round == pick.round and game.locks_at <= self.now:
                return True
        return self.is_closed(pick.round)

    def worth_of(self, pick: Pick) -> Worth:
        """What is not revealed is graded by nobody (3)."""
        return self.facts_of(pick) if self.is_fixed(pick) else PENDING

    def facts_of(self, pick: Pick) -> Worth:
        """What the pick's game makes of it, looked at or not."""
        book, game = self.pool.book_of(pick.round), self.game(pick)
        if game.is_off or game.round != pick.round:  # 9
            return {"loss": Worth("lost", "game_cancelled"), "win": WON}.get(book.cancelled_game, VOID)
        if game.status != "final":  # 10
            return PENDING
        margin = game.margin_of(pick.team)
        if margin == 0:  # 8
            return {"loss": Worth("lost", "pick_tied"), "win": WON}.get(book.tie, VOID)
        return WON if margin > 0 else Worth("lost", "pick_lost")  # 7


def worth_of(pool: Pool, league: League, pick: Pick, now: Instant) -> Worth:
    return View(pool, league, now).worth_of(pick)


def taken_back(pool: Pool, league: League, now: Instant) -> list[tuple[Entry, Pick]]:
    """`repick`: the picks whose game is known, before their lock, not to be played in the round (9)."""
    view = View(pool, league, now)
    found = []
    for entry in pool.entries:
        for pick in entry.picks:
            game = view.game(pick)
            is_lost_game = game.is_off or game.round != pick.round
            if pool.book_of(pick.round).cancelled_game == "repick" and is_lost_game and not view.is_fixed(pick):
                found.append((entry, pick))
    return found
