"""What is at the provider, or in the bank, and is not these books': another product's charge, another business's line.

The rules of the reconciliation leave alone what stands here as foreign. What lay in the books because of it was moved
to the account `not_ours`; found to be ours after all, it is moved back, and the doubt is open again.
"""

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
from config.words import Words
from payments.ledger.models import JournalEntry
from payments.models.discrepancy import Discrepancy


class ForeignState(Words):
    FOREIGN = "foreign", "Not ours"
    OURS = "ours", "Ours after all"


FOREIGN_TRANSITIONS = {ForeignState.FOREIGN: (ForeignState.OURS,)}


class ForeignObject(HasStatus):
    """`object_key` as a discrepancy names it. `amount_cents` is what was moved off the account, debits positive."""

    object_key = models.CharField(max_length=300)
    discrepancy = models.ForeignKey(Discrepancy, on_delete=models.PROTECT, related_name="foreign_marks")
    status = models.CharField(max_length=10, choices=ForeignState, default=ForeignState.FOREIGN)
    account_kind = models.CharField(max_length=20, blank=True, default="")
    provider = models.CharField(max_length=20, blank=True, default="")
    amount_cents = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True, default="")
    livemode = models.BooleanField(default=False)
    reason = models.CharField(max_length=500)
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    marked_at = models.DateTimeField(db_default=ClockTimestamp())
    entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="foreign_mark",
        help_text="What was booked, if anything lay in the books.",
    )  # fmt: skip
    found_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    found_at = models.DateTimeField(null=True, blank=True)
    found_because = models.CharField(max_length=500, blank=True, default="")

    TRANSITIONS: ClassVar = FOREIGN_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [("mark_foreign", "Can mark money as another business's, and back")]
        constraints = [
            models.UniqueConstraint(
                fields=["object_key"], condition=Q(status=ForeignState.FOREIGN), name="foreign_object_once"
            ),
            models.CheckConstraint(condition=Q(status__in=ForeignState.values), name="foreign_status_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="foreign_has_reason"),
            models.CheckConstraint(
                condition=Q(amount_cents=0, entry__isnull=True) | ~Q(amount_cents=0) & Q(entry__isnull=False),
                name="foreign_money_is_booked",
            ),
            models.CheckConstraint(
                condition=Q(status=ForeignState.FOREIGN, found_by__isnull=True)
                | Q(status=ForeignState.OURS, found_by__isnull=False, found_at__isnull=False) & ~Q(found_because=""),
                name="foreign_found_is_named",
            ),
        ]
        triggers = [
            status_guard(FOREIGN_TRANSITIONS),
            Guard(
                name="foreign_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.object_key, NEW.discrepancy_id, NEW.account_kind, NEW.provider, NEW.amount_cents,
                        NEW.currency, NEW.livemode, NEW.reason, NEW.marked_by_id, NEW.marked_at, NEW.entry_id)
                       IS DISTINCT FROM (OLD.object_key, OLD.discrepancy_id, OLD.account_kind, OLD.provider,
                        OLD.amount_cents, OLD.currency, OLD.livemode, OLD.reason, OLD.marked_by_id, OLD.marked_at,
                        OLD.entry_id) OR OLD.status = 'ours' THEN
                        RAISE EXCEPTION 'what was marked is kept as it was written'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'foreign_stays';
                    END IF;
                    IF NEW.status = 'ours' AND NEW.entry_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM payments_journalentry j WHERE j.reverses_id = NEW.entry_id) THEN
                        RAISE EXCEPTION 'what is ours after all is booked back first'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'foreign_is_booked_back';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="foreign_begins",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.status <> 'foreign' OR NEW.entry_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM payments_journalentry j JOIN payments_posting l ON l.journal_entry_id = j.id
                        JOIN payments_account a ON (a.id, a.kind) = (l.account_id, 'not_ours')
                        WHERE j.id = NEW.entry_id
                        AND (j.source_type, j.source_id) = ('discrepancy', NEW.discrepancy_id::text)
                        AND (j.currency_id, j.livemode, l.amount) = (NEW.currency, NEW.livemode, NEW.amount_cents)) THEN
                        RAISE EXCEPTION 'a mark begins as foreign, with the entry that books it'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'foreign_begins';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_foreignobjectchange"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.object_key


class ForeignObjectChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("foreign_object")]

    def __str__(self) -> str:
        return f"Change {self.pk} of foreign object {self.subject_id}"
