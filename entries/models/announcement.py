"""An announcement: what staff tell the players of one pool, by letters."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from config.audit import never_deleted
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from pools.models import Pool


class AnnouncementStatus(models.TextChoices):
    DRAFT = "draft"
    SENT = "sent"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"


class Audience(models.TextChoices):
    """Which players of the pool."""

    PLAYERS = "players", "Everybody who has a place or asks for one"
    ACTIVE = "active", "Whoever is still in"


ANNOUNCEMENT_TRANSITIONS = {
    AnnouncementStatus.DRAFT: (AnnouncementStatus.SENT, AnnouncementStatus.WITHDRAWN),
    AnnouncementStatus.SENT: (AnnouncementStatus.STOPPED,),
}


class Announcement(HasStatus):
    """Written, looked at, then sent, once. What it says never changes: another text is another announcement."""

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="announcements")
    audience = models.CharField(max_length=10, choices=Audience, default=Audience.PLAYERS)
    status = models.CharField(max_length=10, choices=AnnouncementStatus, default=AnnouncementStatus.DRAFT)
    texts = models.JSONField(help_text="By language: the subject and the text.")
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(db_default=ClockTimestamp())
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    recipients = models.PositiveIntegerField(null=True, blank=True, help_text="How many letters were written.")

    TRANSITIONS: ClassVar = ANNOUNCEMENT_TRANSITIONS

    objects = LockedQuerySet["Announcement"].as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions = [("send_announcement", "Can send an announcement to the players of a pool, and stop it")]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=AnnouncementStatus.values), name="announcement_status_known"),
            models.CheckConstraint(condition=Q(audience__in=Audience.values), name="announcement_audience_known"),
            models.CheckConstraint(condition=Q(texts__has_key="en"), name="announcement_in_english"),
            models.CheckConstraint(
                condition=Q(status__in=(AnnouncementStatus.DRAFT, AnnouncementStatus.WITHDRAWN))
                | Q(sent_by__isnull=False, sent_at__isnull=False, recipients__isnull=False),
                name="announcement_sent_by_somebody",
            ),
        ]
        triggers = [
            status_guard(ANNOUNCEMENT_TRANSITIONS),
            Guard(
                name="text_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("texts", "pool_id", "audience", "written_by_id"),
                func="""
                    RAISE EXCEPTION 'an announcement never changes: withdraw it and write another'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'announcement_text_stays';
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Announcement {self.pk}"

    @property
    def subject(self) -> str:
        """In English."""
        return str(self.texts["en"]["subject"])
