"""Answers kept for retries, work left for later, and counters for when Redis is away."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class IdempotencyKey(models.Model):
    """The first answer to a POST, kept under the caller's own key; see `config.api.idempotency`.

    `status_code` is empty while a call that cannot hold a transaction open still runs.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    method = models.CharField(max_length=7)
    route = models.CharField(max_length=500, help_text="The path that was called.")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the query and the canonical body.")
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True, blank=True, help_text="Until when a running call owns the key.")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "method", "route", "key"], name="idempotency_key_once"),
            models.CheckConstraint(
                condition=models.Q(status_code__isnull=False) | models.Q(leased_until__isnull=False),
                name="idempotency_key_answered_or_leased",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.key}"


class OutboxMessage(models.Model):
    """Something to do once the transaction that wrote it has committed; see `config.outbox`."""

    kind = models.CharField(max_length=100)
    key = models.CharField(max_length=200, unique=True, help_text="The same key is never posted twice.")
    payload = models.JSONField(default=dict)
    request_id = models.CharField(max_length=128, default="-", help_text="The request or task that posted it.")
    traceparent = models.CharField(max_length=55, blank=True, db_default="", help_text="The trace that goes on.")
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    done_at = models.DateTimeField(null=True, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True, help_text="Given up; a person has to look.")

    class Meta:
        indexes = [
            # Only what waits: the finished millions are not in it.
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(done_at__isnull=True, dead_at__isnull=True),
                name="outbox_waiting",
            ),
            models.Index(fields=["dead_at"], condition=models.Q(dead_at__isnull=False), name="outbox_dead"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True) | models.Q(dead_at__isnull=True), name="outbox_one_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Heartbeat(models.Model):
    """When something that has to happen again and again last did; see `config.heartbeat`."""

    name = models.CharField(max_length=50, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"


class RateLimitCounter(models.Model):
    """One window of one caller at one door, for the doors that stay guarded while Redis is away."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} until {self.ends_at}"
