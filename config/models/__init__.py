"""The kernel's own tables."""

from config.models.audit import ActorKind, AuditDay, AuditEntry, AuditLink, AuditPending
from config.models.kernel import Heartbeat, IdempotencyKey, OutboxMessage, RateLimitCounter
from config.models.pages import PageChange

__all__ = [
    "ActorKind",
    "AuditDay",
    "AuditEntry",
    "AuditLink",
    "AuditPending",
    "Heartbeat",
    "IdempotencyKey",
    "OutboxMessage",
    "PageChange",
    "RateLimitCounter",
]
