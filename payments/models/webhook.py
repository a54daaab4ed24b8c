"""The inbox of provider news. A webhook is a hint: it is stored as it came, answered, and looked into afterwards."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from config.clock import ClockTimestamp
from payments.models.payment import Provider


class WebhookState(models.TextChoices):
    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    DEAD = "dead"


class WebhookEvent(models.Model):
    provider = models.CharField(max_length=10, choices=Provider)
    event_id = models.CharField(max_length=255)
    event_type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255, blank=True)
    livemode = models.BooleanField(default=False)
    payload = models.JSONField()
    deliveries = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=WebhookState, default=WebhookState.RECEIVED)
    ignored_because = models.CharField(max_length=40, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    due_at = models.DateTimeField(db_default=ClockTimestamp())
    received_at = models.DateTimeField(db_default=ClockTimestamp())
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="webhook_event_unique"),
            models.CheckConstraint(condition=Q(status__in=WebhookState.values), name="webhook_status_known"),
        ]
        indexes = [models.Index(fields=["due_at", "id"], condition=Q(status="received"), name="webhook_due")]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
