"""Rounds, games and their locks (rule 1). A lock is remembered: once passed, it never moves later."""

from dataclasses import dataclass, field
from typing import Any

Instant = Any  # whatever compares


@dataclass(repr=False)
class Game:
    """A fixture; `id` is the order in which games were first listed, `spread` is positive where home is favoured."""

    id: int
    round: int
    home: str
    away: str
    kickoff: Instant
    spread: Any = None
    status: str = "scheduled"
    home_score: int | None = None
    away_score: int | None = None
    locks_at: Instant = None

    def __post_init__(self):
        self.locks_at = self.kickoff

    def __repr__(self) -> str:
        score = f" {self.home_score}-{self.away_score}" if self.status == "final" else f" {self.status}"
        spread = f" {self.spread:+}" if self.spread else ""
        return f"<{self.id}: round {self.round} @{self.kickoff} {self.home}-{self.away}{spread}{score}>"

    def _repr_pretty_(self, printer, cycle) -> None:
        printer.text(repr(self))

    @property
    def teams(self) -> tuple[str, str]:
        return self.home, self.away

    @property
    def is_off(self) -> bool:
        return self.status in ("cancelled", "postponed")

    @property
    def has_outcome(self) -> bool:
        return self.is_off or self.status == "final"

    @property
    def favourite(self) -> tuple[str, Any] | None:
        """The favoured side and by how many points; None without a spread or with an even one (22)."""
        if not self.spread:
            return None
        return (self.home, self.spread) if self.spread > 0 else (self.away, -self.spread)

    def margin_of(self, team: str) -> int:
        margin = self.home_score - self.away_score
        return margin if team == self.home else -margin

    def report(self, status: str, home_score: int | None = None, away_score: int | None = None) -> "Game":
        """A result, a correction or a ruling: what stands from now on."""
        self.status, self.home_score, self.away_score = status, home_score, away_score
        return self


@dataclass
class League:
    """A competition: its games, and for each round the fixed lock and the first kickoff as remembered."""

    games: list[Game] = field(default_factory=list)
    fixed_locks: dict[int, Instant] = field(default_factory=dict)
    first_kickoffs: dict[int, Instant] = field(default_factory=dict)

    def __post_init__(self):
        for game in self.games:
            self._remember(game.round, now=None)

    def games_of(self, number: int) -> list[Game]:
        return [game for game in self.games if game.round == number]

    def lock_of(self, number: int) -> Instant | None:
        """The round's first kickoff, or its fixed lock where that is earlier; None for a round without either."""
        known = [at for at in (self.fixed_locks.get(number), self.first_kickoffs.get(number)) if at is not None]
        return min(known, default=None)

    def has_locked(self, number: int, now: Instant) -> bool:
        lock = self.lock_of(number)
        return lock is not None and lock <= now

    def reschedule(self, game: Game, kickoff: Instant, *, now: Instant) -> None:
        self.move(game, game.round, now=now, kickoff=kickoff)

    def move(self, game: Game, to_round: int, *, now: Instant, kickoff: Instant | None = None) -> None:
        """To another round, another kickoff, or both at once: no round sees the one without the other."""
        kickoff = game.kickoff if kickoff is None else kickoff
        game.locks_at = min(game.locks_at, kickoff) if game.locks_at <= now else kickoff
        left, game.round, game.kickoff = game.round, to_round, kickoff
        self._remember(left, now=now)
        self._remember(to_round, now=now)

    def _remember(self, number: int, *, now: Instant | None) -> None:
        kickoffs = [game.kickoff for game in self.games_of(number)]
        if now is not None and self.has_locked(number, now) and number in self.first_kickoffs:
            kickoffs.append(self.first_kickoffs[number])
        if kickoffs:
            self.first_kickoffs[number] = min(kickoffs)
        else:
            self.first_kickoffs.pop(number, None)
