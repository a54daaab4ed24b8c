"""Letters: mails that may be turned off, such as reminders and announcements, each followed until it has arrived.

A letter is a row before it is a mail, and the row is the queue: it is written with whatever causes it, taken up by a
worker (`accounts.services.letters`), and says what became of it. Mails about money or the account are no letters: they
go through the outbox, and nobody turns them off.
"""

from datetime import time
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models.user import User
from config.clock import ClockTimestamp
from config.states import HasStatus, status_guard

# Hours before a lock at which an entry without a pick is reminded.
REMINDER_HOURS = (48, 12, 2)
QUIET_FROM, QUIET_UNTIL = time(22), time(8)


def all_reminder_hours() -> list[int]:
    """Every reminder: what holds for who never said otherwise."""
    return list(REMINDER_HOURS)


class Channel(models.TextChoices):
    """By what a person is reached."""

    EMAIL = "email", "E-mail"


class LetterStatus(models.TextChoices):
    """What became of a letter. From `sent` on it is news of whoever delivers mails for us."""

    QUEUED = "queued"
    SKIPPED = "skipped", "Left out"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained", "Reported as spam"
    FAILED = "failed"


_NEWS = (LetterStatus.DELIVERED, LetterStatus.BOUNCED, LetterStatus.COMPLAINED, LetterStatus.FAILED)
# News may overtake our own note that the letter was sent, and a letter that we gave up may have arrived all the same.
LETTER_TRANSITIONS = {
    LetterStatus.QUEUED: (LetterStatus.SKIPPED, LetterStatus.SENT, *_NEWS),
    LetterStatus.SENT: _NEWS,
    LetterStatus.FAILED: (LetterStatus.DELIVERED, LetterStatus.BOUNCED, LetterStatus.COMPLAINED),
    LetterStatus.DELIVERED: (LetterStatus.BOUNCED, LetterStatus.COMPLAINED),
    LetterStatus.BOUNCED: (LetterStatus.COMPLAINED,),
}


class MessagePreferences(models.Model):
    """What somebody wants to be written about, when, and in which language. Who has no row wants what a new row says.

    Quiet hours are wall-clock times of `time_zone`; without one, of the competition that a letter is about.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="message_preferences")
    reminder_hours = ArrayField(
        models.PositiveSmallIntegerField(), default=all_reminder_hours, blank=True,
        help_text="Hours before a lock at which to be reminded of an entry without a pick.",
    )  # fmt: skip
    announcements = models.BooleanField(default=True)
    quiet_from = models.TimeField(null=True, blank=True, default=QUIET_FROM, help_text="Empty: no quiet hours.")
    quiet_until = models.TimeField(null=True, blank=True, default=QUIET_UNTIL)
    time_zone = models.CharField(max_length=40, blank=True, default="")
    language = models.CharField(max_length=10, blank=True, default="", help_text="Empty: English.")

    class Meta:
        verbose_name_plural = "message preferences"
        constraints = [
            models.CheckConstraint(
                condition=Q(reminder_hours__contained_by=list(REMINDER_HOURS)), name="message_reminder_hours_known"
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until")),
                name="message_quiet_hours_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"Message preferences of user {self.user_id}"


class UnreachableAddress(models.Model):
    """The present address of somebody came back, or they reported us: no letter goes there.

    The row goes with the address: a trigger of the person's row deletes it once that changes.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="unreachable")
    because = models.CharField(max_length=10, choices=LetterStatus)
    at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        verbose_name_plural = "unreachable addresses"
        indexes = [models.Index(fields=["-at", "-user"], name="unreachable_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(because__in=(LetterStatus.BOUNCED, LetterStatus.COMPLAINED)),
                name="unreachable_address_because",
            ),
        ]

    def __str__(self) -> str:
        return f"Address of user {self.user_id}: {self.because}"


class Letter(HasStatus):
    """One letter to one person. What it is about, its kind knows; what it says is made when it is sent."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField(help_text="The round of a reminder; the announcement.")
    key = models.CharField(max_length=120, unique=True, help_text="The same letter is never written twice.")
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.EMAIL, db_default=Channel.EMAIL)
    language = models.CharField(max_length=10, default="en", db_default="en")
    status = models.CharField(
        max_length=10, choices=LetterStatus, default=LetterStatus.QUEUED, db_default=LetterStatus.QUEUED
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    due_at = models.DateTimeField(db_default=ClockTimestamp())
    expires_at = models.DateTimeField(null=True, blank=True, help_text="It is worth nothing from then on.")
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    status_at = models.DateTimeField(null=True, blank=True, help_text="When the status became what it is.")
    note = models.CharField(max_length=200, blank=True, default="", db_default="", help_text="Why it was left out.")
    provider_id = models.CharField(max_length=200, blank=True, default="", db_default="")

    TRANSITIONS: ClassVar = LETTER_TRANSITIONS

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions = [("lift_unreachable", "Can have letters sent again to an address that came back")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=LetterStatus.values), name="letter_status_known"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="letter_channel_known"),
        ]
        indexes = [
            # Only what waits, what is worth least for longest last: a big announcement keeps no reminder waiting.
            models.Index(
                F("expires_at").asc(nulls_last=True), F("id"), condition=Q(status=LetterStatus.QUEUED),
                name="letter_waiting",
            ),
            models.Index(fields=["kind", "subject_id", "status"], name="letter_subject"),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="letter_provider"),
            models.Index(fields=["created_at"], name="letter_created"),
        ]  # fmt: skip
        triggers = [status_guard(LETTER_TRANSITIONS)]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
