"""Money that nobody will find: written off by one person's wish and another's word, and booked.

requested   waits for a second name; nothing is booked
approved    booked as a loss (or a gain) of the house; its discrepancy is closed
declined    turned down, or taken back
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
from config.words import Words
from payments.ledger.models import JournalEntry
from payments.models.discrepancy import Discrepancy


class WriteOffState(Words):
    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"


WRITE_OFF_TRANSITIONS = {WriteOffState.REQUESTED: (WriteOffState.APPROVED, WriteOffState.DECLINED)}
# Of these a discrepancy has one at most.
STANDING = (WriteOffState.REQUESTED, WriteOffState.APPROVED)


class WriteOff(HasStatus):
    """`amount_cents` is what lies on the account that it clears, debits positive: more than nothing is a loss."""

    discrepancy = models.ForeignKey(Discrepancy, on_delete=models.PROTECT, related_name="write_offs")
    account_kind = models.CharField(max_length=20, help_text="The kind of the account that it clears.")
    provider = models.CharField(max_length=20, blank=True, default="")
    amount_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    livemode = models.BooleanField()
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=10, choices=WriteOffState, default=WriteOffState.REQUESTED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True, default="")
    entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="write_off",
        help_text="What was booked.",
    )  # fmt: skip

    TRANSITIONS: ClassVar = WRITE_OFF_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        verbose_name = "write-off"
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("request_writeoff", "Can ask for a write-off"),
            ("approve_writeoff", "Can approve a write-off of another"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["discrepancy"], condition=Q(status__in=STANDING), name="write_off_once"),
            models.CheckConstraint(condition=Q(status__in=WriteOffState.values), name="write_off_status_known"),
            models.CheckConstraint(condition=~Q(amount_cents=0), name="write_off_of_something"),
            models.CheckConstraint(condition=~Q(reason=""), name="write_off_has_reason"),
            models.CheckConstraint(
                condition=~Q(status=WriteOffState.APPROVED)
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decided_by=F("requested_by")),
                name="write_off_two_names",
            ),
            models.CheckConstraint(
                condition=Q(status=WriteOffState.APPROVED, entry__isnull=False)
                | ~Q(status=WriteOffState.APPROVED) & Q(entry__isnull=True),
                name="write_off_is_booked",
            ),
        ]
        triggers = [
            status_guard(WRITE_OFF_TRANSITIONS),
            Guard(
                name="write_off_begins",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.status <> 'requested' THEN
                        RAISE EXCEPTION 'a write-off begins as a wish, not as %', NEW.status
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_begins';
                    END IF;
                    IF NOT EXISTS (SELECT 1 FROM payments_discrepancy d WHERE d.id = NEW.discrepancy_id
                                   AND d.status IN ('open', 'acknowledged')) THEN
                        RAISE EXCEPTION 'discrepancy % is closed', NEW.discrepancy_id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_of_an_open_one';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="write_off_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.discrepancy_id, NEW.account_kind, NEW.provider, NEW.amount_cents, NEW.currency,
                        NEW.livemode, NEW.reason, NEW.requested_by_id, NEW.requested_at)
                       IS DISTINCT FROM (OLD.discrepancy_id, OLD.account_kind, OLD.provider, OLD.amount_cents,
                        OLD.currency, OLD.livemode, OLD.reason, OLD.requested_by_id, OLD.requested_at)
                       OR OLD.status <> 'requested' AND (NEW.decided_by_id, NEW.decided_at, NEW.decision_reason,
                        NEW.entry_id) IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at, OLD.decision_reason,
                        OLD.entry_id) THEN
                        RAISE EXCEPTION 'what was asked for and decided is kept as it was written'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_stays';
                    END IF;
                    IF NEW.entry_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM payments_journalentry j JOIN payments_posting l ON l.journal_entry_id = j.id
                        JOIN payments_account a ON (a.id, a.kind) = (l.account_id, 'write_offs')
                        WHERE j.id = NEW.entry_id
                        AND (j.source_type, j.source_id) = ('discrepancy', NEW.discrepancy_id::text)
                        AND (j.currency_id, j.livemode, l.amount) = (NEW.currency, NEW.livemode, NEW.amount_cents)) THEN
                        RAISE EXCEPTION 'entry % does not book write-off %', NEW.entry_id, NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'write_off_of_its_entry';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_writeoffchange"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Write-off {self.pk} of discrepancy {self.discrepancy_id}"


class WriteOffChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("write_off")]

    def __str__(self) -> str:
        return f"Change {self.pk} of write-off {self.subject_id}"
