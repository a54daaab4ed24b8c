"""Runs of the reconciliation, and what each has read from the provider: pages of rows, compared as sets.

A run is a row from its first moment, so that one that was killed is gone on with, page by page, by the next. What it
reads stands in two tables that are not logged: after a crash of the database they are empty, and read again.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.words import Words
from payments.models.movement import MovementKind


class RunKind(Words):
    """Which layer; see docs/reconciliation.md."""

    FEED = "feed"
    DEEP = "deep"
    PAYOUTS = "payouts"
    BANK = "bank"
    INVARIANTS = "invariants"


class RunStatus(Words):
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class RunPhase(Words):
    """How far a run is; each begins only once the one before has been committed."""

    READING = "reading"
    COMPARING = "comparing"
    HEALING = "healing"
    CHECKING = "checking"
    DONE = "done"


RUN_TRANSITIONS = {RunStatus.RUNNING: (RunStatus.FINISHED, RunStatus.FAILED)}


class ReconciliationRun(HasStatus):
    """One run. `found`, `healed`, `opened` and `closed` count by kind of discrepancy; `totals` has both sides.

    `totals` is currency → what (charges, refunds, disputes, fees, payouts) → {"ours": [count, minor], "theirs": [...]}.
    """

    kind = models.CharField(max_length=12, choices=RunKind)
    provider = models.CharField(max_length=20, blank=True, default="")
    livemode = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.RUNNING)
    phase = models.CharField(max_length=10, choices=RunPhase, default=RunPhase.READING)
    since = models.DateTimeField(null=True, blank=True, help_text="What is compared happened from here on,")
    until = models.DateTimeField(null=True, blank=True, help_text="and before this.")
    page_cursors = models.JSONField(default=dict, help_text="List → where its next page begins; null once it is read.")
    pages = models.PositiveIntegerField(default=0)
    staged = models.PositiveIntegerField(default=0)
    found = models.JSONField(default=dict)
    healed = models.JSONField(default=dict)
    opened = models.JSONField(default=dict)
    closed = models.JSONField(default=dict)
    totals = models.JSONField(default=dict)
    tie_outs = models.JSONField(default=list, help_text="[{name, currency, ours, theirs}] in minor units.")
    stopped_healing = models.JSONField(default=dict, help_text="Kind → how many were too many to heal unasked.")
    code_version = models.CharField(max_length=60, blank=True, default="")
    resumed = models.PositiveSmallIntegerField(default=0, help_text="How often it was taken up after it was cut off.")
    error = models.CharField(max_length=500, blank=True, default="")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(db_default=ClockTimestamp())
    touched_at = models.DateTimeField(db_default=ClockTimestamp())
    finished_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = RUN_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [("run_reconciliation", "Can start a reconciliation")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "provider"], condition=Q(status=RunStatus.RUNNING), name="run_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="run_status_known"),
            models.CheckConstraint(condition=Q(kind__in=RunKind.values), name="run_kind_known"),
            models.CheckConstraint(
                condition=Q(status=RunStatus.RUNNING, finished_at__isnull=True)
                | ~Q(status=RunStatus.RUNNING) & Q(finished_at__isnull=False),
                name="run_finished_when",
            ),
        ]
        triggers = [
            status_guard(RUN_TRANSITIONS),
            *record_status("payments_reconciliationrunchange"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}: {self.get_kind_display()}"


class ReconciliationRunChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("reconciliation_run")]

    def __str__(self) -> str:
        return f"Change {self.pk} of run {self.subject_id}"


class FeedCursor(models.Model):
    """Up to where a provider's movements have been read, compared and dealt with."""

    provider = models.CharField(max_length=20, primary_key=True)
    through = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.provider} through {self.through:%Y-%m-%d %H:%M}"


class SourceKind(Words):
    """What a movement is a movement of."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    TRANSFER = "transfer"
    OTHER = "other"


class _Staged(models.Model):
    """What both tables have: whose run, and what we had written on the charge behind it."""

    run_id = models.BigIntegerField()
    charge_id = models.CharField(max_length=255, blank=True, default="")
    livemode = models.BooleanField()
    ref = models.CharField(max_length=64, blank=True, default="", help_text="Our name of the payment; empty: not ours.")
    env = models.CharField(max_length=40, blank=True, default="")
    request_id = models.BigIntegerField(null=True, blank=True)
    pool_id = models.BigIntegerField(null=True, blank=True)
    payment_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        abstract = True


class StagedMovement(_Staged):
    """One movement of the provider's feed. The table is UNLOGGED; `source_cents` is what the source was made for."""

    reference = models.CharField(max_length=255)
    kind = models.CharField(max_length=20, choices=MovementKind)
    category = models.CharField(max_length=60, blank=True, default="")
    amount_cents = models.BigIntegerField()
    fee_cents = models.BigIntegerField()
    net_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    exchange_rate = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    occurred_at = models.DateTimeField()
    available_at = models.DateTimeField(null=True, blank=True)
    source_kind = models.CharField(max_length=10, choices=SourceKind)
    source_id = models.CharField(max_length=255, blank=True, default="")
    source_cents = models.BigIntegerField(null=True, blank=True)
    source_currency = models.CharField(max_length=3, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "reference"], name="staged_movement_once")]

    def __str__(self) -> str:
        return f"{self.reference} of run {self.run_id}"


class ObjectKind(Words):
    """Lists that a deep run reads beside the feed."""

    SESSION = "session"
    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"


class StagedObject(_Staged):
    """One object as a list of the provider has it. The table is UNLOGGED."""

    kind = models.CharField(max_length=10, choices=ObjectKind)
    object_id = models.CharField(max_length=255)
    status = models.CharField(max_length=40)
    amount_cents = models.BigIntegerField()
    back_cents = models.BigIntegerField(default=0, help_text="Of a charge: how much of it has been refunded.")
    currency = models.CharField(max_length=3)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "kind", "object_id"], name="staged_object_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} of run {self.run_id}"
