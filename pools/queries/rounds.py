"""Where a round stands: not open yet, open, locked, or final. Derived from times and games, never stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThan, IsNull

from pools.models import Game, GameStatus, LockPolicy, Pool, Round, Rules
from pools.queries import statistics
from pools.queries.statistics import NO_ROUND_NUMBERS, RoundNumbers

# A game of these has nothing more to come; a postponed one still waits for its result or for a ruling.
DECIDED = (GameStatus.FINAL, GameStatus.CANCELLED)
OFF = (GameStatus.CANCELLED, GameStatus.POSTPONED)


class RoundStatus(TextChoices):
    """Values of `status` of a round in the API. Picks ahead are allowed while a round is upcoming, too."""

    UPCOMING = "upcoming"
    OPEN = "open"
    LOCKED = "locked"
    FINAL = "final"


@dataclass(frozen=True)
class RoundCard:
    """A round as one pool sees it."""

    round: Round
    numbers: RoundNumbers


def unlocked(now: datetime) -> Q:
    """Rounds that can still be picked for: the lock is to come, or not known yet."""
    return Q(locks_at__gt=now) | Q(locks_at__isnull=True)


def closes_at(pool: Any) -> Case:
    """From when on no pick for a round can change in the pool (its id, or a reference to it).

    That is the round's lock, or where each game locks for itself, the last of those games that are not off.
    """
    rules = Rules.objects.filter(pool=pool, effective_round_number__lte=OuterRef("number")).order_by("-version")
    games = Game.objects.filter(round=OuterRef("pk")).exclude(status__in=OFF).order_by("-locks_at")
    last_game = Coalesce(Subquery(games.values("locks_at")[:1]), F("locks_at"))
    by_game = Exact(Subquery(rules.values("lock")[:1]), Value(LockPolicy.GAME))
    return Case(When(by_game, then=last_game), default=F("locks_at"), output_field=DateTimeField())


def open_in(pool: Any, now: datetime) -> Q:
    """Rounds in which some pick of the pool can still change, or whose lock is not known yet."""
    return Q(GreaterThan(closes_at(pool), Value(now))) | Q(IsNull(closes_at(pool), True))


def rounds_with_status(rounds: QuerySet[Round], now: datetime, *, pool: Pool | None = None) -> QuerySet[Round]:
    """Add `status` to each round: as the pool sees it, or by the rounds' own locks.

    A round without an opening time of its own opens when the one before it locks.
    """
    return rounds.annotate(status=_status(now, pool))


def _status(now: datetime, pool: Pool | None) -> Case:
    games = Game.objects.filter(round=OuterRef("pk"))
    # A ruling that a game was not played in its round leaves nothing to wait for, though it may be played one day.
    is_ruled_out = Q(status=GameStatus.POSTPONED, is_ruled=True)
    is_decided = Exists(games) & ~Exists(games.exclude(Q(status__in=DECIDED) | is_ruled_out))
    is_open = unlocked(now) if pool is None else open_in(pool.pk, now)
    earlier = Round.objects.filter(is_open, competition=OuterRef("competition"), number__lt=OuterRef("number"))
    return Case(
        When(~is_open & is_decided, then=Value(RoundStatus.FINAL)),
        When(~is_open, then=Value(RoundStatus.LOCKED)),
        When(Q(opens_at__lte=now) | Q(opens_at__isnull=True) & ~Exists(earlier), then=Value(RoundStatus.OPEN)),
        default=Value(RoundStatus.UPCOMING),
    )


def rounds_in_full(rounds: QuerySet[Round], now: datetime, *, pool: Pool | None = None) -> QuerySet[Round]:
    """The rounds with status, games and the teams of the games, in two queries however many there are."""
    games = Prefetch("games", Game.objects.select_related("home", "away").order_by("kickoff_at", "id"))
    return rounds_with_status(rounds, now, pool=pool).order_by("number").prefetch_related(games)


def rounds_of(pool: Pool) -> QuerySet[Round]:
    """The rounds that the pool plays, in play order."""
    return Round.objects.filter(
        competition_id=pool.competition_id, number__range=(pool.first_round_number, pool.last_round_number)
    ).order_by("number")


def round_status(round_: Round, now: datetime) -> RoundStatus:
    """Where one round stands."""
    return RoundStatus(Round.objects.filter(pk=round_.pk).values_list(_status(now, None), flat=True).get())


def current_round(pool: Pool, now: datetime) -> Round | None:
    """The round to pick for now: the pool's first that has not closed, its last once all have; None without rounds."""
    rounds = rounds_of(pool)
    return rounds.filter(open_in(pool.pk, now)).first() or rounds.last()


def round_cards(pool: Pool, rounds: Sequence[Round], now: datetime) -> list[RoundCard]:
    """The rounds with the pool's numbers, which are asked for at once, and only where the lock has passed."""
    locked = [round_.number for round_ in rounds if round_.locks_at is not None and round_.locks_at <= now]
    numbers = statistics.round_numbers(pool.pk, locked)
    return [RoundCard(round_, numbers.get(round_.number, NO_ROUND_NUMBERS)) for round_ in rounds]
