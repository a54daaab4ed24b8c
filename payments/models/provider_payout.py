"""Payouts of a provider to our bank, and which movements of the balance each of them took along.

Amounts are of the provider's own currency of settlement. One below nothing took money from the bank.
"""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from config.words import Words
from payments.models.movement import Movement


class ProviderPayoutState(Words):
    UNDER_WAY = "under_way"
    PAID = "paid"
    # It came back, or never went: what it took along is in the balance again.
    FAILED = "failed"


PROVIDER_PAYOUT_TRANSITIONS = {
    ProviderPayoutState.UNDER_WAY: (ProviderPayoutState.PAID, ProviderPayoutState.FAILED),
    # A bank may send back what the provider has long called paid.
    ProviderPayoutState.PAID: (ProviderPayoutState.FAILED,),
}


class ProviderPayout(HasStatus):
    """`listed_count` and `listed_cents` are what the provider lists of it; empty until it was asked for its items."""

    provider = models.CharField(max_length=20)
    reference = models.CharField(max_length=255, help_text="The provider's own name for it.")
    livemode = models.BooleanField()
    amount_cents = models.BigIntegerField(help_text="What the bank gets; below nothing, what it gives.")
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=ProviderPayoutState)
    arrives_on = models.DateField(help_text="When the provider expects it at the bank.")
    trace_id = models.CharField(
        max_length=140, blank=True, default="", help_text="What the bank's statement should show, where it is known."
    )
    failure = models.CharField(max_length=200, blank=True, default="")
    is_automatic = models.BooleanField(
        default=True, db_default=True, help_text="Of one made by hand nobody can say which movements it took along."
    )
    is_itemised = models.BooleanField(
        default=False, db_default=False, help_text="The provider has worked out which movements it took along."
    )
    listed_count = models.PositiveIntegerField(null=True, blank=True)
    listed_cents = models.BigIntegerField(null=True, blank=True)
    items_read_at = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField(null=True, blank=True, help_text="The provider's instant.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the provider was last asked about it.")
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    TRANSITIONS: ClassVar = PROVIDER_PAYOUT_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "reference"], name="provider_payout_unique"),
            models.CheckConstraint(condition=Q(status__in=ProviderPayoutState.values), name="provider_payout_status"),
            models.CheckConstraint(condition=~Q(amount_cents=0), name="provider_payout_amount"),
        ]
        indexes = [
            models.Index(fields=["currency", "amount_cents", "arrives_on"], name="provider_payout_sought"),
            models.Index(
                fields=["made_at"], condition=Q(is_automatic=True, items_read_at=None), name="provider_payout_unread"
            ),
        ]
        triggers = [
            status_guard(PROVIDER_PAYOUT_TRANSITIONS),
            Guard(
                name="provider_payout_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.provider, NEW.reference, NEW.livemode, NEW.amount_cents, NEW.currency)
                       IS DISTINCT FROM (OLD.provider, OLD.reference, OLD.livemode, OLD.amount_cents, OLD.currency) THEN
                        RAISE EXCEPTION 'what a payout is, and how much, never changes'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'provider_payout_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_providerpayoutchange", ("trace_id", "arrives_on", "failure")),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Payout {self.reference}"

    @property
    def key(self) -> str:
        """What discrepancies about it are called."""
        return payout_key(self.provider, self.reference)


def payout_key(provider: str, reference: str) -> str:
    """What discrepancies about a payout are called."""
    return f"payout:{provider}:{reference}"


class ProviderPayoutChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("provider_payout")]

    def __str__(self) -> str:
        return f"Change {self.pk} of payout {self.subject_id}"


class ProviderPayoutItem(models.Model):
    """One movement that a payout took along; no movement goes with two of them."""

    payout = models.ForeignKey(ProviderPayout, on_delete=models.PROTECT, related_name="items")
    movement = models.OneToOneField(Movement, on_delete=models.PROTECT, related_name="payout_item")
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            Guard(
                name="payout_item_fits",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM payments_providerpayout p JOIN payments_movement m ON m.id = NEW.movement_id
                        WHERE p.id = NEW.payout_id
                        AND (p.provider, p.livemode, p.currency) = (m.provider, m.livemode, m.currency)) THEN
                        RAISE EXCEPTION 'an item is of the provider, mode and currency of its payout'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_item_fits';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.movement_id} of payout {self.payout_id}"
