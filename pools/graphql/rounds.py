"""Rounds as one pool sees them."""

from datetime import datetime
from typing import Any

import strawberry

from config.clock import database_now
from config.errors import Code, NotFound
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scoping import reads
from pools import models
from pools.graphql.schedules import Game
from pools.queries import RoundCard, RoundStatus, round_cards, rounds_in_full, rounds_of


@reads("pools:read")
@strawberry.type(
    description="A round of a pool. The numbers are null until the round has locked and its picks are public."
)
class PoolRound:
    row: strawberry.Private[Any]
    number: int
    name: str
    opens_at: datetime | None
    locks_at: datetime | None
    status: RoundStatus
    picks_total: int | None
    missed: int | None
    eliminated: int | None
    alive_after: int | None
    merkle_root: str | None

    @field("In the order of kickoffs.", most=20)
    def games(self) -> list[Game]:
        return list(self.row.games.all())


def rounds_for(pool: models.Pool, info: Asking) -> list[PoolRound]:
    """All rounds that the pool plays."""
    info.context.check_time()
    now = database_now()
    found = list(rounds_in_full(rounds_of(pool), now, pool=pool))
    return [_shown(card) for card in round_cards(pool, found, now)]


def round_for(pool: models.Pool, number: int, info: Asking) -> PoolRound:
    """One of them. Raises NOT_FOUND where the pool does not play it."""
    info.context.check_time()
    now = database_now()
    found = rounds_in_full(rounds_of(pool), now, pool=pool).filter(number=number).first()
    if found is None:
        raise NotFound(Code.NOT_FOUND, "The pool has no such round.")
    return _shown(round_cards(pool, [found], now)[0])


def _shown(card: RoundCard) -> PoolRound:
    row: Any = card.round  # with `status`, which `rounds_in_full` found
    numbers = card.numbers
    return PoolRound(
        row=row,
        number=row.number,
        name=row.name,
        opens_at=row.opens_at,
        locks_at=row.locks_at,
        status=row.status,
        picks_total=numbers.picks_total,
        missed=numbers.missed,
        eliminated=numbers.eliminated,
        alive_after=numbers.alive_after,
        merkle_root=numbers.merkle_root,
    )
