"""What banks say: accounts, the files that came from them, statements, and their lines.

A statement is written once, whole, with all its lines, from a file that is kept. What a line is (a payout of a
provider, money that somebody passed by hand, a fee, another business) is a `BankMatch`, which can be undone.
"""

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
from config.words import Words

LARGEST_FILE = 10 * 1024 * 1024
# In which staff look for a line, by a part of it.
LOOKED_FOR = ("text", "counterparty", "trace_id", "reference")


class BankAccount(models.Model):
    """An account of the house. `layout` says how its bank's CSV files are read; see docs/bank.md."""

    name = models.CharField(max_length=100, unique=True)
    number = models.CharField(max_length=34, unique=True, help_text="IBAN, or the bank's own number, without spaces.")
    currency = models.CharField(max_length=3)
    livemode = models.BooleanField(default=False, help_text="Whether real money lies there.")
    layout = models.JSONField(default=dict, blank=True, help_text="How its bank's CSV files are read.")
    is_active = models.BooleanField(default=True, help_text="Statements are expected of it.")
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(currency__regex=r"^[a-z]{3}$"), name="bank_account_currency"),
            models.CheckConstraint(condition=Q(number__regex=r"^[0-9A-Za-z-]{4,34}$"), name="bank_account_number"),
        ]
        triggers = [
            Guard(
                name="bank_account_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.number, NEW.currency, NEW.livemode)
                       IS DISTINCT FROM (OLD.number, OLD.currency, OLD.livemode)
                       AND EXISTS (SELECT 1 FROM payments_bankstatement WHERE account_id = OLD.id) THEN
                        RAISE EXCEPTION 'an account with statements keeps its number, currency and mode'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_account_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.name


class BankFormat(Words):
    CSV = "csv", "CSV"
    CAMT053 = "camt053", "CAMT.053"


class BankFile(models.Model):
    """A file as the bank made it, kept for whoever wants to see what was really in it."""

    name = models.CharField(max_length=200)
    format = models.CharField(max_length=10, choices=BankFormat)
    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveIntegerField()
    content = models.BinaryField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0, size__lte=LARGEST_FILE), name="bank_file_size"),
            models.CheckConstraint(condition=Q(format__in=BankFormat.values), name="bank_file_format"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.name


class BankStatement(models.Model):
    """One statement of one account. `is_stated`: the bank says the balances itself; else they are worked out."""

    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="statements")
    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="statements")
    reference = models.CharField(max_length=100, help_text="The bank's own name for it, or made of its days.")
    first_on = models.DateField()
    last_on = models.DateField()
    opening_cents = models.BigIntegerField()
    closing_cents = models.BigIntegerField()
    is_stated = models.BooleanField()
    line_count = models.PositiveIntegerField()
    lines_cents = models.BigIntegerField(help_text="What all lines come to.")
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["-last_on", "-id"]
        permissions: ClassVar = [
            ("import_statement", "Can import a bank statement"),
            ("match_bank_line", "Can say what a line of a bank statement is"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "reference"], name="bank_statement_unique"),
            models.CheckConstraint(
                condition=Q(closing_cents=F("opening_cents") + F("lines_cents")), name="bank_statement_adds_up"
            ),
            models.CheckConstraint(condition=Q(first_on__lte=F("last_on")), name="bank_statement_days"),
        ]
        triggers = [
            Guard(
                name="bank_statement_whole",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                declare=[("has", "record")],
                func="""
                    SELECT count(*) AS lines, coalesce(sum(amount_cents), 0) AS cents INTO has
                        FROM payments_bankline WHERE statement_id = NEW.id;
                    IF (has.lines, has.cents) IS DISTINCT FROM (NEW.line_count::bigint, NEW.lines_cents::numeric) THEN
                        RAISE EXCEPTION 'statement % has % lines of %', NEW.id, has.lines, has.cents
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_statement_whole';
                    END IF;
                    RETURN NULL;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"Statement {self.reference}"

    @property
    def key(self) -> str:
        """What discrepancies about it are called."""
        return f"bank_statement:{self.pk}"


class BankLineState(Words):
    WAITING = "waiting"
    MATCHED = "matched"


BANK_LINE_TRANSITIONS = {
    BankLineState.WAITING: (BankLineState.MATCHED,),
    BankLineState.MATCHED: (BankLineState.WAITING,),
}


class BankLine(HasStatus):
    """Money that came into an account or (negative) left it. `reference` is the bank's, or made of what it says."""

    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="lines", db_index=False)
    reference = models.CharField(max_length=100)
    booked_on = models.DateField()
    value_on = models.DateField(null=True, blank=True)
    amount_cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    text = models.CharField(max_length=500, blank=True, default="")
    counterparty = models.CharField(max_length=200, blank=True, default="")
    trace_id = models.CharField(max_length=140, blank=True, default="", help_text="What the sender called it.")
    status = models.CharField(max_length=10, choices=BankLineState, default=BankLineState.WAITING)

    TRANSITIONS: ClassVar = BANK_LINE_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-booked_on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "reference"], name="bank_line_unique"),
            models.CheckConstraint(condition=Q(status__in=BankLineState.values), name="bank_line_status"),
            models.CheckConstraint(condition=~Q(amount_cents=0), name="bank_line_amount"),
        ]
        indexes = [
            models.Index(
                fields=["account", "booked_on"], condition=Q(status=BankLineState.WAITING), name="bank_line_waiting"
            ),
            models.Index(
                fields=["currency", "amount_cents", "booked_on"],
                condition=Q(status=BankLineState.WAITING),
                name="bank_line_sought",
            ),
            models.Index(fields=["-booked_on", "-id"], name="bank_line_newest"),
            # By any three letters in a row, of whichever of them.
            GinIndex(*(OpClass(Upper(name), name="gin_trgm_ops") for name in LOOKED_FOR), name="bank_line_letters"),
        ]
        triggers = [
            status_guard(BANK_LINE_TRANSITIONS),
            Guard(
                name="bank_line_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((to_jsonb(OLD) - 'status') IS DISTINCT FROM (to_jsonb(NEW) - 'status'))"
                ),
                func="""
                    RAISE EXCEPTION 'what a bank said is kept as it said it'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_line_stays';
                """,
            ),
            Guard(
                name="bank_line_matched_whole",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),
                declare=[("found", "numeric")],
                func="""
                    SELECT coalesce(sum(amount_cents), 0) INTO found
                        FROM payments_bankmatch WHERE line_id = NEW.id AND undone_at IS NULL;
                    IF (NEW.status = 'matched' AND found <> NEW.amount_cents)
                       OR (NEW.status <> 'matched' AND found <> 0) THEN
                        RAISE EXCEPTION 'line % of % is matched with %', NEW.id, NEW.amount_cents, found
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_line_matched_whole';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="bank_lines_whole",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                # One statement of SQL writes all lines of a bank's statement; none is added later.
                func="""
                    IF EXISTS (
                        SELECT 1 FROM (
                            SELECT statement_id, count(*) AS lines, sum(amount_cents) AS cents,
                                   min(account_id) AS first, max(account_id) AS last, min(currency) AS currency,
                                   bool_and(status = 'waiting') AS is_new
                            FROM new_rows GROUP BY statement_id
                        ) n
                        JOIN payments_bankstatement s ON s.id = n.statement_id
                        JOIN payments_bankaccount a ON a.id = s.account_id
                        WHERE (n.lines, n.cents, n.first, n.last, n.currency, n.is_new)
                            IS DISTINCT FROM
                            (s.line_count::bigint, s.lines_cents::numeric, a.id, a.id, a.currency, true)
                    ) THEN
                        RAISE EXCEPTION 'lines are written with their statement, all of them'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_lines_whole';
                    END IF;
                    RETURN NULL;
                """,
            ),
            *record_status("payments_banklinechange"),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Line {self.reference}"

    @property
    def key(self) -> str:
        """What discrepancies about it are called."""
        return f"bank_line:{self.pk}"


class BankLineChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("bank_line")]

    def __str__(self) -> str:
        return f"Change {self.pk} of bank line {self.subject_id}"
