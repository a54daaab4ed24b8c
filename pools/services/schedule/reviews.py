"""Raising games for a ruling: who raised what, what staff let stand before, and when a review closes by itself.

A review belongs to whoever raised it. It closes when the same source agrees with us again, when an operator's import
does, or when a person decides. A difference that a person let stand is never raised again, whoever comes with it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from accounts.models import User
from pools.models import Game, LetStand

LONGEST_REVIEW = 200
LONGEST_DIFFERENCE = 120


@dataclass(frozen=True)
class Origin:
    """Who says what is to be written: a person who runs an import, or a feed that comes by itself.

    `said` is what a feed has called final before, by the id of the game.
    """

    name: str = "schedule"
    noun: str = "schedule"
    is_feed: bool = False
    said: dict[int, str] = field(default_factory=dict)


BY_HAND = Origin()


class Reviews:
    """Works on game objects; nothing is written here."""

    def __init__(self, origin: Origin, let_stand: Collection[tuple[int, str]] = ()) -> None:
        self.origin, self.let_stand = origin, frozenset(let_stand)
        self.warnings: list[str] = []
        self.raised: set[int] = set()
        self._before: dict[int, tuple[str, str]] = {}

    def is_let_stand(self, game: Game, difference: str) -> bool:
        """Whether a person has decided that this is no reason to touch the game."""
        return (game.pk, difference[:LONGEST_DIFFERENCE]) in self.let_stand

    def is_anothers(self, game: Game) -> bool:
        """Whether the game waits for a ruling that this source did not ask for, and therefore cannot withdraw."""
        return self.origin.is_feed and bool(game.review) and game.review_origin != self.origin.name

    def ask(self, game: Game, difference: str, text: str) -> None:
        """Raise the game, unless somebody let just this stand."""
        difference, text = difference[:LONGEST_DIFFERENCE], text[:LONGEST_REVIEW]
        if self.is_let_stand(game, difference):
            self.close(game)
            return
        if self._had(game) != (self.origin.name, difference):
            self.raised.add(game.pk)
        game.review, game.review_origin, game.review_difference = text, self.origin.name, difference
        self.warnings.append(f"{game.external_id}: raised for a ruling. {text}")

    def close(self, game: Game) -> None:
        """Nothing differs any more."""
        self._had(game)
        if game.review and not self.is_anothers(game):
            game.review = game.review_origin = game.review_difference = ""

    def _had(self, game: Game) -> tuple[str, str]:
        """What was open when we came; who and what mean nothing where no review is open."""
        key = (game.review_origin, game.review_difference) if game.review else ("", "")
        return self._before.setdefault(game.pk, key)


def remember_decision(game: Game, by: User, reason: str) -> None:
    """Whoever decides about a raised game knows what it was raised for: a source that repeats it says nothing new."""
    if game.review and game.review_difference:
        stood = LetStand(game=game, difference=game.review_difference, by=by, reason=reason)
        LetStand.objects.bulk_create([stood], ignore_conflicts=True)


def let_stand_in(competition_id: int) -> list[tuple[int, str]]:
    """What staff let stand, by game."""
    found = LetStand.objects.filter(game__competition_id=competition_id)
    return list(found.values_list("game_id", "difference"))
