"""Which entry was reminded of which lock, how long before it, and by which letter."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import REMINDER_HOURS, Channel, Letter
from config.clock import ClockTimestamp
from entries.models.entry import Entry
from pools.models import Round

# In the place of the hours before the lock: somebody of staff said that it goes out now.
BY_HAND = 0


class Reminder(models.Model):
    """An entry without a pick was reminded. One letter may speak of several entries of its reader.

    A reminder is of one instant: a round whose lock moves may be reminded of again.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="reminders", db_index=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="+", db_index=False)
    hours = models.PositiveSmallIntegerField(help_text="Before the lock; 0 where staff sent it.")
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL, db_default=Channel.EMAIL)
    locks_at = models.DateTimeField(help_text="The lock, as it was then.")
    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "round", "hours", "channel", "locks_at"], name="reminder_once"),
            models.CheckConstraint(condition=Q(hours__in=(BY_HAND, *REMINDER_HOURS)), name="reminder_hours_known"),
        ]
        indexes = [models.Index(fields=["at"], name="reminder_at")]

    def __str__(self) -> str:
        return f"Reminder of entry {self.entry_id} for round {self.round_id}, {self.hours} h before"
