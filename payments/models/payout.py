"""Prizes on their way to the winners: one row for each time that a player's prize of a pool is paid out.

requested   waits for a second name
approved    has two names; nothing has moved. By hand, somebody hands it over; at a provider, it is sent next
sending     the provider is, or will be, asked. A crash leaves it here
unknown     the provider's answer was lost: only the resolver leaves this state
paid        gone; yet it can still come back (`returned`)
failed      the provider refused it for good, and nothing has moved: the prize is owed as before
returned    came back: the prize is owed as before
cancelled   taken back before anything moved, or overtaken by a correction

A payout is of all that the player has won in one booking, whichever entries won it, less what was paid before. So a
prize that is raised is topped up by the next booking's payout, and nothing is paid twice.
"""

import uuid
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
from pools.models import Pool


class PayoutState(models.TextChoices):
    REQUESTED = "requested"
    APPROVED = "approved"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


PAYOUT_TRANSITIONS = {
    PayoutState.REQUESTED: (PayoutState.APPROVED, PayoutState.CANCELLED),
    PayoutState.APPROVED: (PayoutState.SENDING, PayoutState.PAID, PayoutState.CANCELLED),
    PayoutState.SENDING: (PayoutState.UNKNOWN, PayoutState.PAID, PayoutState.FAILED),
    PayoutState.UNKNOWN: (PayoutState.PAID, PayoutState.FAILED),
    PayoutState.PAID: (PayoutState.RETURNED,),
}
# Asked for, and nothing has moved: a correction of the prize takes these back.
WAITING_PAYOUTS = (PayoutState.REQUESTED, PayoutState.APPROVED)
# The provider has it, or may have.
PAYOUTS_UNDER_WAY = (PayoutState.SENDING, PayoutState.UNKNOWN)
# What counts against the prize: everything that went, may go, or is wished to go.
LIVE_PAYOUTS = (*WAITING_PAYOUTS, *PAYOUTS_UNDER_WAY, PayoutState.PAID)


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
    ref = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="Our name for it at the provider."
    )
    booking = models.ForeignKey(PrizeBooking, on_delete=models.PROTECT, related_name="payouts")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payouts")
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replacements",
        help_text="The payout of which this one sends again what came back.",
    )  # fmt: skip
    provider = models.CharField(max_length=20, default="manual")
    destination = models.CharField(
        max_length=255, blank=True, default="", db_default="", help_text="The player's account at the provider."
    )
    livemode = models.BooleanField(default=False)
    won_cents = models.PositiveBigIntegerField(help_text="All that the player had won in the pool by this booking.")
    amount_cents = models.PositiveBigIntegerField(
        help_text="What is paid out of it, before any tax that is withheld: less than was won where some was paid."
    )
    withheld_cents = models.PositiveBigIntegerField(default=0, db_default=0)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=PayoutState, default=PayoutState.REQUESTED)
    reason = models.CharField(max_length=500, blank=True, default="")
    provider_reference = models.CharField(max_length=255, blank=True, default="", db_default="")
    key_number = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="Part of the idempotency key; grows only after a definitive failure."
    )
    failure = models.CharField(max_length=200, blank=True, default="", db_default="")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField(db_default=ClockTimestamp())
    approved_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the provider was first asked.")
    checked_at = models.DateTimeField(null=True, blank=True)
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
            # What a player won in a booking is paid out once, however often it is clicked.
            models.UniqueConstraint(
                fields=["booking", "player"],
                condition=Q(status__in=LIVE_PAYOUTS, replaces__isnull=True),
                name="payout_once",
            ),
            models.UniqueConstraint(
                fields=["replaces"], condition=Q(status__in=LIVE_PAYOUTS), name="payout_replaced_once"
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_reference"],
                condition=~Q(provider_reference=""),
                name="payout_reference_unique",
            ),
            models.CheckConstraint(condition=Q(status__in=PayoutState.values), name="payout_status_known"),
            models.CheckConstraint(
                condition=Q(
                    amount_cents__gt=0, withheld_cents__lte=F("amount_cents"), amount_cents__lte=F("won_cents")
                ),
                name="payout_amounts",
            ),
            models.CheckConstraint(
                condition=Q(status__in=(PayoutState.REQUESTED, PayoutState.CANCELLED))
                | Q(approved_by__isnull=False) & ~Q(approved_by=F("requested_by")),
                name="payout_two_names",
            ),
            # By hand there is nobody to send it to; a provider sends to an account.
            models.CheckConstraint(
                condition=Q(provider="manual", destination="") & ~Q(status__in=(*PAYOUTS_UNDER_WAY, PayoutState.FAILED))
                | ~Q(provider="manual") & ~Q(destination=""),
                name="payout_destination",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=(PayoutState.PAID, PayoutState.RETURNED)) | Q(paid_at__isnull=False),
                name="payout_paid_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["checked_at", "id"],
                condition=Q(status__in=(PayoutState.APPROVED, *PAYOUTS_UNDER_WAY)),
                name="payout_unfinished",
            ),
            GinIndex(OpClass(Upper("provider_reference"), name="gin_trgm_ops"), name="payout_letters"),
        ]
        triggers = [
            status_guard(PAYOUT_TRANSITIONS),
            Guard(
                name="within_prize",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[
                    ("made", "record"),
                    ("won", "bigint"),
                    ("given", "bigint"),
                    ("back", "bigint"),
                    ("old", "record"),
                ],
                # The pool is locked before the look: of two at once, the second sees the first.
                func="""
                    SELECT pool_id, currency INTO made FROM payments_prizebooking WHERE id = NEW.booking_id;
                    PERFORM 1 FROM pools_pool WHERE id = made.pool_id FOR NO KEY UPDATE;
                    IF NEW.currency <> made.currency THEN
                        RAISE EXCEPTION 'a payout is of the currency of its prize'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_of_its_prize';
                    END IF;
                    IF NEW.replaces_id IS NOT NULL THEN
                        SELECT p.player_id, b.pool_id INTO old FROM payments_payout p
                            JOIN payments_prizebooking b ON b.id = p.booking_id WHERE p.id = NEW.replaces_id;
                        IF (old.player_id, old.pool_id) IS DISTINCT FROM (NEW.player_id, made.pool_id) THEN
                            RAISE EXCEPTION 'a payout replaces one of the same player and pool'
                                USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_of_its_prize';
                        END IF;
                    END IF;
                    SELECT coalesce(sum((b.prizes ->> e.id::text)::bigint), 0) INTO won
                        FROM entries_entry e
                        JOIN payments_prizebooking b ON b.pool_id = made.pool_id AND b.prizes ? e.id::text
                        WHERE e.pool_id = made.pool_id AND e.user_id = NEW.player_id AND b.number = (
                            SELECT max(number) FROM payments_prizebooking WHERE pool_id = made.pool_id);
                    SELECT coalesce(sum(p.amount_cents), 0), coalesce(sum((
                            SELECT sum(c.amount_cents) FROM payments_prizecorrection c WHERE c.payout_id = p.id
                                AND c.status = 'done' AND c.kind IN ('tax_released', 'came_back'))), 0)
                        INTO given, back
                        FROM payments_payout p JOIN payments_prizebooking b ON b.id = p.booking_id
                        WHERE b.pool_id = made.pool_id AND p.player_id = NEW.player_id
                            AND p.status IN ('requested', 'approved', 'sending', 'unknown', 'paid');
                    SELECT back + coalesce(sum(amount_cents), 0) INTO back FROM payments_prizecorrection
                        WHERE pool_id = made.pool_id AND player_id = NEW.player_id
                            AND status = 'done' AND kind = 'repaid';
                    IF NEW.status IN ('requested', 'approved', 'sending', 'unknown', 'paid')
                       AND given - back + NEW.amount_cents > won THEN
                        RAISE EXCEPTION 'payouts of % would exceed the prize of %', given - back + NEW.amount_cents, won
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_within_prize';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="payout_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.ref, NEW.booking_id, NEW.player_id, NEW.replaces_id, NEW.provider, NEW.destination,
                        NEW.livemode, NEW.won_cents, NEW.amount_cents, NEW.withheld_cents, NEW.currency,
                        NEW.requested_by_id)
                       IS DISTINCT FROM (OLD.ref, OLD.booking_id, OLD.player_id, OLD.replaces_id, OLD.provider,
                        OLD.destination, OLD.livemode, OLD.won_cents, OLD.amount_cents, OLD.withheld_cents,
                        OLD.currency, OLD.requested_by_id)
                       OR OLD.provider_reference <> '' AND OLD.provider_reference <> NEW.provider_reference
                       OR OLD.approved_by_id IS NOT NULL AND OLD.approved_by_id IS DISTINCT FROM NEW.approved_by_id THEN
                        RAISE EXCEPTION 'what a payout is, and how much, never changes'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_payoutchange", ("approved_by_id", "provider_reference", "failure", "key_number")),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Payout {self.pk} of player {self.player_id}"

    @property
    def net_cents(self) -> int:
        """What the winner gets of it."""
        return self.amount_cents - self.withheld_cents

    @property
    def idempotency_key(self) -> str:
        return f"payout:{self.ref}:{self.key_number}"


class PayoutChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("payout", owner="payments_payout.player_id")]

    def __str__(self) -> str:
        return f"Change {self.pk} of payout {self.subject_id}"
