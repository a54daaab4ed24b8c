"""Pools as everybody may see them: their facts, rules and numbers. What a pool holds is told by the apps above."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry
import strawberry_django
from strawberry import auto

from config.clock import database_now
from config.graphql.batches import for_each
from config.graphql.connections import FIRST, After, Connection, First, Slice
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scalars import BigInt
from config.graphql.scoping import reads
from config.graphql.texts import read_text
from pools import models
from pools.graphql.schedules import Competition
from pools.queries import PoolCard, pool_cards, pools_with_facts
from pools.queries.visible import visible_pools
from pools.services.rules import sentences

LONGEST_NAME = 100
for _choices in (
    models.PoolStatus, models.ChargebackBearer, models.LockPolicy, models.TieRule, models.MissedPick,
    models.MissedPickThen, models.CancelledGame, models.AllOut, models.LastRound, models.Payout,
):  # fmt: skip
    strawberry.enum(_choices, name=_choices.__name__)


@reads("pools:read")
@strawberry_django.type(models.Rules, description="A version of a pool's rules: every switch with its value.")
class Rules:
    version: int
    effective_round: int = strawberry_django.field(field_name="effective_round_number")
    lock: models.LockPolicy
    strikes: int
    tie: models.TieRule
    missed_pick: models.MissedPick
    missed_pick_then: models.MissedPickThen
    cancelled_game: models.CancelledGame
    picks_per_round: int
    two_pick_rounds: list[int]
    reuse_limit: int
    reuse_reset_round: int | None
    all_out: models.AllOut
    last_round: models.LastRound
    late_entry_until: int | None
    late_entry_strikes: bool
    buy_back_until: int | None
    buy_back_limit: int
    buy_back_fee_cents: BigInt
    payout: models.Payout
    payout_table: list[int]
    house_fee_bp: int

    @field("The rules as sentences, in the order of play.")
    def text(self: Any) -> list[str]:
        return sentences(self, self.pool)


@reads("pools:read")
@strawberry.type(description="What an entry begins with that is paid now.")
class Joining:
    first_round: int
    strikes: int


def card(pool: Any, info: Asking) -> PoolCard:
    """Everything that a pool's page shows, looked up for all pools that were fetched together."""

    def cards(pools: Sequence[models.Pool]) -> dict[int, PoolCard]:
        return {one.pool.pk: one for one in pool_cards(pools)}

    found = for_each(pool, "card", cards, info)
    assert found is not None, "every pool has a card"
    return found


@reads("pools:read")
@strawberry_django.type(
    models.Pool, description="One contest on a competition. Amounts are in minor units of currency."
)
class Pool:
    id: BigInt
    name: auto
    description: auto
    competition: Competition
    status: models.PoolStatus
    entry_fee_cents: BigInt
    currency: auto
    capacity: int | None
    max_entries_per_user: int
    first_round: int = strawberry_django.field(field_name="first_round_number")
    last_round: int = strawberry_django.field(field_name="last_round_number")
    pay_within_hours: int
    minimum_age: int
    countries: list[str]
    suspended_may_pick: bool
    chargeback_bearer: models.ChargebackBearer
    created_at: datetime

    @field("From when on nobody can ask to join any more.")
    def registration_closes_at(self, info: Asking) -> datetime | None:
        return card(self, info).registration_closes_at

    @field("The first round that can still be picked; the last once none can.")
    def current_round(self, info: Asking) -> int | None:
        return card(self, info).current_round

    @field("Null once nobody can join any more.")
    def joining(self, info: Asking) -> Joining | None:
        found = card(self, info).joining
        return None if found is None else Joining(first_round=found.first_round, strikes=found.strikes)

    @field("The newest version.")
    def rules(self, info: Asking) -> Rules | None:
        found: Any = card(self, info).rules
        rules: Rules | None = found
        return rules

    @field("Void entries do not count.")
    def entries_total(self, info: Asking) -> int:
        return card(self, info).numbers.entries_total

    @field("Those still in.")
    def entries_active(self, info: Asking) -> int:
        return card(self, info).numbers.entries_active

    @field("What was collected for prizes, as the ledger has it.")
    def pot_cents(self, info: Asking) -> BigInt:
        return BigInt(card(self, info).numbers.pot_cents)

    @field("How many fees are in the pot.")
    def paid_count(self, info: Asking) -> int:
        return card(self, info).numbers.paid_count

    @field("The pot divided by the entries still in, rounded down; 0 when none is.")
    def value_per_entry_cents(self, info: Asking) -> BigInt:
        return BigInt(card(self, info).numbers.value_per_entry_cents)


def pools_for(info: Asking) -> Any:
    """The pools that the caller may know of, ready to be shown."""
    return pools_with_facts(visible_pools(info.context.viewer), database_now())


@reads("pools:read")
@strawberry.type(description="A page of pools.")
class PoolConnection(Connection):
    @field("The newest first.")
    def nodes(self, info: Asking) -> list[Pool]:
        return self.slice.nodes(info)


@strawberry.type
class PoolQuery:
    """What is asked about pools. Public; drafts are there for staff alone."""

    @field("Contests, by status, by a competition's code, by a part of their name.", cost=10)
    def pools(
        self,
        info: Asking,
        status: models.PoolStatus | None = None,
        competition: str | None = None,
        search: str | None = None,
        first: First = FIRST,
        after: After = None,
    ) -> PoolConnection | None:
        asked = {"status": status, "competition__code": competition, "name__icontains": search}
        read_text(search, "search", longest=LONGEST_NAME)
        given = {name: value for name, value in asked.items() if value is not None}
        rows = pools_for(info).filter(**given)
        of = ["pools", *sorted((name, str(value)) for name, value in given.items())]
        return PoolConnection(slice=Slice(rows, of=of, info=info, first=first, after=after))
