"""The four tables of the ledger. What PostgreSQL refuses, whoever asks:

* an entry without lines, at commit, and lines that do not add up to nothing, at once: one statement writes all lines
  of an entry (`journal_balanced`);
* a line added later to an entry that is committed, even if it stays balanced (`journal_sealed`);
* a change, a deletion or a truncation of any row (`append_only`);
* a line in another currency or mode than its entry or its account (foreign keys of three columns);
* the same event of the same thing twice (`journal_source_unique`), and a line of nothing.
"""

from typing import TYPE_CHECKING, Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.audit import ACTOR_SETTING, append_only
from config.clock import ClockTimestamp
from config.pages.changes import tells_pages
from config.triggers import Guard
from config.words import spoken
from payments.ledger.accounts import CHART, Kind
from pools.models import Pool

# The largest whole number that every program that reads JSON keeps exactly.
LARGEST = 2**53 - 1


if TYPE_CHECKING:
    _WholeNumberField = models.BigIntegerField[Any, Any]
else:
    _WholeNumberField = models.BigIntegerField


class TransactionIdField(_WholeNumberField):
    """PostgreSQL's `xid8`: the transaction that wrote the row; it is never used again."""

    def db_type(self, connection: Any) -> str:
        return "xid8"


class CurrentTransaction(models.Func):
    """The transaction itself, whatever savepoint it is in."""

    template = "pg_current_xact_id()"
    arity = 0
    output_field = TransactionIdField()


class CurrentActor(models.Func):
    """Who acts, as `config.audit.attribute` said; NULL for the system."""

    template = f"(nullif(current_setting('{ACTOR_SETTING}', true), '')::bigint)"
    arity = 0
    output_field = models.BigIntegerField()


class AccountKey(models.Func):
    """Everything that names an account, as one text: what is looked up, also among a million players' accounts."""

    template = (
        "(kind || '/' || currency_id || '/' || livemode::text || '/' || coalesce(pool_id::text, '')"
        " || '/' || coalesce(player_id::text, '') || '/' || provider)"
    )
    arity = 0
    output_field = models.TextField()


