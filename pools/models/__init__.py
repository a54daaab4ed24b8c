"""What can be entered: competitions with their teams, rounds and games; feeds; pools and their rules."""

from pools.models.amendment import Amendment, AmendmentStatus
from pools.models.competition import Competition, Game, GameChange, GameStatus, Round, RoundChange, Team
from pools.models.event import EventKind, PoolEvent, PoolEventCount
from pools.models.feed import FeedKind, FeedPull, FeedSource, FeedSourceChange, LetStand, PullOutcome
from pools.models.pool import ChargebackBearer, Pool, PoolChange, PoolStatus
from pools.models.rules import (
    AllOut,
    CancelledGame,
    LastRound,
    LockPolicy,
    MissedPick,
    MissedPickThen,
    Payout,
    Rules,
    TieRule,
)
from pools.models.typed_result import TypedResult, TypedState

__all__ = [
    "AllOut",
    "Amendment",
    "AmendmentStatus",
    "CancelledGame",
    "ChargebackBearer",
    "Competition",
    "EventKind",
    "FeedKind",
    "FeedPull",
    "FeedSource",
    "FeedSourceChange",
    "Game",
    "GameChange",
    "GameStatus",
    "LastRound",
    "LetStand",
    "LockPolicy",
    "MissedPick",
    "MissedPickThen",
    "Payout",
    "Pool",
    "PoolChange",
    "PoolEvent",
    "PoolEventCount",
    "PoolStatus",
    "PullOutcome",
    "Round",
    "RoundChange",
    "Rules",
    "Team",
    "TieRule",
    "TypedResult",
    "TypedState",
]
