"""The kernel's own tables."""

from config.models.audit import ActorKind, AuditDay, AuditEntry, AuditLink, AuditPending
from config.models.kernel import Heartbeat, IdempotencyKey, OutboxMessage, RateLimitCounter

__all__ = [
    "ActorKind",
    "AuditDay",
    "AuditEntry",
    "AuditLink",
    "AuditPending",
    "Heartbeat",
    "IdempotencyKey",
    "OutboxMessage",
    "RateLimitCounter",
]
