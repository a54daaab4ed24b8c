"""Money that really arrived: one row per successful charge, whatever became of the place it was meant for."""

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
from entries.models import Entry
from payments.models.payment import Payment


class ReceiptState(Words):
    """`returning`: what is left of it is decided to go back; `charged_back`: a lost dispute took it."""

    ALLOCATED = "allocated"
    UNAPPLIED = "unapplied"
    RETURNING = "returning"
    RETURNED = "returned"
    CHARGED_BACK = "charged_back"


_AWAY = (ReceiptState.RETURNING, ReceiptState.RETURNED, ReceiptState.CHARGED_BACK)
RECEIPT_TRANSITIONS = {
    ReceiptState.UNAPPLIED: (ReceiptState.ALLOCATED, *_AWAY),
    ReceiptState.ALLOCATED: _AWAY,
    # Back to unapplied when the refund was never sent.
    ReceiptState.RETURNING: (ReceiptState.UNAPPLIED, ReceiptState.RETURNED, ReceiptState.CHARGED_BACK),
    # A refund can fail days after it succeeded.
    ReceiptState.RETURNED: (ReceiptState.RETURNING, ReceiptState.CHARGED_BACK),
    # A dispute that was lost can be won on appeal: then it is what it was before, or nobody's.
    ReceiptState.CHARGED_BACK: (ReceiptState.ALLOCATED, ReceiptState.UNAPPLIED, ReceiptState.RETURNED),
}


class Receipt(HasStatus):
    """`unapplied` money belongs to nobody's place yet: staff see it in a list until it is applied or returned."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="receipts")
    provider = models.CharField(max_length=20)
    charge_id = models.CharField(max_length=255)
    livemode = models.BooleanField(default=False)
    amount_cents = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=12, choices=ReceiptState)
    entry = models.ForeignKey(
        Entry,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="receipts",
        help_text="The entry that it paid for, or brought back.",
    )
    unapplied_because = models.CharField(max_length=40, blank=True, default="")
    source = models.CharField(max_length=20, help_text="Who brought the news: webhook, return_page, sweep, admin.")
    received_at = models.DateTimeField(help_text="The provider's instant of the charge.")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    is_fee_known = models.BooleanField(
        default=False, db_default=False, help_text="The provider has told what it kept; until then it is asked."
    )
    checked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the provider was last asked what became of the charge."
    )

    TRANSITIONS: ClassVar = RECEIPT_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "charge_id"], name="receipt_charge_unique"),
            models.CheckConstraint(condition=Q(status__in=ReceiptState.values), name="receipt_status_known"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="receipt_amount_positive"),
            models.CheckConstraint(
                condition=~Q(status=ReceiptState.ALLOCATED) | Q(entry__isnull=False), name="receipt_allocated_has_entry"
            ),
            models.CheckConstraint(
                condition=~Q(status=ReceiptState.UNAPPLIED) | Q(entry__isnull=True) & ~Q(unapplied_because=""),
                name="receipt_unapplied_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["checked_at", "id"], condition=Q(is_fee_known=False), name="receipt_fee_unknown"),
            models.Index(fields=["received_at"], name="receipt_by_time"),
            # Few among very many, and asked for on the first page of the back office.
            models.Index(fields=["received_at"], condition=Q(status="unapplied"), name="receipt_unapplied"),
        ]
        triggers = [
            status_guard(RECEIPT_TRANSITIONS),
            Guard(
                name="money_never_changes",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.payment_id, OLD.provider, OLD.charge_id, OLD.livemode, OLD.amount_cents, OLD.currency)"
                    " IS DISTINCT FROM"
                    " (NEW.payment_id, NEW.provider, NEW.charge_id, NEW.livemode, NEW.amount_cents, NEW.currency))"
                ),
                func="""
                    RAISE EXCEPTION 'a receipt is never edited'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_fixed';
                """,
            ),
            Guard(
                name="pays_its_own_request",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("entry_id"),
                declare=[("asked", "bigint")],
                # The request is locked before the look: of two receipts at once, the second one sees the first.
                func="""
                    IF NOT EXISTS (SELECT 1 FROM payments_payment p WHERE p.id = NEW.payment_id
                                   AND (p.provider, p.livemode) = (NEW.provider, NEW.livemode)) THEN
                        RAISE EXCEPTION 'a receipt is of the same provider and mode as its payment'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_of_its_payment';
                    END IF;
                    IF NEW.entry_id IS NULL THEN
                        RETURN NEW;
                    END IF;
                    SELECT request_id INTO asked FROM payments_payment WHERE id = NEW.payment_id;
                    PERFORM 1 FROM entries_request WHERE id = asked FOR NO KEY UPDATE;
                    IF NOT EXISTS (SELECT 1 FROM entries_entry WHERE id = NEW.entry_id AND request_id = asked)
                       AND NOT EXISTS (SELECT 1 FROM entries_reprieve
                                       WHERE entry_id = NEW.entry_id AND request_id = asked) THEN
                        RAISE EXCEPTION 'money pays the entry of the request it was paid for'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_of_its_request';
                    END IF;
                    IF EXISTS (SELECT 1 FROM payments_receipt t JOIN payments_payment p ON p.id = t.payment_id
                               WHERE p.request_id = asked AND t.entry_id IS NOT NULL AND t.id <> NEW.id) THEN
                        RAISE EXCEPTION 'request % is paid by another receipt', asked
                            USING ERRCODE = 'unique_violation', CONSTRAINT = 'receipt_one_per_request';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="manual_money_is_confirmed",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.provider = 'manual'"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM payments_manualrecord m
                                   WHERE m.payment_id = NEW.payment_id AND m.status = 'confirmed'
                                   AND (m.amount_cents, m.currency) = (NEW.amount_cents, NEW.currency)) THEN
                        RAISE EXCEPTION 'money by hand counts once two people have signed for it'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_of_two_names';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_receiptchange", ("entry_id", "unapplied_because")),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Receipt {self.charge_id}"


class ReceiptChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds_status(
                "receipt",
                person="""(
                    SELECT q.user_id
                    FROM payments_receipt r
                    JOIN payments_payment p ON p.id = r.payment_id
                    JOIN entries_request q ON q.id = p.request_id
                    WHERE r.id = n.subject_id)""",
            ),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of receipt {self.subject_id}"
