"""The inbox of provider news. A webhook is a hint: it is stored as it came, answered, and looked into afterwards."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from config.clock import ClockTimestamp


class WebhookState(models.TextChoices):
    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    DEAD = "dead"


class WebhookEvent(models.Model):
    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255)
    event_type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255, blank=True)
    livemode = models.BooleanField(default=False)
    api_version = models.CharField(max_length=40, blank=True, default="", db_default="")
    snapshot_event_id = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="The twin with the same news, of a thin event."
    )
    payload = models.JSONField()
    deliveries = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=WebhookState, default=WebhookState.RECEIVED)
    ignored_because = models.CharField(max_length=40, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    due_at = models.DateTimeField(db_default=ClockTimestamp())
    leased_until = models.DateTimeField(
        null=True, blank=True, help_text="Somebody looks into it, until then at the longest."
    )
    received_at = models.DateTimeField(db_default=ClockTimestamp())
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="webhook_event_unique"),
            models.CheckConstraint(condition=Q(status__in=WebhookState.values), name="webhook_status_known"),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(status="received"), name="webhook_due"),
            models.Index(fields=["provider", "object_id"], condition=Q(status="received"), name="webhook_of_object"),
            # For whoever looks for all that was told about one thing.
            models.Index(fields=["object_id"], condition=~Q(object_id=""), name="webhook_by_object"),
            models.Index(
                fields=["provider", "snapshot_event_id"], condition=~Q(snapshot_event_id=""), name="webhook_twin"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"


class WebhookRefusal(models.Model):
    """News that nobody signed, counted by the hour; of the last one the fingerprint, and never the text."""

    provider = models.CharField(max_length=20)
    hour = models.DateTimeField()
    times = models.PositiveIntegerField(default=1, db_default=1)
    sample_sha256 = models.CharField(max_length=64)
    last_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["-hour"]
        constraints = [models.UniqueConstraint(fields=["provider", "hour"], name="webhook_refusal_hour")]

    def __str__(self) -> str:
        return f"{self.times} refused of {self.provider}"


class NoticeCursor(models.Model):
    """Up to when a provider's list of news that it could not deliver was read to its end."""

    provider = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.provider} up to {self.at:%Y-%m-%d %H:%M}"
