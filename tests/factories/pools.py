"""Competitions and pools for tests.

`league()` builds a small competition: every round has all teams playing, home side first in the list. Round 1 kicks
off `first_kickoff_in` from the database's now, the others a week apart.
"""

from datetime import datetime, timedelta

import factory
from django.db.models import Q
from factory.django import DjangoModelFactory

from config.clock import database_now
from pools.models import Competition, Game, GameStatus, Pool, PoolStatus, Round, Rules, Team

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX", "GNU", "HEN")


class CompetitionFactory(DjangoModelFactory[Competition]):
    class Meta:
        model = Competition

    code = factory.Sequence(lambda n: f"cup-{n}")
    name = factory.LazyAttribute(lambda o: o.code.title())
    season = "2026"
    time_zone = "America/New_York"


def league(
    *,
    rounds: int = 3,
    codes: tuple[str, ...] = CODES[:4],
    first_kickoff_in: timedelta = timedelta(days=1),
    apart: timedelta = timedelta(days=7),
    **fields,
) -> Competition:
    competition = CompetitionFactory(**fields)
    teams = Team.objects.bulk_create(
        Team(competition=competition, code=code, name=f"The {code.title()}s") for code in codes
    )
    start: datetime = database_now() + first_kickoff_in
    numbers = range(1, rounds + 1)
    made = Round.objects.bulk_create(
        Round(competition=competition, number=number, name=f"Round {number}") for number in numbers
    )
    Game.objects.bulk_create(
        Game(
            competition=competition,
            round=this,
            external_id=f"{this.number:02}_{away.code}_{home.code}",
            home=home,
            away=away,
            kickoff_at=start + apart * (this.number - 1),
        )
        for this in made
        for home, away in zip(teams[::2], teams[1::2], strict=True)
    )
    return competition


class PoolFactory(DjangoModelFactory[Pool]):
    """An open pool over all rounds of a fresh league, with default rules (`rules={…}` overrides switches)."""

    class Meta:
        model = Pool
        skip_postgeneration_save = True

    competition = factory.LazyFunction(league)
    name = factory.Sequence(lambda n: f"Pool {n}")
    status = PoolStatus.OPEN
    entry_fee_cents = 5000
    first_round_number = 1
    last_round_number = factory.LazyAttribute(lambda o: o.competition.rounds.count())

    @factory.post_generation
    def rules(self, create, extracted, **kwargs):
        Rules.objects.create(pool=self, effective_round_number=self.first_round_number, **(extracted or {}))


def finish(game: Game, home_score: int, away_score: int) -> Game:
    """Make the game final with this score."""
    game.status, game.home_score, game.away_score = GameStatus.FINAL, home_score, away_score
    game.save(update_fields=["status", "home_score", "away_score"])
    return game


def lock_round(round_: Round) -> None:
    """Move the round's kickoffs into the past, as if time had gone by: the lock has passed."""
    now = database_now()
    for i, game in enumerate(round_.games.order_by("kickoff_at", "id")):
        game.kickoff_at = now - timedelta(hours=3) + timedelta(minutes=i)
        game.save(update_fields=["kickoff_at"])
    round_.refresh_from_db()


def game_of(round_: Round, code: str) -> Game:
    """The team's game of the round."""
    return round_.games.select_related("home", "away").get(Q(home__code=code) | Q(away__code=code))


def kick_off(game: Game, *, ahead: timedelta = timedelta(minutes=-1)) -> Game:
    """Move the game's kickoff to `ahead` from now; without it, the game has just begun."""
    game.kickoff_at = database_now() + ahead
    game.save(update_fields=["kickoff_at"])
    return game


def play_round(round_: Round, *, winners: set[str]) -> None:
    """Lock the round and make every game final; a side whose code is in `winners` wins, the home side otherwise."""
    lock_round(round_)
    for game in round_.games.select_related("away"):
        finish(game, *((10, 20) if game.away.code in winners else (20, 10)))
