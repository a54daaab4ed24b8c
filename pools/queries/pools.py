"""Facts about pools that are derived from their competition's rounds and from their rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, F, OuterRef, Prefetch, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Least

from pools.models import Pool, PoolStatus, Round, Rules
from pools.queries import statistics
from pools.queries.rounds import open_in, rounds_of, unlocked
from pools.queries.statistics import PoolNumbers


@dataclass(frozen=True)
class Joining:
    """What an entry begins with that is paid now: the round it plays from, and strikes for those it has missed."""

    first_round: int
    strikes: int


@dataclass(frozen=True)
class PoolCard:
    """A pool with everything that its page shows. `joining` is None once nobody can join."""

    pool: Pool
    rules: Rules | None
    numbers: PoolNumbers
    registration_closes_at: datetime | None
    current_round: int | None
    joining: Joining | None


def current_rules(pool: Pool) -> Rules:
    """The newest version of the pool's rules. A pool is born with version 1, so there always is one."""
    return pool.rules_versions.order_by("-version")[:1].get()


def rules_of_round(pool: Pool, number: int) -> Rules:
    """The version that governs a round of the pool."""
    return pool.rules_versions.filter(effective_round_number__lte=number).order_by("-version")[:1].get()


def first_lock_at(pool: Pool) -> datetime | None:
    """When the pool's first round locks; None while its games are not known."""
    return _lock_of(pool, pool.first_round_number)


def registration_closes_at(pool: Pool, rules: Rules | None = None) -> datetime | None:
    """The instant from which nobody can ask to join any more.

    The pool's own, never later than the lock of its first round, or of the last round for which its newest rules let
    entries come in.
    """
    rules = rules or current_rules(pool)
    last_entry = _lock_of(pool, rules.late_entry_until or pool.first_round_number)
    return min((at for at in (pool.registration_closes_at, last_entry) if at is not None), default=None)


def joining(pool: Pool, rules: Rules, now: datetime) -> Joining | None:
    """What an entry begins with that is paid now; None when the last round has locked that it could come in for.

    `rules` are the pool's newest. Also None where it would begin with more strikes than it may have. Without late
    entry it is the pool's first round, also when the news of a payment comes after its lock.
    """
    if rules.late_entry_until is None:
        return Joining(pool.first_round_number, 0)
    first = rounds_of(pool).filter(unlocked(now), number__lte=rules.late_entry_until).first()
    if first is None:
        return None
    missed = rounds_of(pool).filter(number__lt=first.number).count()
    return _beginning(rules, first.number, missed)


def pools_with_facts(pools: QuerySet[Pool], now: datetime) -> QuerySet[Pool]:
    """The pools with what `pool_cards` needs, in two queries however many there are."""
    rounds = Round.objects.filter(
        competition=OuterRef("competition"),
        number__range=(OuterRef("first_round_number"), OuterRef("last_round_number")),
    )
    newest_rules = Rules.objects.filter(pool=OuterRef("pk")).order_by("-version")
    missed = rounds.filter(number__lt=OuterRef("entry_number")).order_by().values("competition")
    newest_first = Prefetch("rules_versions", Rules.objects.order_by("-version"), to_attr="rules_newest_first")
    return (
        pools.select_related("competition")
        .prefetch_related(newest_first)
        .annotate(
            asked_at=Value(now, output_field=DateTimeField()),
            last_entry_number=Coalesce(Subquery(newest_rules.values("late_entry_until")[:1]), F("first_round_number")),
            entry_number=Coalesce(
                Subquery(rounds.filter(unlocked(now)).order_by("number").values("number")[:1]),
                Subquery(rounds.order_by("-number").values("number")[:1]),
            ),
            current_number=Coalesce(
                Subquery(rounds.filter(open_in(OuterRef(OuterRef("pk")), now)).order_by("number").values("number")[:1]),
                Subquery(rounds.order_by("-number").values("number")[:1]),
            ),
        )
        .annotate(
            # PostgreSQL's LEAST passes over NULL.
            closes_at=Least(
                F("registration_closes_at"),
                Subquery(rounds.filter(number=OuterRef("last_entry_number")).values("locks_at")[:1]),
                output_field=DateTimeField(),
            ),
            rounds_missed=Coalesce(Subquery(missed.annotate(number_of=Count("pk")).values("number_of")), 0),
        )
    )


def pool_cards(pools: Sequence[Pool]) -> list[PoolCard]:
    """Cards of pools that came from `pools_with_facts`; the numbers of all of them are asked for at once."""
    numbers = statistics.pool_numbers([pool.pk for pool in pools])
    return [_card(pool, numbers[pool.pk]) for pool in pools]


def _card(pool: Any, numbers: PoolNumbers) -> PoolCard:
    rules = next(iter(pool.rules_newest_first), None)
    return PoolCard(
        pool=pool,
        rules=rules,
        numbers=numbers,
        registration_closes_at=pool.closes_at,
        current_round=pool.current_number,
        joining=None if rules is None else _joining_of(pool, rules),
    )


def _joining_of(pool: Any, rules: Rules) -> Joining | None:
    if pool.closes_at is not None and pool.closes_at <= pool.asked_at:
        return None
    if rules.late_entry_until is None:
        return Joining(pool.first_round_number, 0) if pool.status == PoolStatus.OPEN else None
    if pool.status not in (PoolStatus.OPEN, PoolStatus.RUNNING):
        return None
    return _beginning(rules, pool.entry_number, pool.rounds_missed)


def _beginning(rules: Rules, first_round: int, missed: int) -> Joining | None:
    strikes = missed if rules.late_entry_strikes else 0
    return Joining(first_round, strikes) if strikes <= rules.strikes else None


def _lock_of(pool: Pool, number: int) -> datetime | None:
    return (
        Round.objects.filter(competition_id=pool.competition_id, number=number)
        .values_list("locks_at", flat=True)
        .first()
    )
