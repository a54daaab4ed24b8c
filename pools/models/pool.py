"""A pool: one contest on a competition, with a fee, a capacity, and a first and a last round."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.pages.changes import tells_pages
from config.states import HasStatus, status_guard
from config.triggers import Guard
from pools.models.competition import Competition
from pools.models.telling import tells_status


class PoolStatus(models.TextChoices):
    DRAFT = "draft"
    OPEN = "open"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


POOL_TRANSITIONS = {
    PoolStatus.DRAFT: (PoolStatus.OPEN, PoolStatus.CANCELLED),
    PoolStatus.OPEN: (PoolStatus.RUNNING, PoolStatus.FINISHED, PoolStatus.CANCELLED),
    PoolStatus.RUNNING: (PoolStatus.FINISHED, PoolStatus.CANCELLED),
}


class ChargebackBearer(models.TextChoices):
    """Who bears a fee that the player's bank took back."""

    HOUSE = "house"
    POT = "pot"


class PoolQuerySet(LockedQuerySet["Pool"]):
    def public(self) -> "PoolQuerySet":
        """Everything but drafts."""
        return self.exclude(status=PoolStatus.DRAFT)

    def in_play(self) -> "PoolQuerySet":
        """Pools whose entries can still live or die."""
        return self.filter(status__in=(PoolStatus.OPEN, PoolStatus.RUNNING))


class Pool(HasStatus):
    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="pools")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=PoolStatus, default=PoolStatus.DRAFT)
    entry_fee_cents = models.PositiveIntegerField(default=0, help_text="In minor units of the currency.")
    currency = models.CharField(max_length=3, default="usd", help_text="ISO 4217, lower case.")
    capacity = models.PositiveIntegerField(null=True, blank=True, help_text="Places; empty for no limit.")
    max_entries_per_user = models.PositiveSmallIntegerField(default=3)
    registration_closes_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: the lock of the pool's first round."
    )
    first_round_number = models.PositiveSmallIntegerField(default=1)
    last_round_number = models.PositiveSmallIntegerField()
    pay_within_hours = models.PositiveSmallIntegerField(default=72, help_text="From approval to payment.")
    minimum_age = models.PositiveSmallIntegerField(default=18)
    countries = ArrayField(
        models.CharField(max_length=6), default=list, blank=True,
        help_text="Where it is offered, by ISO 3166: countries as US, regions as US-NV; empty for everywhere.",
    )  # fmt: skip
    suspended_may_pick = models.BooleanField(
        default=True, db_default=True, help_text="Whether an entry whose payment is disputed may go on picking."
    )
    chargeback_bearer = models.CharField(
        max_length=10, choices=ChargebackBearer, default=ChargebackBearer.HOUSE, db_default=ChargebackBearer.HOUSE,
        help_text="Who bears a payment that a dispute has lost: the pot, which counts only until the first lock;"
        " afterwards the house bears it.",
    )  # fmt: skip
    logo_key = models.CharField(
        max_length=100, blank=True, default="", db_default="", editable=False, help_text="Where its picture lies."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    settled_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_round_number = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False, help_text="The round after which nothing was left to play for."
    )

    TRANSITIONS: ClassVar = POOL_TRANSITIONS

    objects = PoolQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PoolStatus.values), name="pool_status_known"),
            models.CheckConstraint(
                condition=Q(last_round_number__gte=F("first_round_number")), name="pool_rounds_order"
            ),
            models.CheckConstraint(condition=Q(first_round_number__gte=1), name="pool_first_round_positive"),
            models.CheckConstraint(condition=Q(max_entries_per_user__gte=1), name="pool_limit_positive"),
            models.CheckConstraint(
                condition=Q(capacity__isnull=True) | Q(capacity__gte=1), name="pool_capacity_positive"
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[a-z]{3}$"), name="pool_currency_code"),
            models.CheckConstraint(
                condition=Q(chargeback_bearer__in=ChargebackBearer.values), name="pool_chargeback_bearer_known"
            ),
        ]
        indexes = [models.Index(fields=["competition", "status"], name="pool_competition_status")]
        triggers = [
            status_guard(POOL_TRANSITIONS, correctable=True),
            *tells_pages("'pool:' || n.id", insert=False),
            Guard(
                name="currency_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("currency"),
                condition=pgtrigger.Condition("OLD.status <> 'draft' AND NEW.currency IS DISTINCT FROM OLD.currency"),
                # Fees were copied from it, and the pot is counted in it.
                func="""
                    RAISE EXCEPTION 'the currency of pool % is fixed: it is no draft any more', OLD.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'pool_currency_fixed';
                """,
            ),
            *record_status(
                "pools_poolchange",
                (
                    "entry_fee_cents",
                    "capacity",
                    "max_entries_per_user",
                    "registration_closes_at",
                    "suspended_may_pick",
                    "chargeback_bearer",
                ),
            ),
            tells_status(),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.name


class PoolChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("pool")]

    def __str__(self) -> str:
        return f"Change {self.pk} of pool {self.subject_id}"
