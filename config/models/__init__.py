"""The kernel's own tables."""

from config.models.audit import ActorKind, AuditDay, AuditEntry, AuditLink, AuditPending
from config.models.kernel import IdempotencyKey, OutboxMessage, RateLimitCounter

__all__ = [
    "ActorKind",
    "AuditDay",
    "AuditEntry",
    "AuditLink",
    "AuditPending",
    "IdempotencyKey",
    "OutboxMessage",
    "RateLimitCounter",
]
