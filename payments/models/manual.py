"""Money that passes by hand: cash, cheque, bank transfer. One member of staff writes it down, another confirms it."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from payments.models.payment import Payment
from payments.models.payout import Payout
from payments.models.prize_correction import PrizeCorrection
from payments.models.refund import Refund

LARGEST_SCAN = 5 * 1024 * 1024


class ManualMethod(models.TextChoices):
    CASH = "cash"
    CHEQUE = "cheque"
    TRANSFER = "transfer", "Bank transfer"


class ManualState(models.TextChoices):
    RECORDED = "recorded"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


# What a record can be about: exactly one of these.
SUBJECTS = ("payment", "refund", "payout", "correction")
MANUAL_TRANSITIONS = {ManualState.RECORDED: (ManualState.CONFIRMED, ManualState.REJECTED)}


class ManualRecord(HasStatus):
    """One passing of money: of a payment or a prize sent back (in), or of a refund or a payout (out).

    What was written never changes.
    """

    payment = models.OneToOneField(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="manual_record"
    )
    refund = models.OneToOneField(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="manual_record")
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, null=True, blank=True, related_name="manual_records")
    correction = models.OneToOneField(
        PrizeCorrection, on_delete=models.PROTECT, null=True, blank=True, related_name="manual_record",
        help_text="A prize, or a part of one, that its winner sent back.",
    )  # fmt: skip
    method = models.CharField(max_length=10, choices=ManualMethod)
    reference = models.CharField(max_length=100, help_text="Number of the receipt, the cheque, or the bank's own.")
    amount_cents = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    passed_at = models.DateTimeField(help_text="When the money changed hands.")
    note = models.CharField(max_length=500, blank=True, default="")
    status = models.CharField(max_length=10, choices=ManualState, default=ManualState.RECORDED)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True, default="")

    TRANSITIONS: ClassVar = MANUAL_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes = [GinIndex(OpClass(Upper("reference"), name="gin_trgm_ops"), name="manual_letters")]
        permissions: ClassVar = [
            ("record_manual", "Can record money that passed by hand"),
            ("confirm_manual", "Can confirm what another recorded"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    *(Q(**{f"{name}__isnull": name != one for name in SUBJECTS}) for one in SUBJECTS), _connector=Q.OR
                ),
                name="manual_is_about_one_thing",
            ),
            models.CheckConstraint(condition=Q(status__in=ManualState.values), name="manual_status_known"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="manual_amount_positive"),
            models.CheckConstraint(condition=~Q(reference=""), name="manual_has_reference"),
            models.CheckConstraint(
                condition=Q(status=ManualState.RECORDED)
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decided_by=F("recorded_by")),
                name="manual_two_names",
            ),
            models.UniqueConstraint(
                fields=["method", "reference"],
                condition=~Q(status=ManualState.REJECTED),
                name="manual_reference_unique",
            ),
        ]
        triggers = [
            status_guard(MANUAL_TRANSITIONS),
            Guard(
                name="manual_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.payment_id, NEW.refund_id, NEW.payout_id, NEW.correction_id, NEW.method,
                        NEW.reference, NEW.amount_cents, NEW.currency, NEW.passed_at,
                        NEW.note, NEW.recorded_by_id, NEW.recorded_at)
                       IS DISTINCT FROM (OLD.payment_id, OLD.refund_id, OLD.payout_id, OLD.correction_id,
                        OLD.method, OLD.reference, OLD.amount_cents, OLD.currency, OLD.passed_at,
                        OLD.note, OLD.recorded_by_id, OLD.recorded_at)
                       OR OLD.status <> 'recorded' AND (NEW.decided_by_id, NEW.decided_at, NEW.decision_reason)
                       IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at, OLD.decision_reason) THEN
                        RAISE EXCEPTION 'what was recorded is kept as it was written'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'manual_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_manualrecordchange"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.reference}"


class ManualRecordChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("manual_record")]

    def __str__(self) -> str:
        return f"Change {self.pk} of manual record {self.subject_id}"


class Evidence(models.Model):
    """A photograph or a scan that shows it, kept where the books are kept."""

    record = models.ForeignKey(ManualRecord, on_delete=models.PROTECT, related_name="evidence")
    name = models.CharField(max_length=100)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        verbose_name_plural = "evidence"
        permissions: ClassVar = [("download_evidence", "Can download evidence")]
        ordering: ClassVar = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0, size__lte=LARGEST_SCAN), name="evidence_size"),
            models.UniqueConstraint(fields=["record", "sha256"], name="evidence_once"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.name
