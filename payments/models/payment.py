"""One attempt to pay for one request: intent first, then the provider's session, then its outcome.

The intent is committed before the provider is called, with its idempotency key; the answer is committed afterwards.
`unknown` means that nobody knows whether the provider did it (a time-out, a crash): only the resolver leaves it.
"""

import uuid
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from entries.models import Request
from payments.models.webhook_feeds import tells_of_payments


class Provider(models.TextChoices):
    """Those that come with the house; which there are in all, `payments.providers` knows."""

    STRIPE = "stripe"
    MANUAL = "manual"


class PaymentState(models.TextChoices):
    INTENT = "intent"
    OPEN = "open"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_STATES = (PaymentState.INTENT, PaymentState.OPEN, PaymentState.PROCESSING, PaymentState.UNKNOWN)
_ENDS = (PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.CANCELLED)

PAYMENT_TRANSITIONS = {
    PaymentState.INTENT: (PaymentState.OPEN, PaymentState.UNKNOWN, *_ENDS),
    PaymentState.OPEN: (PaymentState.PROCESSING, *_ENDS),
    PaymentState.PROCESSING: _ENDS,
    PaymentState.UNKNOWN: (PaymentState.OPEN, PaymentState.PROCESSING, *_ENDS),
    # A session that we gave up can still turn out to be paid: the money is booked, not disputed away.
    PaymentState.CANCELLED: (PaymentState.SUCCEEDED,),
    PaymentState.FAILED: (PaymentState.SUCCEEDED,),
}


class PaymentQuerySet(LockedQuerySet["Payment"]):
    def of(self, user_id: int) -> "PaymentQuerySet":
        return self.filter(request__user_id=user_id)

    def live(self) -> "PaymentQuerySet":
        return self.filter(status__in=LIVE_STATES)


class Payment(HasStatus):
    ref = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="Our name for it at the provider."
    )
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=PaymentState, default=PaymentState.INTENT)
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    livemode = models.BooleanField(default=False)
    provider_reference = models.CharField(max_length=255, blank=True, default="")
    client_secret = models.CharField(max_length=255, blank=True, default="")
    checkout_url = models.TextField(blank=True, default="")
    key_number = models.PositiveSmallIntegerField(
        default=1, help_text="Part of the idempotency key; grows only after a definitive failure."
    )
    failure = models.CharField(max_length=200, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    checked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the provider was last asked for the truth."
    )

    TRANSITIONS: ClassVar = PAYMENT_TRANSITIONS

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("ask_provider", "Can ask the provider again"),
            ("export_reports", "Can export finance reports"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(status__in=LIVE_STATES), name="payment_one_live_per_request"
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_reference"],
                condition=~Q(provider_reference=""),
                name="payment_reference_unique",
            ),
            models.CheckConstraint(condition=Q(status__in=PaymentState.values), name="payment_status_known"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="payment_amount_positive"),
        ]
        indexes = [
            models.Index(
                fields=["checked_at", "id"], condition=Q(status__in=LIVE_STATES), name="payment_live_by_check"
            ),
            models.Index(fields=["created_at"], name="payment_by_time"),
        ]
        triggers = [
            status_guard(PAYMENT_TRANSITIONS),
            Guard(
                name="amount_never_changes",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("request_id", "amount_cents", "currency", "livemode", "provider", "ref"),
                condition=pgtrigger.Condition(
                    "((OLD.request_id, OLD.amount_cents, OLD.currency, OLD.livemode, OLD.provider, OLD.ref)"
                    " IS DISTINCT FROM (NEW.request_id, NEW.amount_cents, NEW.currency,"
                    " NEW.livemode, NEW.provider, NEW.ref))"
                ),
                func="""
                    RAISE EXCEPTION 'what a payment is for, and how much, never changes'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_amount_fixed';
                """,
            ),
            Guard(
                name="success_has_receipt",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),
                # At commit: payment and receipt are written together, the payment first.
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.status = 'succeeded'"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM payments_receipt WHERE payment_id = NEW.id) THEN
                        RAISE EXCEPTION 'payment % succeeded without a receipt', NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_needs_receipt';
                    END IF;
                    RETURN NULL;
                """,
            ),
            *record_status("payments_paymentchange", ("provider_reference", "failure", "key_number")),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Payment {self.pk} for request {self.request_id}"

    @property
    def idempotency_key(self) -> str:
        return f"checkout:{self.ref}:{self.key_number}"


class PaymentChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds_status(
                "payment",
                person="""(
                    SELECT q.user_id
                    FROM payments_payment p
                    JOIN entries_request q ON q.id = p.request_id
                    WHERE p.id = n.subject_id)""",
            ),
            tells_of_payments(),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of payment {self.subject_id}"
