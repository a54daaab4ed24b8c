"""Sign-ins: who is in, from where, since when, and why it is over."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models.user import User
from config.audit import feeds_each
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet


class SessionEnd(models.TextChoices):
    """Why a session is over."""

    SIGNED_OUT = "signed_out"
    REUSED = "reused", "A spent token was used again"
    PASSWORD = "password", "The password was changed"
    EMAIL = "email", "The address was changed"
    DEACTIVATED = "deactivated"
    CLOSED = "closed", "The account was closed"
    TIMED_OUT = "timed_out", "Staff came back too late"
    SECOND_FACTOR = "second_factor", "The second factor was changed"
    STAFF = "staff", "Ended by staff"


class SessionQuerySet(LockedQuerySet["Session"]):
    def live(self) -> "SessionQuerySet":
        return self.filter(revoked_at=None)


class Session(models.Model):
    """One sign-in: the family of refresh tokens that descend from it. At most one of them is good at a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    current_jti = models.CharField(max_length=64)
    user_agent = models.CharField(max_length=200, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    authenticated_at = models.DateTimeField(
        db_default=ClockTimestamp(), help_text="When the person last proved who they are: at sign-in, or since."
    )
    has_second_factor = models.BooleanField(default=False, help_text="Whether a one-time code was part of the proof.")
    refreshed_at = models.DateTimeField(db_default=ClockTimestamp())
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=20, blank=True, choices=SessionEnd)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user"], name="session_live", condition=Q(revoked_at__isnull=True)),
            # Whose accounts else were used from there.
            models.Index(fields=["address"], name="session_address"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_because="")
                | Q(revoked_at__isnull=False, revoked_because__in=SessionEnd.values),
                name="session_ends_for_a_reason",
            ),
        ]
        triggers = [
            feeds_each(
                "feed_audit_begin",
                noun="session",
                verb="'begun'",
                operation=pgtrigger.Insert,
                person="NEW.user_id",
                actor="NEW.user_id",
            ),
            feeds_each(
                "feed_audit_end",
                noun="session",
                verb="'ended'",
                operation=pgtrigger.UpdateOf("revoked_at"),
                condition="OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL",
                person="NEW.user_id",
                actor="CASE WHEN NEW.revoked_because = 'signed_out' THEN NEW.user_id END",
                data="'why', NEW.revoked_because",
            ),
        ]

    def __str__(self) -> str:
        return f"Session of {self.user_id}"