class Currency(models.Model):
    """A currency of ISO 4217, with how it is counted here."""

    code = models.CharField(max_length=3, primary_key=True)
    exponent = models.PositiveSmallIntegerField(help_text="How many decimal places: 0, 2 or 3.")

    class Meta:
        verbose_name_plural = "currencies"
        ordering: ClassVar = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[a-z]{3}$"), name="currency_code"),
            models.CheckConstraint(condition=Q(exponent__in=(0, 2, 3)), name="currency_exponent"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.code.upper()


class Account(models.Model):
    """One account of the chart, in one currency and one mode, of its pool, player or provider."""

    kind = models.CharField(max_length=20, choices=Kind)
    normal_side = models.SmallIntegerField(help_text="1: grows with debits; -1: with credits.")
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="+", db_index=False)
    livemode = models.BooleanField()
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    player = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    provider = models.CharField(max_length=20, blank=True, default="", db_default="")
    key = models.GeneratedField(expression=AccountKey(), output_field=models.TextField(), db_persist=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="account_unique"),
            # What the lines' foreign key of three columns points at.
            models.UniqueConstraint(fields=["id", "currency", "livemode"], name="account_key"),
            models.CheckConstraint(
                condition=Q(
                    *(
                        Q(
                            kind=kind,
                            normal_side=int(meaning.side),
                            pool__isnull=not meaning.of_pool,
                            player__isnull=not meaning.of_player,
                        )
                        & (~Q(provider="") if meaning.of_provider else Q(provider=""))
                        for kind, meaning in CHART.items()
                    ),
                    _connector=Q.OR,
                ),
                name="account_of_the_chart",
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{Kind(self.kind).label}, {self.currency_id.upper()}"


class JournalEntry(models.Model):
    """One event of one thing: what moved, when it counts, when it was written, and by whom."""

    source_type = models.CharField(max_length=20)
    source_id = models.CharField(max_length=300)
    event = models.CharField(max_length=30)
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="+", db_index=False)
    livemode = models.BooleanField()
    effective_at = models.DateTimeField(help_text="When it happened, as far as the world is concerned.")
    finance_date = models.DateField(
        help_text="The day of that instant in the finance zone; the first open one, where its month was closed already."
    )
    posted_at = models.DateTimeField(db_default=ClockTimestamp())
    actor_id = models.BigIntegerField(null=True, blank=True, db_default=CurrentActor())
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by")
    memo = models.CharField(max_length=300, blank=True, default="", db_default="")
    txid = TransactionIdField(db_default=CurrentTransaction(), editable=False)

    class Meta:
        verbose_name_plural = "journal entries"
        ordering: ClassVar = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["source_type", "source_id", "event"], name="journal_source_unique"),
            models.UniqueConstraint(fields=["id", "currency", "livemode"], name="journal_key"),
        ]
        indexes = [
            models.Index(fields=["posted_at"], name="journal_posted_at"),
            models.Index(fields=["finance_date", "id"], name="journal_finance_date"),
        ]
        triggers = [
            Guard(
                name="journal_balanced",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                # What the lines come to is their own guard's business. There are two or more: no line is of nothing.
                func="""
                    IF NEW.txid <> pg_current_xact_id() THEN
                        RAISE EXCEPTION 'entry % names another transaction than its own', NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_sealed';
                    END IF;
                    IF NOT EXISTS (SELECT 1 FROM payments_posting WHERE journal_entry_id = NEW.id) THEN
                        RAISE EXCEPTION 'entry % has no lines', NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_balanced';
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="journal_period_open",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                # Who closes a month waits for all who write here, and they for him: none slips in between.
                func="""
                    IF EXISTS (
                        SELECT 1 FROM new_rows WHERE finance_date <=
                            (SELECT max(last_day) FROM payments_periodclose WHERE status = 'closed')
                    ) THEN
                        RAISE EXCEPTION 'an entry belongs into the first open day, not into a closed month'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_period_open';
                    END IF;
                    RETURN NULL;
                """,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.source_type} {self.source_id}: {spoken(self.event)}"


class Posting(models.Model):
    """One line of an entry. Debits are positive. Its references are foreign keys of three columns, made by hand."""

    id = models.BigAutoField(primary_key=True)
    journal_entry = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, related_name="postings", db_constraint=False
    )
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="postings", db_constraint=False, db_index=False
    )
    currency = models.ForeignKey(
        Currency, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    livemode = models.BooleanField()
    amount = models.BigIntegerField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(amount=0) & Q(amount__gte=-LARGEST, amount__lte=LARGEST), name="posting_amount"
            ),
        ]
        indexes = [models.Index(F("account"), F("id"), include=["amount", "journal_entry"], name="posting_of_account")]
        triggers = [
            Guard(
                name="journal_sealed",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                declare=[("first", "bigint"), ("last", "bigint"), ("total", "numeric")],
                # At once, and not at commit: nothing that a session puts off or asks for early changes it. One entry
                # is what services write; of many, a join is planned for as many.
                func="""
                    SELECT min(journal_entry_id), max(journal_entry_id), sum(amount) INTO first, last, total
                        FROM new_rows;
                    IF first < last THEN
                        first := NULL;
                        EXECUTE 'SELECT journal_entry_id, sum(amount) FROM new_rows GROUP BY 1 HAVING sum(amount) <> 0
                                 LIMIT 1' INTO last, total;
                        EXECUTE 'SELECT n.journal_entry_id FROM (SELECT DISTINCT journal_entry_id FROM new_rows) n
                                 LEFT JOIN payments_journalentry j ON j.id = n.journal_entry_id
                                 WHERE j.txid IS DISTINCT FROM pg_current_xact_id() LIMIT 1' INTO first;
                    ELSIF (SELECT txid FROM payments_journalentry WHERE id = first)
                        IS NOT DISTINCT FROM pg_current_xact_id() THEN
                        first := NULL;
                    END IF;
                    IF first IS NOT NULL THEN
                        RAISE EXCEPTION 'entry % is sealed: no line is added to it', first
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_sealed';
                    END IF;
                    IF total <> 0 THEN
                        RAISE EXCEPTION 'lines of entry % add up to %', last, total
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'journal_balanced';
                    END IF;
                    RETURN NULL;
                """,
            ),
            # The pot shows on the page of its pool.
            *tells_pages(
                "'pool:' || a.pool_id",
                joined="JOIN payments_account a ON (a.id, a.kind) = (n.account_id, 'prize_pot')",
                update=False,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+} on {self.account_id}"


class Checkpoint(models.Model):
    """What an account had come to, up to a line: so that nobody adds up a million lines to show a pot."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="checkpoints", db_index=False)
    through_posting_id = models.BigIntegerField()
    balance = models.BigIntegerField()
    credits = models.BigIntegerField(help_text="How many lines of it were credits.")
    debits = models.BigIntegerField(help_text="How many were debits.")
    made_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "through_posting_id"], name="checkpoint_unique"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.account_id} through {self.through_posting_id}"
