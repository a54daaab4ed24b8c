"""What the machine is not certain about, and a person has to look at: with an owner, an age and a suggestion."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from config.audit import StatusChange, append_only, feeds, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from config.words import Words
from payments.models.reconciliation import ReconciliationRun


class DiscrepancyState(Words):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    WRITTEN_OFF = "written_off"


class DiscrepancyKind(Words):
    """What kind of doubt; what is done about each stands in docs/discrepancies.md."""

    MISSING_LOCALLY = "missing_locally"
    MISSING_AT_PROVIDER = "missing_at_provider"
    HELD_MONEY = "held_money"
    DUPLICATE_PAYMENT = "duplicate_payment"
    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    EXTERNAL_REFUND = "external_refund"
    REFUND_FAILED = "refund_failed"
    REFUND_STUCK = "refund_stuck"
    REFUND_UNFUNDED = "refund_unfunded"
    REFUND_AND_DISPUTE = "refund_and_dispute"
    DISPUTE_DEADLINE = "dispute_deadline"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_UNKNOWN = "dispute_unknown"
    POISON_WEBHOOK = "poison_webhook"
    SIGNATURES = "signatures"
    LIVEMODE_LEAK = "livemode_leak"
    EVENTS_LOST = "events_lost"
    UNKNOWN_MOVEMENT = "unknown_movement"
    POT_SHORT = "pot_short"
    PAYOUT_FAILED = "payout_failed"
    PRIZE_OVERPAID = "prize_overpaid"
    NOT_BOOKED = "not_booked"
    STATUS_MISMATCH = "status_mismatch"
    PAID_NO_ENTRY = "paid_no_entry"
    ENTRY_WITHOUT_PAYMENT = "entry_without_payment"
    ORPHAN_REFUND = "orphan_refund"
    FEE_MISSING = "fee_missing"
    FEE_CHANGED = "fee_changed"
    PAYOUT_SUM_MISMATCH = "payout_sum_mismatch"
    PAYOUT_NOT_IN_BANK = "payout_not_in_bank"
    BANK_UNMATCHED = "bank_unmatched"
    STATEMENT_GAP = "statement_gap"
    CLEARING_TIEOUT_DIFF = "clearing_tieout_diff"
    FOREIGN_ACCOUNT = "foreign_account"
    ROWS_DISAGREE = "rows_disagree"
    BOOKS_BROKEN = "books_broken"
    MASS_HEALING = "mass_healing"


# Somebody is told at once: money may be forged, lost, or booked to the wrong books.
URGENT = frozenset(
    {
        DiscrepancyKind.MISSING_AT_PROVIDER,
        DiscrepancyKind.ENTRY_WITHOUT_PAYMENT,
        DiscrepancyKind.CLEARING_TIEOUT_DIFF,
        DiscrepancyKind.LIVEMODE_LEAK,
        DiscrepancyKind.FOREIGN_ACCOUNT,
        DiscrepancyKind.BOOKS_BROKEN,
        DiscrepancyKind.MASS_HEALING,
        DiscrepancyKind.SIGNATURES,
    }
)

_DONE = (DiscrepancyState.RESOLVED, DiscrepancyState.WRITTEN_OFF)
OPEN_STATES = (DiscrepancyState.OPEN, DiscrepancyState.ACKNOWLEDGED)
DISCREPANCY_TRANSITIONS = {
    DiscrepancyState.OPEN: (DiscrepancyState.ACKNOWLEDGED, *_DONE),
    DiscrepancyState.ACKNOWLEDGED: (DiscrepancyState.OPEN, *_DONE),
}


class Discrepancy(HasStatus):
    """`object_key` names what it is about (`receipt:12`, `charge:stripe:ch_1`); one open row for each kind of it."""

    kind = models.CharField(max_length=30, choices=DiscrepancyKind)
    object_key = models.CharField(max_length=300)
    status = models.CharField(max_length=12, choices=DiscrepancyState, default=DiscrepancyState.OPEN)
    sentence = models.CharField(max_length=500)
    suggestion = models.CharField(max_length=500)
    details = models.JSONField(default=dict)
    # What we have and what the other side has, each as facts: {"amount_cents": 5000, "status": "succeeded"}.
    ours = models.JSONField(default=dict, db_default=models.Value("{}", models.JSONField()))
    theirs = models.JSONField(default=dict, db_default=models.Value("{}", models.JSONField()))
    amount_cents = models.BigIntegerField(null=True, blank=True, help_text="How much money it is about, if any.")
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    # The runs that saw it first and last; empty where a service, not a run, has the doubt.
    first_run = models.ForeignKey(
        ReconciliationRun, on_delete=models.PROTECT, null=True, blank=True, related_name="opened_rows"
    )
    last_run = models.ForeignKey(
        ReconciliationRun, on_delete=models.PROTECT, null=True, blank=True, related_name="seen_rows"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    due_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(db_default=ClockTimestamp())
    last_seen_at = models.DateTimeField(db_default=ClockTimestamp())
    times_seen = models.PositiveIntegerField(default=1, db_default=1)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    resolution = models.CharField(max_length=500, blank=True, default="", db_default="")

    TRANSITIONS: ClassVar = DISCREPANCY_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "discrepancies"
        ordering: ClassVar = ["due_at", "id"]
        permissions: ClassVar = [("resolve_discrepancy", "Can resolve a discrepancy")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "object_key"], condition=Q(status__in=OPEN_STATES), name="discrepancy_open_once"
            ),
            models.CheckConstraint(condition=Q(status__in=DiscrepancyState.values), name="discrepancy_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=OPEN_STATES, closed_at__isnull=True)
                | Q(status__in=_DONE, closed_at__isnull=False) & ~Q(resolution=""),
                name="discrepancy_closed_with_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["opened_at"], condition=Q(status__in=OPEN_STATES), name="discrepancy_open"),
            # What was decided about a thing before, also long ago.
            models.Index(fields=["kind", "object_key"], name="discrepancy_of_thing"),
        ]
        triggers = [
            status_guard(DISCREPANCY_TRANSITIONS),
            Guard(
                name="discrepancy_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.status IN ('resolved', 'written_off') THEN
                        RAISE EXCEPTION 'discrepancy % is closed: what comes up again is a new one', OLD.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'discrepancy_closed_stays';
                    END IF;
                    IF (NEW.kind, NEW.object_key, NEW.opened_at) IS DISTINCT FROM
                       (OLD.kind, OLD.object_key, OLD.opened_at)
                       OR OLD.first_run_id IS NOT NULL AND OLD.first_run_id IS DISTINCT FROM NEW.first_run_id THEN
                        RAISE EXCEPTION 'what a discrepancy is about never changes'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'discrepancy_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="written_off_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Condition("NEW.status = 'written_off'"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM payments_writeoff w
                                   WHERE w.discrepancy_id = NEW.id AND w.status = 'approved') THEN
                        RAISE EXCEPTION 'discrepancy % is written off by two people, not by a status', NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'discrepancy_written_off_by_two';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # What a row said at any time can be told of its changes: reports are as of an instant.
            *record_status(
                "payments_discrepancychange",
                (
                    "owner_id",
                    "resolution",
                    "sentence",
                    "suggestion",
                    "ours",
                    "theirs",
                    "amount_cents",
                    "currency",
                    "due_at",
                ),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.object_key}"


class DiscrepancyChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("discrepancy")]

    def __str__(self) -> str:
        return f"Change {self.pk} of discrepancy {self.subject_id}"


class Act(Words):
    """What a person did to a row of the queue."""

    LOOKED_AFTER = "looked_after"
    GIVEN = "given", "Given to a colleague"
    PUT_BACK = "put_back"
    ASKED = "asked", "Asked the provider"
    ALLOCATED = "allocated", "Made the money a place"
    REFUNDED = "refunded", "Started a refund"
    MARKED_FOREIGN = "marked_foreign", "Marked as not ours"
    FOUND_OURS = "found_ours", "Found to be ours after all"
    WRITE_OFF_ASKED = "write_off_asked", "Asked for a write-off"
    WRITE_OFF_APPROVED = "write_off_approved", "Approved the write-off"
    WRITE_OFF_DECLINED = "write_off_declined", "Declined the write-off"
    RESOLVED = "resolved"


class DiscrepancyAct(models.Model):
    """One act of one person, also one that moved no status: who did what, why, and what came of it."""

    discrepancy = models.ForeignKey(Discrepancy, on_delete=models.PROTECT, related_name="acts")
    act = models.CharField(max_length=20, choices=Act)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="")
    outcome = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(act__in=Act.values), name="discrepancy_act_known"),
        ]
        triggers = [
            *append_only(),
            feeds("discrepancy", verb="n.act", subject="n.discrepancy_id", actor="n.by_id"),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} ({self.by})"
