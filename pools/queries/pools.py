"""Facts about pools that are derived from their competition's rounds and from their rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least

from pools.models import Pool, Round, Rules
from pools.queries import statistics
from pools.queries.rounds import unlocked
from pools.queries.statistics import PoolNumbers


@dataclass(frozen=True)
class PoolCard:
    """A pool with everything that its page shows."""

    pool: Pool
    rules: Rules | None
    numbers: PoolNumbers
    registration_closes_at: datetime | None
    current_round: int | None


def current_rules(pool: Pool) -> Rules:
    """The newest version of the pool's rules. A pool is born with version 1, so there always is one."""
    return pool.rules_versions.order_by("-version")[:1].get()


def first_lock_at(pool: Pool) -> datetime | None:
    """When the pool's first round locks; None while its games are not known."""
    return (
        Round.objects.filter(competition_id=pool.competition_id, number=pool.first_round_number)
        .values_list("locks_at", flat=True)
        .first()
    )


def registration_closes_at(pool: Pool) -> datetime | None:
    """The instant from which nobody can ask to join any more: the pool's own, never later than its first lock."""
    times = [at for at in (pool.registration_closes_at, first_lock_at(pool)) if at is not None]
    return min(times, default=None)


def pools_with_facts(pools: QuerySet[Pool], now: datetime) -> QuerySet[Pool]:
    """The pools with what `pool_cards` needs, in two queries however many there are."""
    rounds = Round.objects.filter(
        competition=OuterRef("competition"),
        number__range=(OuterRef("first_round_number"), OuterRef("last_round_number")),
    )
    first_lock = rounds.filter(number=OuterRef("first_round_number")).values("locks_at")[:1]
    newest_first = Prefetch("rules_versions", Rules.objects.order_by("-version"), to_attr="rules_newest_first")
    return (
        pools.select_related("competition")
        .prefetch_related(newest_first)
        .annotate(
            # PostgreSQL's LEAST passes over NULL.
            closes_at=Least(F("registration_closes_at"), Subquery(first_lock), output_field=DateTimeField()),
            current_number=Coalesce(
                Subquery(rounds.filter(unlocked(now)).order_by("number").values("number")[:1]),
                Subquery(rounds.order_by("-number").values("number")[:1]),
            ),
        )
    )


def pool_cards(pools: Sequence[Pool]) -> list[PoolCard]:
    """Cards of pools that came from `pools_with_facts`; the numbers of all of them are asked for at once."""
    numbers = statistics.pool_numbers([pool.pk for pool in pools])
    return [_card(pool, numbers[pool.pk]) for pool in pools]


def _card(pool: Any, numbers: PoolNumbers) -> PoolCard:
    return PoolCard(
        pool=pool,
        rules=next(iter(pool.rules_newest_first), None),
        numbers=numbers,
        registration_closes_at=pool.closes_at,
        current_round=pool.current_number,
    )
