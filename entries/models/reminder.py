"""Which entry was reminded of which lock, how long before it, and by which letter."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models import REMINDER_HOURS, Channel, Letter
from config.clock import ClockTimestamp
from config.triggers import Guard
from entries.models.entry import Entry
from pools.models import Round

# In the place of the hours before the lock: somebody of staff said that it goes out now.
BY_HAND = 0


class ReminderOptOut(models.Model):
    """Its player wants no reminders of this entry by this channel; of the others they come as before."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="reminder_opt_outs", db_index=False)
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL, db_default=Channel.EMAIL)
    at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "channel"], name="reminder_opt_out_once"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="reminder_opt_out_channel_known"),
        ]

    def __str__(self) -> str:
        return f"No reminders of entry {self.entry_id} by {self.channel}"


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
        triggers = [
            Guard(
                name="leaves_out_unwanted",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                # Left out, not refused: who turns it off just now keeps thousands of others from no reminder.
                func="""
                    IF EXISTS (SELECT 1 FROM entries_reminderoptout o
                               WHERE o.entry_id = NEW.entry_id AND o.channel = NEW.channel) THEN
                        RETURN NULL;
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"Reminder of entry {self.entry_id} for round {self.round_id}, {self.hours} h before"
