"""What players paid with, so far as it takes to see that two of them used the same."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import User
from config.clock import ClockTimestamp


class Instrument(models.Model):
    """A card or a bank account that a player paid with: the provider's name for it, never its number.

    It is for those who decide about requests, and goes with the account when that is closed.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=20)
    fingerprint = models.CharField(max_length=255)
    first_seen_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "fingerprint", "user"], name="instrument_once"),
            models.CheckConstraint(condition=~Q(fingerprint=""), name="instrument_named"),
        ]

    def __str__(self) -> str:
        return f"Instrument {self.pk}"
