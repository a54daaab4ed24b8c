"""Which games an import may not touch, because somebody has picked in them. Pools cannot see picks; entries can.

The app that keeps the picks registers a function when Django starts:

    guards.register(games_with_picks)

Without one, no game has picks.
"""

from collections.abc import Callable, Collection
from typing import Any

# Called inside the import's transaction with the ids of games that are about to be moved. It first makes sure that no
# pick for the rounds of these games can arrive before the transaction ends, and only then looks.
GamesWithPicks = Callable[[Collection[int]], Collection[int]]

_registered: list[GamesWithPicks] = []


def register(games_with_picks: GamesWithPicks) -> None:
    """Make this the one who knows. The last one registered answers."""
    _registered[:] = [games_with_picks]


def picked(game_ids: Collection[int]) -> frozenset[int]:
    """Those of the games that have picks; the answer stays true until the transaction ends."""
    found: Any = _registered[0](game_ids) if _registered and game_ids else ()
    return frozenset(found)
