"""What is known above this app about pools and rounds: how many are in, how many are left, how much is in the pot.

Pools know nothing of entries, yet their pages show these numbers. So the app that knows registers a provider when
Django starts:

    class EntriesConfig(AppConfig):
        def ready(self):
            from entries.queries.pool_numbers import EntryNumbers
            statistics.register(EntryNumbers())

Both questions are asked for many at once, so a list costs one query more, not one per row.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class PoolNumbers:
    """Of one pool, now. Amounts are in minor units of the pool's currency; void entries do not count.

    `paid_count` is how many fees are in the pot, `value_per_entry_cents` what it comes to for each entry still in.
    """

    entries_total: int = 0
    entries_active: int = 0
    pot_cents: int = 0
    paid_count: int = 0
    value_per_entry_cents: int = 0


@dataclass(frozen=True)
class RoundNumbers:
    """Of one round of a pool, after its lock. None where something is not known yet."""

    picks_total: int | None = None
    missed: int | None = None
    eliminated: int | None = None
    alive_after: int | None = None
    merkle_root: str | None = None


NO_POOL_NUMBERS = PoolNumbers()
NO_ROUND_NUMBERS = RoundNumbers()


class Provider(Protocol):
    """Whoever knows the entries."""

    def pool_numbers(self, pool_ids: Collection[int]) -> Mapping[int, PoolNumbers]:
        """By pool id; a pool left out has no entries. A constant number of queries."""

    def pool_numbers_sql(self) -> str:
        """The same as a SELECT of `pool_id` and the fields of `PoolNumbers`, for the pools `%(pools)s`."""

    def round_numbers(self, pool_id: int, numbers: Collection[int]) -> Mapping[int, RoundNumbers]:
        """By round number, for rounds of this pool that have locked; one whose picks are secret still is left out.

        A constant number of queries.
        """


_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Make this the provider. The last one registered answers."""
    _providers[:] = [provider]


def pool_numbers(pool_ids: Collection[int]) -> Mapping[int, PoolNumbers]:
    """The numbers of these pools, each of them present."""
    found = _providers[0].pool_numbers(pool_ids) if _providers and pool_ids else {}
    return {pool_id: found.get(pool_id, NO_POOL_NUMBERS) for pool_id in pool_ids}


# In a process without entries, no pool has numbers.
NOTHING = (
    "SELECT NULL::bigint AS pool_id, 0 AS entries_total, 0 AS entries_active, 0 AS pot_cents, 0 AS paid_count,"
    " 0 AS value_per_entry_cents WHERE NULL"
)


def pool_numbers_sql() -> str:
    """The numbers of the pools `%(pools)s` as SQL, so that a page needs one statement; who has none is left out."""
    return _providers[0].pool_numbers_sql() if _providers else NOTHING


def round_numbers(pool_id: int, numbers: Collection[int]) -> Mapping[int, RoundNumbers]:
    """The numbers of these locked rounds, each of them present."""
    found = _providers[0].round_numbers(pool_id, numbers) if _providers and numbers else {}
    return {number: found.get(number, NO_ROUND_NUMBERS) for number in numbers}
