"""What each kind of letter says, in versions: written, looked at, then used. A version never changes."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models.user import User
from config.audit import never_deleted
from config.clock import ClockTimestamp
from config.triggers import Guard

SUBJECT_LENGTH, BODY_LENGTH = 150, 5_000


class MessageTemplate(models.Model):
    """One version of the text of a kind of letters in one language. The one that was put to use last is in use."""

    kind = models.CharField(max_length=20)
    language = models.CharField(max_length=10)
    version = models.PositiveSmallIntegerField(default=0, help_text="Counted by the database.")
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    body = models.TextField(max_length=BODY_LENGTH, help_text="Plain text; an empty line begins a paragraph.")
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(db_default=ClockTimestamp())
    used_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    used_at = models.DateTimeField(null=True, blank=True, help_text="When it was put to use last; empty: never yet.")

    class Meta:
        verbose_name = "message template"
        ordering: ClassVar = ["kind", "language", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "language", "version"], name="message_template_version"),
            models.CheckConstraint(
                condition=Q(used_by__isnull=True, used_at__isnull=True)
                | Q(used_by__isnull=False, used_at__isnull=False),
                name="message_template_user_named",
            ),
        ]
        triggers = [
            Guard(
                name="counted",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                # Two who write at once get two numbers.
                func="""
                    PERFORM pg_advisory_xact_lock(hashtextextended('message template ' || NEW.kind, 0));
                    NEW.version := 1 + coalesce((SELECT max(version) FROM accounts_messagetemplate
                        WHERE kind = NEW.kind AND language = NEW.language), 0);
                    RETURN NEW;
                """,
            ),
            Guard(
                name="text_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("kind", "language", "version", "subject", "body", "written_by_id"),
                func="""
                    RAISE EXCEPTION 'a version of a message template never changes: write another'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'message_template_text_stays';
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.language} {self.version}"
