"""What every adapter hands back of a batch that was taken, whatever the body looked like."""

from dataclasses import dataclass, field

from pools.models import FeedSource
from pools.services.schedule.reviews import Origin


@dataclass(frozen=True)
class Batch:
    """How many games it was about, what it changed, and what it left for later or for people.

    `finals` is what it calls final, by game; `held` how much of it may still be taken when time has passed.
    """

    games: int
    changed: int
    results: int
    raised: int
    held: int
    finals: dict[int, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def origin_of(source: FeedSource, noun: str) -> Origin:
    """The source as the one who says something."""
    said = {int(game_id): score for game_id, score in source.said.items()}
    return Origin(name=str(source), noun=noun, is_feed=True, said=said)
