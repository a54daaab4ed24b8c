"""What became of a prize that was paid too much, taxed too much, or came back in part: rows, never edits.

repaid        the player sent it back, by hand: a record with two names says so
borne         the house bears it: the player keeps the money, a second person agrees
reclaimed     the prize was raised again, so the house has back what it had borne; the machine's own
tax_released  what was withheld is owed to the winner after all: the form came within the year; a second person agrees
came_back     a part of a payout came back from the provider; the machine's own
"""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from payments.models.payout import Payout
from pools.models import Pool


class CorrectionKind(models.TextChoices):
    REPAID = "repaid", "The player sent it back"
    BORNE = "borne", "The house bears it"
    RECLAIMED = "reclaimed", "The house has it back"
    TAX_RELEASED = "tax_released", "Withheld too much"
    CAME_BACK = "came_back", "A part came back"


class CorrectionState(models.TextChoices):
    REQUESTED = "requested"
    DONE = "done"
    DECLINED = "declined"


CORRECTION_TRANSITIONS = {CorrectionState.REQUESTED: (CorrectionState.DONE, CorrectionState.DECLINED)}
# What follows from another fact, and nobody decides.
_BY_MACHINE = (CorrectionKind.RECLAIMED, CorrectionKind.CAME_BACK)
# Parts of one payout that the winner does not have, or is owed again.
OF_ONE_PAYOUT = (CorrectionKind.TAX_RELEASED, CorrectionKind.CAME_BACK)


class PrizeCorrection(HasStatus):
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="prize_corrections")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="prize_corrections")
    payout = models.ForeignKey(
        Payout, on_delete=models.PROTECT, null=True, blank=True, related_name="corrections",
        help_text="The payout that it is a part of; empty where it is about all that was paid.",
    )  # fmt: skip
    kind = models.CharField(max_length=12, choices=CorrectionKind)
    amount_cents = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    livemode = models.BooleanField()
    reference = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="The provider's name of what came back."
    )
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=10, choices=CorrectionState, default=CorrectionState.REQUESTED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decision_reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    requested_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = CORRECTION_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("request_prizecorrection", "Can ask for a correction of a prize"),
            ("approve_prizecorrection", "Can approve a correction of a prize of another"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["pool", "player"],
                condition=Q(status=CorrectionState.REQUESTED),
                name="prize_correction_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["payout", "reference"], condition=~Q(reference=""), name="prize_correction_reference"
            ),
            models.CheckConstraint(
                condition=Q(status__in=CorrectionState.values), name="prize_correction_status_known"
            ),
            models.CheckConstraint(condition=Q(kind__in=CorrectionKind.values), name="prize_correction_kind_known"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="prize_correction_amount_positive"),
            models.CheckConstraint(
                condition=~Q(kind__in=OF_ONE_PAYOUT) | Q(payout__isnull=False), name="prize_correction_of_payout"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=_BY_MACHINE)
                | Q(requested_by__isnull=False)
                & (~Q(status=CorrectionState.DONE) | Q(decided_by__isnull=False) & ~Q(decided_by=F("requested_by"))),
                name="prize_correction_two_names",
            ),
        ]
        triggers = [
            status_guard(CORRECTION_TRANSITIONS),
            Guard(
                name="prize_correction_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.pool_id, NEW.player_id, NEW.payout_id, NEW.kind, NEW.amount_cents, NEW.currency,
                        NEW.livemode, NEW.reference, NEW.reason, NEW.requested_by_id)
                       IS DISTINCT FROM (OLD.pool_id, OLD.player_id, OLD.payout_id, OLD.kind, OLD.amount_cents,
                        OLD.currency, OLD.livemode, OLD.reference, OLD.reason, OLD.requested_by_id)
                       OR OLD.status <> 'requested' AND (NEW.decided_by_id, NEW.decided_at)
                       IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at) THEN
                        RAISE EXCEPTION 'what a correction is, and how much, never changes'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'prize_correction_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_prizecorrectionchange", ("decided_by_id",)),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.pk}"


class PrizeCorrectionChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("prize_correction", owner="payments_prizecorrection.player_id")]

    def __str__(self) -> str:
        return f"Change {self.pk} of prize correction {self.subject_id}"
