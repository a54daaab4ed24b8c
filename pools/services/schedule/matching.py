"""Which game of ours a line of the file is about, and which round it belongs to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pools.models import Competition, Game, Team
from pools.services.schedule.fixtures import Fixture, ScheduleError
from pools.services.schedule.rounds import DrawnRounds

MOST_SHOWN = 10


@dataclass(slots=True)
class Match:
    """A fixture, its teams, the game it is if we have that already, and the number of its round."""

    fixture: Fixture
    home: Team
    away: Team
    game: Game | None
    number: int = 0


def match(
    fixtures: Iterable[Fixture], teams: Mapping[str, Team], games: Iterable[Game]
) -> tuple[list[Match], list[Game]]:
    """Match by name, else by the two sides; and the games that the file does not have.

    A moved game gets another name in public data (`2020_04_PIT_TEN` became `2020_07_PIT_TEN`), so a name that is gone
    and a new one for the same sides are the same game. Two candidates on either side match nothing.
    """
    by_name = {game.external_id: game for game in games}
    matches = [
        Match(fixture, teams[fixture.home], teams[fixture.away], by_name.pop(fixture.external_id, None))
        for fixture in fixtures
    ]
    by_sides: dict[tuple[int, int], list[Game]] = defaultdict(list)
    for game in by_name.values():
        by_sides[game.home_id, game.away_id].append(game)
    new: dict[tuple[int, int], list[Match]] = defaultdict(list)
    for found in matches:
        if found.game is None:
            new[found.home.pk, found.away.pk].append(found)
    for sides, candidates in new.items():
        if len(candidates) == 1 and len(by_sides[sides]) == 1:
            candidates[0].game = by_sides[sides].pop()
    return matches, [game for left in by_sides.values() for game in left]


def place(
    matches: list[Match], competition: Competition, drawn: DrawnRounds | None, warnings: list[str]
) -> list[Match]:
    """Give each match its round and leave out those without one.

    Rounds come from the rounds file if there is one; else, where a rounds file drew them earlier, games stay in theirs;
    else from the schedule. Raises `ScheduleError` when a rounds file has no round for a game that we have.
    """
    if drawn is None and not competition.rounds_are_drawn:
        for found in matches:
            found.number = found.fixture.round_number
        return matches
    for found in matches:
        if drawn is not None:
            found.number = drawn.number_of.get(found.fixture.external_id, 0)
        elif found.game is not None:
            found.number = found.game.round.number
    left_out = [found for found in matches if not found.number]
    lost = [found.fixture.external_id for found in left_out if found.game is not None]
    if lost:
        raise ScheduleError(
            f"The rounds file has no round for {len(lost)} games that {competition.code} has: {_some(lost)}."
        )
    if left_out:
        names = _some([found.fixture.external_id for found in left_out])
        warnings.append(f"{len(left_out)} games belong to no round of the rounds file and are left out: {names}.")
    return [found for found in matches if found.number]


def _some(names: list[str]) -> str:
    return ", ".join(names[:MOST_SHOWN]) + (" …" if len(names) > MOST_SHOWN else "")
