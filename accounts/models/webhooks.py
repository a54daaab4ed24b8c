"""Webhooks for others: who wants to be told of what and where, what they are owed, and every attempt to tell them.

A delivery is a row, written by triggers in the transaction of what it tells (`accounts.models.webhook_feeds`), and
sent afterwards (`accounts.services.webhooks`). What it says never changes; what became of it does, along its map; each
attempt is a line of a log that is only added to, and goes when it is old.
"""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from accounts.models.user import User
from accounts.models.webhook_types import DELIVERY_TRANSITIONS, AttemptCause, Covers, DeliveryStatus, OffBecause
from config.audit import feeds_each
from config.clock import ClockTimestamp
from config.encryption import EncryptedTextField
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard

NAME_LENGTH = 60
URL_LENGTH = 500
EXCERPT_LENGTH = 300
KEPT_DAYS = 30


def _kept_for_a_while(age: str) -> list[Guard]:
    """Rows go when they are old, and not before. `age` is the column that says since when."""
    return [
        Guard(
            name="kept_for_a_while",
            when=pgtrigger.Before,
            operation=pgtrigger.Delete,
            condition=pgtrigger.Condition(f"OLD.{age} > clock_timestamp() - interval '{KEPT_DAYS} days'"),
            func="""
                RAISE EXCEPTION 'row % of % is kept for now', OLD.id, TG_TABLE_NAME
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'kept_for_a_while';
            """,
        ),
        Guard(
            name="never_truncated",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="""
                RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';
            """,
        ),
    ]


class WebhookEndpointQuerySet(LockedQuerySet["WebhookEndpoint"]):
    def standing(self) -> "WebhookEndpointQuerySet":
        """Not removed."""
        return self.filter(removed_at=None)


class WebhookEndpoint(models.Model):
    """An address of a subscriber. Removed ones keep nothing but their log, which is about them."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="webhook_endpoints", db_index=False)
    name = models.CharField(max_length=NAME_LENGTH, blank=True, help_text="What it is for, in its owner's words.")
    url = models.CharField(max_length=URL_LENGTH, blank=True)
    events = ArrayField(models.CharField(max_length=40), help_text="Types that it wants.")
    covers = models.CharField(max_length=3, choices=Covers, default=Covers.OWN)
    pools = ArrayField(models.BigIntegerField(), default=list, blank=True, help_text="Of these alone; empty: of all.")
    secret = EncryptedTextField(null=True)
    previous_secret = EncryptedTextField(null=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    off_because = models.CharField(max_length=10, choices=OffBecause, blank=True, default=OffBecause.ON)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"], condition=Q(removed_at__isnull=True), name="webhook_endpoint_user")
        ]
        constraints = [
            models.CheckConstraint(condition=Q(covers__in=Covers.values), name="webhook_endpoint_covers_known"),
            models.CheckConstraint(
                condition=Q(off_because__in=OffBecause.values), name="webhook_endpoint_off_because_known"
            ),
            models.CheckConstraint(condition=~Q(events=[]), name="webhook_endpoint_has_events"),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, secret__isnull=False) & ~Q(url="")
                | Q(removed_at__isnull=False, secret__isnull=True, previous_secret__isnull=True, url=""),
                name="webhook_endpoint_removed_keeps_nothing",
            ),
        ]
        triggers = [
            feeds_each(
                "feed_audit_made",
                noun="webhook_endpoint",
                verb="'made'",
                operation=pgtrigger.Insert,
                person="NEW.user_id",
                data="'events', to_jsonb(NEW.events), 'covers', NEW.covers",
            ),
            feeds_each(
                "feed_audit_changed",
                noun="webhook_endpoint",
                verb="""CASE WHEN NEW.removed_at IS NOT NULL THEN 'removed'
                    WHEN NEW.secret IS DISTINCT FROM OLD.secret THEN 'rotated' ELSE 'changed' END""",
                operation=pgtrigger.UpdateOf("url", "events", "covers", "pools", "secret", "off_because", "removed_at"),
                person="NEW.user_id",
                data="'events', to_jsonb(NEW.events), 'covers', NEW.covers, 'off_because', NEW.off_because",
            ),
        ]

    def __str__(self) -> str:
        return f"Webhook endpoint {self.pk} of user {self.user_id}"

    @property
    def is_enabled(self) -> bool:
        return self.removed_at is None and self.off_because == OffBecause.ON


class WebhookHealth(models.Model):
    """How an endpoint fares: apart from it, because this changes with every delivery and is no edit of anybody's."""

    endpoint = models.OneToOneField(WebhookEndpoint, on_delete=models.CASCADE, primary_key=True, related_name="health")
    served_at = models.DateTimeField(null=True, blank=True, help_text="When deliveries were last taken up.")
    failing_since = models.DateTimeField(null=True, blank=True, help_text="Of the failures since the last success.")
    succeeded_at = models.DateTimeField(null=True, blank=True)

    objects = LockedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook health"

    def __str__(self) -> str:
        return f"Health of webhook endpoint {self.pk}"


