"""A week in which each game locks for itself: Thursday ANT against BAT, Saturday CAT, DOG, Monday ELK, FOX."""

from datetime import timedelta

from pools.models import Game, Pool, Round
from tests.factories.pools import PoolFactory, game_of, kick_off, league

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


def weekly_pool() -> Pool:
    """A pool over two such weeks with `lock = game`; the second asks for two picks."""
    made = PoolFactory(
        competition=league(rounds=2, codes=CODES), rules={"lock": "game", "two_pick_rounds": [2], "strikes": 3}
    )
    week(made, 1), week(made, 2)
    return made


def week(pool: Pool, number: int = 1) -> Round:
    """Thursday in an hour, Saturday a day later, Monday two days after that."""
    round_ = pool.competition.rounds.get(number=number)
    for code, ahead in (("ANT", 1), ("CAT", 25), ("ELK", 73)):
        kick_off(game_of(round_, code), ahead=timedelta(hours=ahead, days=7 * (number - 1)))
    return round_


def game(code: str, number: int = 1) -> Game:
    """The game that this side plays."""
    return game_of(Round.objects.get(number=number), code)


def after_monday(number: int = 1) -> None:
    """Every game of the week has begun."""
    for code in ("ANT", "CAT", "ELK"):
        kick_off(game(code, number))
