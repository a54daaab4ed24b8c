"""What publishing and cancelling pools will do, in numbers and in the words of players: read before it is confirmed."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext

from config.clock import database_now
from config.phrases import Money, shown_amount, tell, tell_of
from pools.admin.pool_ends import what_closes, what_ends
from pools.models import Pool, PoolStatus
from pools.queries import (
    current_rules,
    first_lock_at,
    pools_with_facts,
    registration_closes_at,
    rounds_of,
    statistics,
)
from pools.services.rules import cautions, sentences

# A confirm page is read by a person.
MOST_IN_WORDS = 3
NOT_ENDED = (PoolStatus.DRAFT, PoolStatus.OPEN, PoolStatus.RUNNING)


def what_publishing_does(rows: QuerySet[Pool]) -> list[str]:
    """The preview of `publish`."""
    drafts = rows.filter(status=PoolStatus.DRAFT).select_related("competition").order_by("pk")
    count = drafts.count()
    said = [
        tell_of(
            count,
            "{count} of {total} is a draft; the others are refused.",
            "{count} of {total} are drafts; the others are refused.",
            total=rows.count(),
        ),
        gettext("Players see them at once and can ask to join."),
        gettext("Fee and rounds cannot be changed any more, rules only by amendments with two names."),
    ]
    for pool in drafts[:MOST_IN_WORDS]:
        rules = current_rules(pool)
        said += [_offer(pool), f"{pool.name}: {_times(pool)}"]
        said += [
            tell("{pool}, look again: {caution}", pool=pool.name, caution=caution) for caution in cautions(rules, pool)
        ]
        # Thirty sentences that all begin with the same name are none that anybody reads.
        whose = f"{pool.name}: " if rows.count() > 1 else ""
        said += [f"{whose}{sentence}" for sentence in sentences(rules, pool)]
    if count > MOST_IN_WORDS:
        said.append(
            tell_of(
                count - MOST_IN_WORDS,
                "The rules of {count} more are on its page.",
                "The rules of {count} more are on their pages.",
            )
        )
    return said


def what_closing_does(rows: QuerySet[Pool]) -> list[str]:
    """The preview of `close_registration`."""
    now = database_now()
    in_play = Pool.objects.filter(pk__in=rows.values("pk"), status__in=(PoolStatus.OPEN, PoolStatus.RUNNING))
    pools: list[Any] = list(pools_with_facts(in_play.order_by("pk"), now))
    closing = [pool for pool in pools if pool.closes_at is None or pool.closes_at > now]
    said = [
        tell_of(
            len(closing),
            "{count} of {total} takes players now; the others are refused.",
            "{count} of {total} take players now; the others are refused.",
            total=rows.count(),
        ),
        gettext("Nobody can ask to join any more, and nobody who asked is approved. It is not opened again."),
    ]
    shown = closing[:MOST_IN_WORDS]
    said += [
        tell("{pool}: registration would have closed: {at}.", pool=pool.name, at=_at(pool.closes_at)) for pool in shown
    ]
    said += what_closes(shown)
    if len(closing) > MOST_IN_WORDS:
        said.append(
            tell_of(
                len(closing) - MOST_IN_WORDS,
                "What that means for {count} more is on its page.",
                "What that means for {count} more is on their pages.",
            )
        )
    return said


def what_cancelling_does(rows: QuerySet[Pool]) -> list[str]:
    """The preview of `cancel`."""
    ending = list(rows.filter(status__in=NOT_ENDED).order_by("pk"))
    numbers = statistics.pool_numbers([pool.pk for pool in ending])
    empty = [pool for pool in ending if not numbers[pool.pk].entries_total]
    paid = [pool for pool in ending if numbers[pool.pk].entries_total]
    said = [
        tell_of(
            len(ending),
            "{count} of {total} has not ended; without entries, so that they end for good: {empty}.",
            "{count} of {total} have not ended; without entries, so that they end for good: {empty}.",
            total=rows.count(),
            empty=len(empty),
        ),
        gettext("Requests that wait for a decision or for their money end with it, and the players get a mail."),
        *what_ends(empty[:MOST_IN_WORDS]),
    ]
    if len(empty) > MOST_IN_WORDS:
        said.append(
            tell_of(
                len(empty) - MOST_IN_WORDS,
                "What ends with {count} more is on its page.",
                "What ends with {count} more is on their pages.",
            )
        )
    for pool in paid[:MOST_IN_WORDS]:
        there = numbers[pool.pk]
        pot = Money(there.pot_cents, pool.currency)
        said.append(
            tell(
                "{pool} is refused: paid places {entries}, still in {active}, in its pot {pot}. "
                "“Cancel and give all money back” on its page ends it, with two names.",
                pool=pool.name,
                entries=there.entries_total,
                active=there.entries_active,
                pot=pot,
            )
        )
    return said


def _offer(pool: Pool) -> str:
    """What players can ask for from then on."""
    facts = {
        gettext("Fee"): shown_amount(pool.entry_fee_cents, pool.currency) if pool.entry_fee_cents else gettext("none"),
        gettext("Places"): gettext("without limit") if pool.capacity is None else str(pool.capacity),
        gettext("For each player"): tell("up to {most}", most=pool.max_entries_per_user),
        gettext("Minimum age"): str(pool.minimum_age),
        **({gettext("Countries"): ", ".join(pool.countries)} if pool.countries else {}),
    }
    return f"{pool.name}: {'; '.join(f'{name}: {value}' for name, value in facts.items())}."


def _times(pool: Pool) -> str:
    """From when to when."""
    locks_at, closes_at = first_lock_at(pool), registration_closes_at(pool)
    return tell_of(
        rounds_of(pool).count(),
        "It plays {count} round of {competition}. The first locks: {locks}. Registration closes: {closes}.",
        "It plays {count} rounds of {competition}. The first locks: {locks}. Registration closes: {closes}.",
        competition=pool.competition,
        locks=_at(locks_at),
        closes=_at(closes_at),
    )


def _at(instant: datetime | None) -> str:
    return gettext("once its games are known") if instant is None else tell("{at} UTC", at=instant)
