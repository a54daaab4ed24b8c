"""A dispute as the provider tells it: whose money, how much, in which of its states, and until when to answer."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.triggers import Guard
from config.words import Words
from payments.models.receipt import Receipt


class DisputeState(Words):
    """Stripe's ten statuses, and `unknown` for one that a newer version of its API may have."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"
    APPEAL_NEEDS_RESPONSE = "appeal_needs_response"
    APPEAL_UNDER_REVIEW = "appeal_under_review"
    UNKNOWN = "unknown"


# Inquiries of a bank: no money has moved, and none does unless they become disputes.
INQUIRIES = (DisputeState.WARNING_NEEDS_RESPONSE, DisputeState.WARNING_UNDER_REVIEW, DisputeState.WARNING_CLOSED)
# Not decided yet, with the money gone meanwhile.
UNDECIDED = (
    DisputeState.NEEDS_RESPONSE,
    DisputeState.UNDER_REVIEW,
    DisputeState.APPEAL_NEEDS_RESPONSE,
    DisputeState.APPEAL_UNDER_REVIEW,
)
# Somebody has to answer before the deadline, or the bank decides without us.
TO_ANSWER = (
    DisputeState.WARNING_NEEDS_RESPONSE,
    DisputeState.NEEDS_RESPONSE,
    DisputeState.APPEAL_NEEDS_RESPONSE,
)
CLOSED_DISPUTES = (DisputeState.WON, DisputeState.LOST, DisputeState.PREVENTED, DisputeState.WARNING_CLOSED)


class LossBearer(models.TextChoices):
    """Who bore a lost dispute."""

    HOUSE = "house"
    POT = "pot", "The place: its fee left pot and house"
    UNAPPLIED = "unapplied", "Money without a place"


class Dispute(models.Model):
    """Mirrored, never decided here: its status moves as the provider says, in whatever order the news comes."""

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="disputes")
    provider = models.CharField(max_length=20)
    provider_reference = models.CharField(max_length=255)
    livemode = models.BooleanField()
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=30, choices=DisputeState)
    reason = models.CharField(max_length=60, blank=True, default="")
    is_charge_refundable = models.BooleanField(default=False)
    has_suspended = models.BooleanField(default=False, db_default=False, help_text="It suspended the entry.")
    borne_by = models.CharField(max_length=10, choices=LossBearer, blank=True, default="", db_default="")
    evidence_due_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    checked_at = models.DateTimeField(null=True, blank=True)

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_reference"], name="dispute_reference_unique"),
            models.CheckConstraint(condition=Q(status__in=DisputeState.values), name="dispute_status_known"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="dispute_amount_positive"),
        ]
        indexes = [
            models.Index(fields=["checked_at", "id"], condition=~Q(status__in=CLOSED_DISPUTES), name="dispute_open"),
        ]
        triggers = [
            Guard(
                name="dispute_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.receipt_id, NEW.provider, NEW.provider_reference, NEW.livemode, NEW.currency, NEW.opened_at)
                       IS DISTINCT FROM (OLD.receipt_id, OLD.provider, OLD.provider_reference, OLD.livemode,
                        OLD.currency, OLD.opened_at)
                       OR OLD.borne_by <> '' AND OLD.borne_by <> NEW.borne_by THEN
                        RAISE EXCEPTION 'what a dispute is about never changes'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'dispute_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_disputechange", ("amount_cents", "has_suspended", "borne_by", "evidence_due_at")),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Dispute {self.provider_reference}"

    @property
    def journal_name(self) -> str:
        """What the journal calls it: names of a provider stand behind its own."""
        return f"{self.provider}:{self.provider_reference}"


class DisputeChange(StatusChange):
    from_status = models.CharField(max_length=30, blank=True, default="", db_default="")
    to_status = models.CharField(max_length=30)

    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds_status(
                "dispute",
                person="""(
                    SELECT q.user_id
                    FROM payments_dispute d
                    JOIN payments_receipt r ON r.id = d.receipt_id
                    JOIN payments_payment p ON p.id = r.payment_id
                    JOIN entries_request q ON q.id = p.request_id
                    WHERE d.id = n.subject_id)""",
            ),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of dispute {self.subject_id}"
