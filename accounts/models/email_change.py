"""A new address on its way: asked for, proved by its owner, and for a while taken back by the owner of the old one."""

from datetime import timedelta

import pgtrigger
from django.db import models
from django.db.models import F, Q

from accounts.models.user import User
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.triggers import Guard

# How long the old address may take it back, and is kept for its owner.
UNDO = timedelta(hours=72)


class EmailChangeQuerySet(LockedQuerySet["EmailChange"]):
    def open(self) -> "EmailChangeQuerySet":
        """Asked for, and neither done nor given up."""
        return self.filter(confirmed_at=None, ended_at=None)

    def give_up(self, user: User) -> None:
        """Let the person's wish come to nothing, where one waits: whoever asked may not be who they are now."""
        self.open().filter(user=user).update(ended_at=ClockTimestamp())

    def reserving(self, email: str) -> "EmailChangeQuerySet":
        """Those that keep this address for whoever had it."""
        return self.filter(old_email=email, ended_at=None, undo_until__gt=ClockTimestamp())


class EmailChange(models.Model):
    """One change of one person's address. Forgotten some time after nothing can come of it any more."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="email_changes")
    old_email = models.EmailField(max_length=254)
    new_email = models.EmailField(max_length=254)
    asked_at = models.DateTimeField(db_default=ClockTimestamp())
    confirmed_at = models.DateTimeField(null=True, blank=True)
    undo_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="Replaced by another wish, taken back, or the account was closed."
    )

    objects = EmailChangeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["old_email"], name="email_change_reserves", condition=Q(undo_until__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(confirmed_at=None, ended_at=None), name="email_change_one_open"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None, undo_until=None) | Q(undo_until__gt=F("confirmed_at")),
                name="email_change_undone_for_a_while",
            ),
        ]
        triggers = [
            Guard(
                name="email_change_forward",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at"
                    " OR OLD.confirmed_at IS NOT NULL AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at"
                    " OR OLD.undo_until IS NOT NULL AND NEW.undo_until IS DISTINCT FROM OLD.undo_until"
                ),
                func="""
                    RAISE EXCEPTION 'what became of a change of address stays'
                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'email_change_forward';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of the address of user {self.user_id}"