class WebhookDelivery(HasStatus):
    """One event for one endpoint. Its id is the `sequence` that subscribers see."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event_id = models.CharField(max_length=40, help_text="The same for all that are told of it, and in every attempt.")
    type = models.CharField(max_length=40)
    data = models.JSONField()
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    due_at = models.DateTimeField(db_default=ClockTimestamp())
    leased_until = models.DateTimeField(null=True, blank=True, help_text="Until when somebody is at it.")
    tries = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Since it was posted or replayed.")
    is_replay = models.BooleanField(default=False, db_default=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = DELIVERY_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_delivery_once"),
            models.CheckConstraint(condition=Q(status__in=DeliveryStatus.values), name="webhook_delivery_status_known"),
            models.CheckConstraint(
                condition=Q(status=DeliveryStatus.PENDING) | Q(leased_until__isnull=True, ended_at__isnull=False),
                name="webhook_delivery_ended_is_free",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at", "id"], condition=Q(status="pending"), name="webhook_delivery_waiting"
            ),
            models.Index(
                fields=["endpoint"], condition=Q(leased_until__isnull=False), name="webhook_delivery_under_way"
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_log"),
            BrinIndex(fields=["created_at"], name="webhook_delivery_age"),
        ]
        triggers = [
            status_guard(DELIVERY_TRANSITIONS),
            Guard(
                name="says_the_same_for_ever",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "ROW(OLD.id, OLD.endpoint_id, OLD.event_id, OLD.type, OLD.data, OLD.created_at)"
                    " IS DISTINCT FROM ROW(NEW.id, NEW.endpoint_id, NEW.event_id, NEW.type, NEW.data, NEW.created_at)"
                ),
                func="""
                    RAISE EXCEPTION 'what delivery % says never changes', OLD.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'webhook_delivery_fixed';
                """,
            ),
            *_kept_for_a_while("created_at"),
        ]

    def __str__(self) -> str:
        return f"{self.type} for webhook endpoint {self.endpoint_id}"


class WebhookAttempt(models.Model):
    """One attempt: what was answered, or what came instead of an answer."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    cause = models.CharField(max_length=10, choices=AttemptCause)
    at = models.DateTimeField(db_default=ClockTimestamp())
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True, default="")
    response = models.CharField(
        max_length=EXCERPT_LENGTH, blank=True, default="", help_text="The beginning, without what looks like a secret."
    )

    class Meta:
        ordering: ClassVar = ["id"]
        indexes = [models.Index(fields=["delivery", "id"], name="webhook_attempt_log")]
        triggers = [
            Guard(
                name="never_changed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    RAISE EXCEPTION 'the log of deliveries is only added to'
                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_changed';
                """,
            ),
            *_kept_for_a_while("at"),
        ]

    def __str__(self) -> str:
        return f"Attempt {self.pk} of delivery {self.delivery_id}"
