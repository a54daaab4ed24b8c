"""What was handed over to the programs of the accountants: which account of ours is which of theirs, and batches.

A batch is a file of journals, made once and kept as it was made. What it has of each day stands in a row of its own:
the lines of the journal after one number, through another. No two batches that hold have the same part of a day.
"""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.audit import (
    ACTOR_SQL,
    REASON_SQL,
    Change,
    StatusChange,
    append_only,
    feeds,
    feeds_status,
    never_deleted,
    record_status,
)
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from config.words import Words
from payments.ledger.accounts import Kind

# Neither a formula for whoever opens the file in a spreadsheet, nor a second line in it.
EXTERNAL_NAME = r"^[^\s=+@＝＋－＠-][^\r\n\t]*$"


class AccountingSystem(Words):
    QUICKBOOKS = "quickbooks", "QuickBooks Online"
    XERO = "xero", "Xero"


class BatchState(Words):
    """`withdrawn`: it was never imported there, and its days are exported anew."""

    MADE = "made"
    WITHDRAWN = "withdrawn"


BATCH_TRANSITIONS = {BatchState.MADE: (BatchState.WITHDRAWN,)}


class AccountMapping(models.Model):
    """Which account of theirs a kind of ours is: for all providers and currencies, or for the one that is named."""

    system = models.CharField(max_length=12, choices=AccountingSystem)
    kind = models.CharField("our account", max_length=20, choices=Kind)
    provider = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="Of this provider only; empty: of all."
    )
    currency = models.CharField(
        max_length=3, blank=True, default="", db_default="", help_text="In this currency only; empty: in all."
    )
    account = models.CharField(
        "their account",
        max_length=150,
        help_text="QuickBooks: its name with its parents, Liabilities:Prize pots. Xero: its code, such as 820.",
    )
    tax_rate = models.CharField(
        max_length=50, blank=True, default="Tax Exempt", help_text="Xero wants one, as it is called there."
    )

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["system", "kind", "provider", "currency"]
        constraints = [
            models.UniqueConstraint(
                fields=["system", "kind", "provider", "currency"],
                name="account_mapping_once",
                violation_error_message="There is one for this already.",
            ),
            models.CheckConstraint(condition=Q(system__in=AccountingSystem.values), name="account_mapping_system"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="account_mapping_kind"),
            models.CheckConstraint(
                condition=Q(account__regex=EXTERNAL_NAME),
                name="account_mapping_account",
                violation_error_message="Must not begin like a formula, nor have more than one line.",
            ),
            models.CheckConstraint(
                condition=Q(tax_rate="", system=AccountingSystem.QUICKBOOKS) | Q(tax_rate__regex=EXTERNAL_NAME),
                name="account_mapping_tax_rate",
                violation_error_message="Xero wants a tax rate; it must not begin like a formula.",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^([a-z]{3})?$"), name="account_mapping_currency"),
        ]
        triggers = [
            Guard(
                name="record_mapping",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    INSERT INTO payments_accountmappingchange (before, after, at, actor_id, reason)
                    VALUES (CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
                            CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END,
                            clock_timestamp(), {ACTOR_SQL}, {REASON_SQL});
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        of = " ".join(part for part in (self.provider, self.currency.upper()) if part)
        return f"{self.get_system_display()}: {Kind(self.kind).label}{f' of {of}' if of else ''} is {self.account}"


class AccountMappingChange(Change):
    """Who mapped what, and how it was before."""

    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds("account_mapping", verb="'changed'", subject="coalesce(n.after, n.before) ->> 'id'"),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of the mapping"


class JournalBatch(HasStatus):
    """One file for one system: the sums of each day not exported before, through `through_day`.

    `totals` is currency → debits, credits, lines and journals; `mapping` is what it was made with.
    """

    system = models.CharField(max_length=12, choices=AccountingSystem)
    number = models.PositiveIntegerField(help_text="Of this system and mode, from 1 on.")
    livemode = models.BooleanField()
    status = models.CharField(max_length=10, choices=BatchState, default=BatchState.MADE)
    first_day = models.DateField()
    through_day = models.DateField()
    as_of_posting = models.BigIntegerField(help_text="The last line of the journal when it was made.")
    lines = models.PositiveIntegerField()
    totals = models.JSONField()
    mapping = models.JSONField()
    file_name = models.CharField(max_length=100)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    code_version = models.CharField(max_length=60, blank=True, default="")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(db_default=ClockTimestamp())
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = BATCH_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "journal batches"
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("make_journalbatch", "Can export journals to accounting"),
            ("withdraw_journalbatch", "Can withdraw a journal batch of another"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["system", "livemode", "number"], name="journal_batch_number"),
            models.CheckConstraint(condition=Q(system__in=AccountingSystem.values), name="journal_batch_system"),
            models.CheckConstraint(condition=Q(status__in=BatchState.values), name="journal_batch_status_known"),
            models.CheckConstraint(condition=Q(first_day__lte=F("through_day")), name="journal_batch_days"),
            models.CheckConstraint(condition=Q(size__gt=0, lines__gt=0), name="journal_batch_not_empty"),
            models.CheckConstraint(
                condition=Q(status=BatchState.MADE, withdrawn_by__isnull=True, withdrawn_at__isnull=True)
                | Q(status=BatchState.WITHDRAWN, withdrawn_by__isnull=False, withdrawn_at__isnull=False),
                name="journal_batch_withdrawn_when",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_by__isnull=True) | Q(made_by__isnull=True) | ~Q(withdrawn_by=F("made_by")),
                name="journal_batch_two_names",
            ),
        ]
        triggers = [
            status_guard(BATCH_TRANSITIONS),
            Guard(
                name="journal_batch_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (to_jsonb(NEW) - ARRAY['status', 'withdrawn_by_id', 'withdrawn_at'])
                       IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['status', 'withdrawn_by_id', 'withdrawn_at']) THEN
                        RAISE EXCEPTION 'a batch stays as it was made'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_batch_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_journalbatchchange"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        mode = "" if self.livemode else " of tests"
        return f"{AccountingSystem(self.system).label} batch {self.number}{mode}"


class JournalBatchChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("journal_batch")]

    def __str__(self) -> str:
        return f"Change {self.pk} of batch {self.subject_id}"


class JournalBatchDay(models.Model):
    """What a batch has of one day: its lines after `after_posting`, through `through_posting`."""

    batch = models.ForeignKey(JournalBatch, on_delete=models.PROTECT, related_name="days")
    system = models.CharField(max_length=12, choices=AccountingSystem)
    livemode = models.BooleanField()
    day = models.DateField()
    part = models.PositiveIntegerField(help_text="How many batches have something of this day, this one included.")
    after_posting = models.BigIntegerField()
    through_posting = models.BigIntegerField()
    holds = models.BooleanField(default=True, db_default=True, help_text="False once its batch is withdrawn.")

    class Meta:
        ordering: ClassVar = ["day"]
        constraints = [
            # Two at once would both begin after the same line: one of them is refused.
            models.UniqueConstraint(
                fields=["system", "livemode", "day", "after_posting"], condition=Q(holds=True), name="batch_day_once"
            ),
            models.CheckConstraint(
                condition=Q(after_posting__gte=0, through_posting__gt=F("after_posting")), name="batch_day_forward"
            ),
        ]
        triggers = [
            Guard(
                name="batch_day_follows",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                # The batches of a system and mode are numbered, so that whoever makes one waits for the one before.
                func="""
                    IF NOT EXISTS (SELECT 1 FROM payments_journalbatch WHERE id = NEW.batch_id
                                   AND (system, livemode) = (NEW.system, NEW.livemode) AND status = 'made') THEN
                        RAISE EXCEPTION 'a day is of its own batch, which holds'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_day_of_its_batch';
                    END IF;
                    IF NEW.after_posting <> (
                        SELECT coalesce(max(through_posting), 0) FROM payments_journalbatchday
                        WHERE (system, livemode, day, holds) = (NEW.system, NEW.livemode, NEW.day, true)) THEN
                        RAISE EXCEPTION 'a batch goes on where the day was exported to'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_day_follows';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="batch_day_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (to_jsonb(NEW) - 'holds') IS DISTINCT FROM (to_jsonb(OLD) - 'holds') OR NEW.holds
                       OR EXISTS (SELECT 1 FROM payments_journalbatch WHERE id = NEW.batch_id AND status = 'made') THEN
                        RAISE EXCEPTION 'what was exported of a day stays, unless its batch is withdrawn'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_day_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.day} of batch {self.batch_id}"
