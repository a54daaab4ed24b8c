"""The audit: entries, the chain that links them, and the days that are closed.

Entries are written in the transaction of what they tell of, and wait for nobody. They are linked afterwards, a few
seconds later, in one order: only that work takes turns. Nothing of it is ever changed or deleted but the list of what
waits to be linked.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from config.audit import append_only
from config.audit.guards import closed, linked, stamped
from config.clock import ClockTimestamp


class ActorKind(models.TextChoices):
    """Who acted. `api_key`: a person's key did, for them. `system`: nobody asked for it just then."""

    USER = "user"
    API_KEY = "api_key"
    ANONYMOUS = "anonymous"
    SYSTEM = "system"
    COMMAND = "command"


class AuditEntry(models.Model):
    """Who did what to whom, from where, under which request.

    Without foreign keys: it outlives what it tells of. Of people it has ids, and the address that a request came from.
    """

    at = models.DateTimeField(db_default=ClockTimestamp())
    actor_kind = models.CharField("by", max_length=10, choices=ActorKind, db_default="")
    actor_id = models.BigIntegerField(null=True, blank=True, help_text="The user who did it.")
    api_key = models.CharField(max_length=40, blank=True, db_default="", help_text="The prefix of the key used.")
    action = models.CharField(max_length=60)
    subject_type = models.CharField("of", max_length=40, blank=True, db_default="")
    subject_id = models.CharField(max_length=64, blank=True, db_default="")
    person_id = models.BigIntegerField(null=True, blank=True, help_text="The user whom it was done to, or for.")
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=128, blank=True, db_default="")
    reason = models.TextField(blank=True, db_default="")
    data = models.JSONField(default=dict, db_default=models.Value("{}", models.JSONField()))

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "audit entries"
        constraints = [
            models.CheckConstraint(condition=Q(actor_kind__in=ActorKind.values), name="audit_entry_kind_known"),
            models.CheckConstraint(condition=~Q(action=""), name="audit_entry_has_action"),
        ]
        indexes = [
            # Rows lie in the order of time, and nobody changes them.
            BrinIndex(fields=["at"], name="audit_entry_at"),
            models.Index(fields=["actor_id", "-id"], condition=Q(actor_id__isnull=False), name="audit_entry_actor"),
            models.Index(fields=["person_id", "-id"], condition=Q(person_id__isnull=False), name="audit_entry_person"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="audit_entry_subject"),
            models.Index(fields=["request_id"], condition=~Q(request_id=""), name="audit_entry_request"),
            # Also for all actions of a noun: those that begin with it.
            models.Index(
                fields=["action", "-id"], opclasses=["varchar_pattern_ops", "int8_ops"], name="audit_entry_action"
            ),
        ]
        triggers = [stamped(), *append_only()]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_type} {self.subject_id}".rstrip()


class AuditPending(models.Model):
    """An entry that is not linked yet."""

    entry_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"Entry {self.entry_id} waits"


class AuditLink(models.Model):
    """The place of an entry in the chain. `hash` vouches for the entry and, through `previous_hash`, for all before."""

    # The trigger looks the entry up, and none is ever deleted: a key would lock and touch every entry once more.
    entry = models.OneToOneField(
        AuditEntry, on_delete=models.PROTECT, primary_key=True, related_name="link", db_constraint=False
    )
    day = models.DateField(help_text="In UTC.")
    number = models.PositiveBigIntegerField(help_text="Within the day, from 1.")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["day", "number"]
        constraints = [
            models.UniqueConstraint(fields=["day", "number"], name="audit_link_place"),
            # Two successors of one entry would be two histories.
            models.UniqueConstraint(fields=["previous_hash"], name="audit_link_one_successor"),
        ]
        triggers = [*linked(), *append_only()]

    def __str__(self) -> str:
        return f"{self.day} {self.number}"


class AuditDay(models.Model):
    """A day that is over: how many entries it has, and the hash of the last, which was published."""

    day = models.DateField(primary_key=True)
    entries = models.PositiveBigIntegerField()
    head = models.CharField(max_length=64)
    closed_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["-day"]
        triggers = [closed(), *append_only()]

    def __str__(self) -> str:
        return str(self.day)
