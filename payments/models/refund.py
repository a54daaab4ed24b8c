"""Money on its way back: one row for each refund, whoever asked for it, from the wish to the provider's last word.

requested   waits for a second name
sending     decided and booked; the provider is, or will be, asked. A crash leaves it here
unknown     the provider's answer was lost: only the resolver leaves this state
pending     the provider has it, and it is not final
succeeded   gone; yet it can still come back (`failed`)
failed      not gone, or back again: the money is owed to the player until another refund replaces this one
cancelled   the wish was turned down, or taken back before anything was sent
"""

import uuid
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
from payments.models.receipt import Receipt
from payments.models.webhook_feeds import tells_of_refunds


class RefundState(models.TextChoices):
    REQUESTED = "requested"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RefundOrigin(models.TextChoices):
    """Who wanted it."""

    STAFF = "staff"
    AUTO = "auto", "Automatic"
    CANCELLATION = "cancellation", "Pool cancelled"
    DASHBOARD = "dashboard", "At the provider"


class TakenFrom(models.TextChoices):
    """Whose money it is."""

    PLACE = "place", "The place: its fee leaves pot and house"
    HOUSE = "house", "The house: place and pot stay"
    UNAPPLIED = "unapplied", "Money without a place"
    REPLACED = "replaced", "A refund that failed"
    UNDECIDED = "undecided", "Not decided yet"


_ENDS = (RefundState.SUCCEEDED, RefundState.FAILED, RefundState.CANCELLED)
# Not decided by the provider, and asked about by the sweep.
UNFINISHED = (RefundState.SENDING, RefundState.UNKNOWN, RefundState.PENDING)
# What counts against the receipt: everything that went, may go, or is wished to go.
COUNTED = (RefundState.REQUESTED, *UNFINISHED, RefundState.SUCCEEDED)

REFUND_TRANSITIONS = {
    RefundState.REQUESTED: (RefundState.SENDING, RefundState.CANCELLED),
    RefundState.SENDING: (RefundState.UNKNOWN, RefundState.PENDING, *_ENDS),
    RefundState.UNKNOWN: (RefundState.PENDING, *_ENDS),
    RefundState.PENDING: _ENDS,
    RefundState.SUCCEEDED: (RefundState.FAILED,),
}


class RefundQuerySet(LockedQuerySet["Refund"]):
    def counted(self) -> "RefundQuerySet":
        """Those whose money is gone, or may be."""
        return self.filter(status__in=COUNTED)

    def gone(self) -> "RefundQuerySet":
        """Those whose money has left our balance for good, as far as is known."""
        return self.filter(Q(status=RefundState.SUCCEEDED) | Q(is_paid=True, status__in=UNFINISHED))


