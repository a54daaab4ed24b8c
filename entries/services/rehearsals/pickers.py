"""Made-up players: how each picks, from nothing but what was known at the lock, and always the same for the same seed.

All chance is a hash of the seed, the player and the round: what a player does in a round depends neither on the others
nor on the rule set, only on the teams that are left. So two rule sets see the same players with the same luck, and
where these may choose alike, they do.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

# A game that began shortly before the lock has no result at the lock.
PLAYED = timedelta(hours=6)
# What playing at home is worth, against a share of games won; and how many points of spread are worth one.
HOME = 0.1
POINTS = 28.0
# A forgetful player misses one round in so many.
FORGETS = 5
# Whoever goes against the crowd looks past this part of the list.
CROWD = 3

FAVOURITES, BY_CHANCE, CONTRARIAN, FORGETFUL = WAYS = ("favourites", "chance", "contrarian", "forgetful")


class Side(NamedTuple):
    """A team with its first game of a round."""

    team_id: int
    code: str
    game_id: int


@dataclass(frozen=True)
class Fixture:
    """A game as the schedule has it. `margin` is the home side's, None where there is no result; so is `spread`."""

    id: int
    round_number: int
    home: tuple[int, str]
    away: tuple[int, str]
    kickoff_at: datetime
    margin: int | None
    spread: float | None = None


class Calendar:
    """The sides that play in each round, the likeliest winner first: by the spread, or by the record so far."""

    def __init__(self, fixtures: Iterable[Fixture], locks: Mapping[int, datetime]) -> None:
        self._fixtures = sorted(fixtures, key=lambda game: (game.kickoff_at, game.id))
        self._locks = locks
        self._lists: dict[int, list[Side]] = {}

    def sides(self, number: int) -> list[Side]:
        """Those of a round, each team with its first game, favourites first; equals in no order that means anything."""
        if number not in self._lists:
            rates = self._rates(self._locks[number])
            edges: dict[int, tuple[float, Side]] = {}
            for game in self._fixtures:
                if game.round_number == number:
                    edge = rates.edge_of(game)
                    for (team, code), ahead in ((game.home, edge), (game.away, -edge)):
                        edges.setdefault(team, (ahead, Side(team, code, game.id)))
            self._lists[number] = [
                side for _, side in sorted(edges.values(), key=lambda it: (-it[0], _drawn(it[1], number)))
            ]
        return self._lists[number]

    def game_of(self, number: int, team_id: int) -> int | None:
        """The team's first game of the round; None where it has none."""
        return next((side.game_id for side in self.sides(number) if side.team_id == team_id), None)

    def _rates(self, lock: datetime) -> "Rates":
        """As of a lock."""
        return Rates(game for game in self._fixtures if game.kickoff_at + PLAYED <= lock and game.margin is not None)


class Rates:
    """What share of its games each team has won; ties are halves, and who has not played stands in the middle."""

    def __init__(self, games: Iterable[Fixture]) -> None:
        self._points: dict[int, float] = {}
        self._played: dict[int, int] = {}
        for game in games:
            margin = game.margin or 0
            for (team, _), own in ((game.home, margin), (game.away, -margin)):
                self._points[team] = self._points.get(team, 0.0) + (1.0 if own > 0 else 0.5 if own == 0 else 0.0)
                self._played[team] = self._played.get(team, 0) + 1

    def edge_of(self, game: Fixture) -> float:
        """How far the home side is ahead."""
        if game.spread is not None:
            return game.spread / POINTS
        return self._rate(game.home[0]) - self._rate(game.away[0]) + HOME

    def _rate(self, team_id: int) -> float:
        return (self._points.get(team_id, 0.0) + 1.0) / (self._played.get(team_id, 0) + 2.0)


def _drawn(side: Side, number: int) -> bytes:
    return hashlib.blake2b(f"{side.code}/{number}".encode(), digest_size=8).digest()


def ways_of(mix: Mapping[str, int], players: int) -> Iterator[str]:
    """For each player in turn how it picks: as many of each way as the mix says in a hundred, spread evenly."""
    owed = dict.fromkeys(WAYS, 0)
    for _ in range(players):
        for way in WAYS:
            owed[way] += mix.get(way, 0)
        way = max(WAYS, key=lambda it: owed[it])
        owed[way] -= 100
        yield way


def chosen(
    *, sides: Sequence[Side], used: Collection[int], wanted: int, way: str, seed: int, player: int, number: int
) -> list[Side]:
    """The sides that a player takes in a round, of those not used up; never both of one game. May be fewer, or none."""
    luck = int.from_bytes(hashlib.blake2b(f"{seed}/{player}/{number}".encode(), digest_size=16).digest(), "big")
    luck, fate = divmod(luck, FORGETS)
    if way == FORGETFUL and not fate:
        return []
    left = [side for side in sides if side.team_id not in used]
    taken: list[Side] = []
    while left and len(taken) < wanted:
        luck, place = _place(luck, way, len(left))
        side = left[place]
        taken.append(side)
        left = [other for other in left if other.game_id != side.game_id]
    return taken


def _place(luck: int, way: str, length: int) -> tuple[int, int]:
    """The luck that is left, and a place in the list: anywhere, or from some place on with one in two for each next."""
    if way == BY_CHANCE:
        return divmod(luck, length)
    place = length // CROWD if way == CONTRARIAN else 0
    while luck & 1 and place < length - 1:
        luck >>= 1
        place += 1
    return luck >> 1, place
