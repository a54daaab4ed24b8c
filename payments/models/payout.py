"""Prizes on their way to the winners: each asked for by one member of staff, approved by another, sent once."""

import uuid
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.audit import StatusChange, append_only, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from entries.models import Entry
from pools.models import Pool


class PayoutState(models.TextChoices):
    REQUESTED = "requested"
    APPROVED = "approved"
    PAID = "paid"
    RETURNED = "returned"
    CANCELLED = "cancelled"


PAYOUT_TRANSITIONS = {
    PayoutState.REQUESTED: (PayoutState.APPROVED, PayoutState.CANCELLED),
    PayoutState.APPROVED: (PayoutState.PAID, PayoutState.CANCELLED),
    PayoutState.PAID: (PayoutState.RETURNED,),
}
LIVE_PAYOUTS = (PayoutState.REQUESTED, PayoutState.APPROVED, PayoutState.PAID)


class PrizeBooking(models.Model):
    """The prizes of a pool as they were booked: each correction is a new one, which reverses the one before."""

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="prize_bookings")
    number = models.PositiveSmallIntegerField()
    prizes = models.JSONField(help_text="Entry → minor units.")
    amount_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    made_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [models.UniqueConstraint(fields=["pool", "number"], name="prize_booking_number")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"Prizes {self.number} of pool {self.pool_id}"


class Payout(HasStatus):
    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    booking = models.ForeignKey(PrizeBooking, on_delete=models.PROTECT, related_name="payouts")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="payouts")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payouts")
    provider = models.CharField(max_length=20, default="manual")
    livemode = models.BooleanField(default=False)
    amount_cents = models.PositiveBigIntegerField(help_text="The prize, before any tax that is withheld.")
    withheld_cents = models.PositiveBigIntegerField(default=0, db_default=0)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=PayoutState, default=PayoutState.REQUESTED)
    reason = models.CharField(max_length=500, blank=True, default="")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField(db_default=ClockTimestamp())
    approved_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = PAYOUT_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("request_payout", "Can ask for a payout"),
            ("approve_payout", "Can approve a payout of another"),
        ]
        constraints = [
            # One prize is paid out once, however often it is clicked.
            models.UniqueConstraint(fields=["entry"], condition=Q(status__in=LIVE_PAYOUTS), name="payout_once"),
            models.CheckConstraint(condition=Q(status__in=PayoutState.values), name="payout_status_known"),
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0, withheld_cents__lte=F("amount_cents")), name="payout_amounts"
            ),
            models.CheckConstraint(
                condition=Q(status__in=(PayoutState.REQUESTED, PayoutState.CANCELLED))
                | Q(approved_by__isnull=False) & ~Q(approved_by=F("requested_by")),
                name="payout_two_names",
            ),
        ]
        triggers = [
            status_guard(PAYOUT_TRANSITIONS),
            Guard(
                name="payout_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.ref, NEW.booking_id, NEW.entry_id, NEW.player_id, NEW.provider, NEW.livemode,
                        NEW.amount_cents, NEW.withheld_cents, NEW.currency, NEW.requested_by_id)
                       IS DISTINCT FROM (OLD.ref, OLD.booking_id, OLD.entry_id, OLD.player_id, OLD.provider,
                        OLD.livemode, OLD.amount_cents, OLD.withheld_cents, OLD.currency, OLD.requested_by_id) THEN
                        RAISE EXCEPTION 'what a payout is, and how much, never changes'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_payoutchange", ("approved_by_id",)),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Payout {self.pk} of entry {self.entry_id}"


class PayoutChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = append_only()

    def __str__(self) -> str:
        return f"Change {self.pk} of payout {self.subject_id}"


class TaxYear(models.Model):
    """What a country wants of winners in one year: a form from some amount on, and how much is withheld without it."""

    country = models.CharField(max_length=2)
    year = models.PositiveSmallIntegerField()
    currency = models.CharField(max_length=3)
    form = models.CharField(max_length=20, help_text="The form that a winner has to hand in: W-9, W-8BEN.")
    threshold_cents = models.PositiveBigIntegerField(help_text="From this sum of prizes in the year on.")
    withholding_bp = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Basis points withheld where the form is missing; empty: nothing is paid out."
    )

    class Meta:
        ordering: ClassVar = ["country", "year"]
        constraints = [
            models.UniqueConstraint(fields=["country", "year", "currency"], name="tax_year_unique"),
            models.CheckConstraint(
                condition=Q(withholding_bp__isnull=True) | Q(withholding_bp__lte=10_000), name="tax_year_withholding"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.year}"


class TaxForm(models.Model):
    """A player's form is on file; the form itself is kept elsewhere."""

    player = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tax_forms")
    form = models.CharField(max_length=20)
    received_on = models.DateField()
    valid_through_year = models.PositiveSmallIntegerField(null=True, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["-id"]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.form} of {self.player_id}"
