"""Questions about competitions and pools, answered without changing anything."""

from pools.queries.pools import (
    PoolCard,
    current_rules,
    first_lock_at,
    pool_cards,
    pools_with_facts,
    registration_closes_at,
)
from pools.queries.rounds import (
    RoundCard,
    RoundStatus,
    current_round,
    round_cards,
    round_status,
    rounds_in_full,
    rounds_of,
    rounds_with_status,
)

__all__ = [
    "PoolCard",
    "RoundCard",
    "RoundStatus",
    "current_round",
    "current_rules",
    "first_lock_at",
    "pool_cards",
    "pools_with_facts",
    "registration_closes_at",
    "round_cards",
    "round_status",
    "rounds_in_full",
    "rounds_of",
    "rounds_with_status",
]