class Refund(HasStatus):
    ref = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False, help_text="Our name for it at the provider."
    )
    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="refunds")
    provider = models.CharField(max_length=20)
    livemode = models.BooleanField()
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=RefundState)
    origin = models.CharField(max_length=12, choices=RefundOrigin)
    taken_from = models.CharField(max_length=10, choices=TakenFrom)
    reason = models.CharField(max_length=500, blank=True, default="")
    provider_reference = models.CharField(max_length=255, blank=True, default="")
    key_number = models.PositiveSmallIntegerField(
        default=1, help_text="Part of the idempotency key; grows only after a definitive failure."
    )
    failure = models.CharField(max_length=200, blank=True, default="")
    pending_reason = models.CharField(max_length=40, blank=True, default="")
    is_paid = models.BooleanField(
        default=False, db_default=False, help_text="The provider has taken the money out of our balance."
    )
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replacements",
        help_text="The failed refund whose money this one sends again.",
    )  # fmt: skip
    needs_approval = models.BooleanField(default=False, db_default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the provider was first asked.")
    checked_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = REFUND_TRANSITIONS

    objects = RefundQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("request_refund", "Can ask for a refund"),
            ("approve_refund", "Can approve a refund of another"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_reference"],
                condition=~Q(provider_reference=""),
                name="refund_reference_unique",
            ),
            models.UniqueConstraint(fields=["replaces"], condition=Q(status__in=COUNTED), name="refund_replaced_once"),
            models.CheckConstraint(condition=Q(status__in=RefundState.values), name="refund_status_known"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("requested_by")), name="refund_two_names"
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(status__in=(RefundState.REQUESTED, RefundState.CANCELLED))
                | Q(approved_by__isnull=False),
                name="refund_is_approved",
            ),
            models.CheckConstraint(
                condition=~Q(origin=RefundOrigin.STAFF) | Q(requested_by__isnull=False) & ~Q(reason=""),
                name="refund_of_staff_is_named",
            ),
            models.CheckConstraint(
                condition=Q(replaces__isnull=True) | Q(taken_from=TakenFrom.REPLACED), name="refund_replacement_is_said"
            ),
        ]
        indexes = [
            models.Index(fields=["receipt"], condition=Q(status__in=COUNTED), name="refund_counted"),
            models.Index(fields=["checked_at", "id"], condition=Q(status__in=UNFINISHED), name="refund_unfinished"),
            models.Index(fields=["created_at"], name="refund_by_time"),
            models.Index(fields=["created_at"], condition=Q(status="requested"), name="refund_requested"),
        ]
        triggers = [
            status_guard(REFUND_TRANSITIONS),
            Guard(
                name="within_receipt",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("given", "bigint"), ("came", "record")],
                # The receipt is locked before the look: of two at once, the second sees the first. What the provider
                # has done already is written down in any case.
                func="""
                    SELECT id, amount_cents, currency, livemode, provider INTO came
                        FROM payments_receipt WHERE id = NEW.receipt_id FOR NO KEY UPDATE;
                    IF (came.currency, came.livemode) IS DISTINCT FROM (NEW.currency, NEW.livemode)
                       OR NEW.replaces_id IS NULL AND came.provider <> NEW.provider THEN
                        RAISE EXCEPTION 'a refund is of the currency, mode and provider of its receipt'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_of_its_receipt';
                    END IF;
                    IF NEW.origin = 'dashboard' THEN
                        RETURN NEW;
                    END IF;
                    IF NEW.status NOT IN ('requested', 'sending') THEN
                        RAISE EXCEPTION 'a refund begins as a wish or a decision, not as %', NEW.status
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_begins';
                    END IF;
                    SELECT coalesce(sum(amount_cents), 0) INTO given FROM payments_refund
                        WHERE receipt_id = NEW.receipt_id
                        AND status IN ('requested', 'sending', 'unknown', 'pending', 'succeeded');
                    IF given + NEW.amount_cents > came.amount_cents THEN
                        RAISE EXCEPTION 'refunds of % would exceed receipt %', given + NEW.amount_cents, came.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_within_receipt';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="refund_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.ref, NEW.receipt_id, NEW.provider, NEW.livemode, NEW.amount_cents, NEW.currency, NEW.origin,
                        NEW.replaces_id, NEW.requested_by_id, NEW.needs_approval)
                       IS DISTINCT FROM (OLD.ref, OLD.receipt_id, OLD.provider, OLD.livemode, OLD.amount_cents,
                        OLD.currency, OLD.origin, OLD.replaces_id, OLD.requested_by_id, OLD.needs_approval)
                       OR OLD.taken_from <> NEW.taken_from AND OLD.taken_from <> 'undecided'
                       OR OLD.provider_reference <> '' AND OLD.provider_reference <> NEW.provider_reference
                       OR OLD.is_paid AND NOT NEW.is_paid AND NEW.status <> 'failed' THEN
                        RAISE EXCEPTION 'what a refund is, and how much, never changes'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status(
                "payments_refundchange",
                (
                    "provider_reference",
                    "failure",
                    "pending_reason",
                    "key_number",
                    "taken_from",
                    "is_paid",
                    "approved_by_id",
                ),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Refund {self.pk} of receipt {self.receipt_id}"

    @property
    def idempotency_key(self) -> str:
        return f"refund:{self.ref}:{self.key_number}"


class RefundChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds_status(
                "refund",
                person="""(
                    SELECT q.user_id
                    FROM payments_refund f
                    JOIN payments_receipt r ON r.id = f.receipt_id
                    JOIN payments_payment p ON p.id = r.payment_id
                    JOIN entries_request q ON q.id = p.request_id
                    WHERE f.id = n.subject_id)""",
            ),
            tells_of_refunds(),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of refund {self.subject_id}"
