"""The games of a round for whoever enters results: what stands, what feeds say, and what was typed by hand."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import BooleanField, F, Q, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import RowNumber

from pools.models import FeedSource, Game, GameStatus, Round, TypedResult, TypedState

# A game is over by then, overtime and a late feed included.
LONGEST_GAME = timedelta(hours=6)
TO_COME = (GameStatus.SCHEDULED, GameStatus.IN_PROGRESS)
# A ruling has decided about the game of result `{typed}` after that was typed twice: two names know what differs.
RULED_SINCE_SQL = """
    EXISTS (SELECT 1 FROM pools_gamechange c
            WHERE c.game_id = {typed}.game_id AND c.at > {typed}.decided_at AND c.after @> '{{"is_ruled": true}}'
              AND (c.before -> 'is_ruled', c.before -> 'status', c.before -> 'home_score', c.before -> 'away_score')
                  IS DISTINCT FROM
                  (c.after -> 'is_ruled', c.after -> 'status', c.after -> 'home_score', c.after -> 'away_score'))
"""


@dataclass(frozen=True, slots=True)
class FeedWord:
    """What one source last called the final score of a game, and when it was last read."""

    source: str
    score: str
    read_at: datetime | None
    differs: bool


@dataclass(frozen=True, slots=True)
class DeskGame:
    """One game. `typed` is the latest of what was typed; of one that waits to be typed again nobody is shown what."""

    game: Game
    feeds: list[FeedWord]
    typed: TypedResult | None
    is_overdue: bool
    has_begun: bool
    is_ruled_since: bool = False

    @property
    def score(self) -> str:
        """Of the game as it stands, home side first."""
        return "" if self.game.home_score is None else f"{self.game.home_score}-{self.game.away_score}"

    @property
    def is_open(self) -> bool:
        """Whether it waits for a result."""
        return self.game.status in TO_COME

    @property
    def waits(self) -> TypedResult | None:
        """What was typed once."""
        return self.typed if self.typed is not None and self.typed.status == TypedState.ONCE else None

    @property
    def hand(self) -> str:
        """What was typed twice alike."""
        typed = self.typed
        if typed is None or typed.status not in (TypedState.TAKEN, TypedState.HELD):
            return ""
        return f"{typed.home_score}-{typed.away_score}"

    @property
    def typed_otherwise(self) -> tuple[str, str] | None:
        """Both scores where they differed, as long as nobody has typed the game anew and it has no result."""
        typed = self.typed
        if typed is None or typed.status != TypedState.DIFFERS or not self.is_open:
            return None
        return f"{typed.home_score}-{typed.away_score}", f"{typed.again_home_score}-{typed.again_away_score}"

    @property
    def hand_differs(self) -> bool:
        """Whether what was typed twice alike is not what stands, and no ruling has looked at that."""
        differs = bool(self.hand) and self.game.status == GameStatus.FINAL and self.hand != self.score
        return differs and not self.is_ruled_since

    @property
    def needs_somebody(self) -> bool:
        """Whether a person should look."""
        return bool(
            self.is_overdue or self.game.review or self.waits or self.typed_otherwise or self.hand_differs
            or any(word.differs for word in self.feeds)
        )  # fmt: skip


def games_on_desk(round_: Round, now: datetime) -> list[DeskGame]:
    """The games of the round in the order of their kickoffs; three queries however many there are."""
    games = list(Game.objects.filter(round=round_).select_related("home", "away").order_by("kickoff_at", "pk"))
    said, typed = _said_of(games, round_.competition_id), latest_typed([game.pk for game in games])
    return [
        DeskGame(
            game=game,
            feeds=said.get(game.pk, []),
            typed=typed.get(game.pk),
            is_overdue=game.status in TO_COME and game.kickoff_at < now - LONGEST_GAME,
            has_begun=game.kickoff_at <= now,
            is_ruled_since=getattr(typed.get(game.pk), "is_ruled_since", False),
        )
        for game in games
    ]


def latest_typed(game_ids: Collection[int]) -> dict[int, TypedResult]:
    """Of each of the games what was typed last, unless that was taken back; with who typed it."""
    rows = (
        TypedResult.objects.filter(~Q(status=TypedState.WITHDRAWN), game__in=game_ids)
        .select_related("typed_by", "decided_by")
        .annotate(
            place=Window(RowNumber(), partition_by=F("game_id"), order_by=F("id").desc()),
            is_ruled_since=RawSQL(RULED_SINCE_SQL.format(typed="pools_typedresult"), [], BooleanField()),
        )
        .filter(place=1)
    )
    return {row.game_id: row for row in rows}


def _said_of(games: Collection[Game], competition_id: int) -> Mapping[int, list[FeedWord]]:
    """By game, what the competition's sources have called final; a source has some hundreds at most."""
    found = defaultdict[int, list[FeedWord]](list)
    for source in FeedSource.objects.filter(competition=competition_id, is_enabled=True).order_by("pk"):
        for game in games:
            score = source.said.get(str(game.pk))
            if score is not None:
                stands = f"{game.home_score}-{game.away_score}"
                differs = game.status == GameStatus.FINAL and score != stands
                name = f"{source.get_kind_display()} ({source})"
                found[game.pk].append(FeedWord(name, score, source.last_read_at, differs))
    return found
