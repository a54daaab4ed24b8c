"""Questions about competitions and pools, answered without changing anything."""

from pools.queries.pools import (
    Joining,
    PoolCard,
    current_rules,
    first_lock_at,
    joining,
    pool_cards,
    pools_with_facts,
    registration_closes_at,
    rules_of_round,
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
    "Joining",
    "PoolCard",
    "RoundCard",
    "RoundStatus",
    "current_round",
    "current_rules",
    "first_lock_at",
    "joining",
    "pool_cards",
    "pools_with_facts",
    "registration_closes_at",
    "round_cards",
    "round_status",
    "rounds_in_full",
    "rounds_of",
    "rounds_with_status",
    "rules_of_round",
]
