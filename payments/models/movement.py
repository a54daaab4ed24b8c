"""Movements of our balance at a provider, as it lists them: what was charged, refunded, disputed, paid out.

One row for each, written once it is known, and booked in the same transaction. Amounts are in the currency that it was
settled in, which need not be the one that was charged.
"""

from typing import ClassVar

from django.db import models

from config.audit import append_only
from config.clock import ClockTimestamp
from config.words import Words
from payments.models.dispute import Dispute
from payments.models.payout import Payout
from payments.models.receipt import Receipt
from payments.models.refund import Refund


class MovementKind(Words):
    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    PAYOUT = "payout"
    PAYOUT_REVERSAL = "payout_reversal"
    # A prize to its winner's account at the provider, and its coming back.
    TRANSFER = "transfer"
    TRANSFER_REVERSAL = "transfer_reversal"
    OTHER = "other"


class Movement(models.Model):
    provider = models.CharField(max_length=20)
    reference = models.CharField(max_length=255, help_text="The provider's own name: a balance transaction.")
    livemode = models.BooleanField()
    kind = models.CharField(max_length=20, choices=MovementKind)
    category = models.CharField(max_length=60, blank=True, default="", help_text="As the provider calls it.")
    amount_cents = models.BigIntegerField(help_text="Before the fee; negative when money left.")
    fee_cents = models.BigIntegerField()
    net_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    exchange_rate = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, null=True, blank=True, related_name="movements")
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="movements")
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, null=True, blank=True, related_name="movements")
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, null=True, blank=True, related_name="movements")
    occurred_at = models.DateTimeField()
    available_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "reference"], name="movement_reference_unique"),
            models.CheckConstraint(
                condition=models.Q(net_cents=models.F("amount_cents") - models.F("fee_cents")), name="movement_net"
            ),
        ]
        # What a reconciliation of some days compares.
        indexes = [models.Index(fields=["occurred_at"], name="movement_by_time")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"
