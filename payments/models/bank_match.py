"""What a line of a bank statement is: found by the machine, or said by a person. Booked when it is made, and undone by
an entry that reverses it; never deleted."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from config.audit import never_deleted
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.triggers import Guard
from config.words import Words
from payments.models.bank import BankLine
from payments.models.manual import ManualRecord
from payments.models.provider_payout import ProviderPayout


class MatchKind(Words):
    # A provider's payout, arriving (or, turned round, going back).
    PAYOUT = "payout"
    # Cash, a cheque or a transfer that staff wrote down.
    BY_HAND = "by_hand", "Money by hand"
    # What the bank itself takes.
    BANK_FEE = "bank_fee"
    # Another business of the house's: none of these books.
    NOT_OURS = "not_ours", "Not ours"


class FoundBy(Words):
    TRACE = "trace", "Trace id"
    REFERENCE = "reference"
    AMOUNT = "amount", "Amount and day"
    PERSON = "person"


class BankMatch(models.Model):
    """`amount_cents` has the sign of the line; the matches of a line come to exactly what it is."""

    line = models.ForeignKey(BankLine, on_delete=models.PROTECT, related_name="matches")
    kind = models.CharField(max_length=10, choices=MatchKind)
    payout = models.ForeignKey(
        ProviderPayout, on_delete=models.PROTECT, null=True, blank=True, related_name="bank_matches"
    )
    record = models.ForeignKey(
        ManualRecord, on_delete=models.PROTECT, null=True, blank=True, related_name="bank_matches"
    )
    amount_cents = models.BigIntegerField()
    found_by = models.CharField(max_length=10, choices=FoundBy)
    reason = models.CharField(max_length=500, blank=True, default="")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(db_default=ClockTimestamp())
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_because = models.CharField(max_length=500, blank=True, default="")

    objects = LockedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "bank matches"
        ordering: ClassVar = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=MatchKind.PAYOUT, payout__isnull=False, record__isnull=True)
                | Q(kind=MatchKind.BY_HAND, payout__isnull=True, record__isnull=False)
                | Q(kind__in=(MatchKind.BANK_FEE, MatchKind.NOT_OURS), payout__isnull=True, record__isnull=True),
                name="bank_match_kind",
            ),
            models.CheckConstraint(condition=~Q(amount_cents=0), name="bank_match_amount"),
            models.CheckConstraint(
                condition=Q(found_by=FoundBy.PERSON, made_by__isnull=False) & ~Q(reason="")
                | Q(found_by__in=(FoundBy.TRACE, FoundBy.REFERENCE, FoundBy.AMOUNT), made_by__isnull=True),
                name="bank_match_is_named",
            ),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True, undone_because="")
                | Q(undone_at__isnull=False, undone_by__isnull=False) & ~Q(undone_because=""),
                name="bank_match_undone",
            ),
            # It arrives once, and goes back once; so does a prize by hand, the other way round.
            models.UniqueConstraint(
                models.F("payout"),
                models.Func("amount_cents", function="sign"),
                condition=Q(undone_at__isnull=True, payout__isnull=False),
                name="bank_match_payout_once",
            ),
            models.UniqueConstraint(
                models.F("record"),
                models.Func("amount_cents", function="sign"),
                condition=Q(undone_at__isnull=True, record__isnull=False),
                name="bank_match_record_once",
            ),
        ]
        triggers = [
            Guard(
                name="bank_match_fits",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("of", "record"), ("other", "record")],
                func="""
                    SELECT l.status, l.currency, l.amount_cents, a.livemode INTO of
                        FROM payments_bankline l JOIN payments_bankaccount a ON a.id = l.account_id
                        WHERE l.id = NEW.line_id FOR NO KEY UPDATE OF l;
                    IF of.status IS DISTINCT FROM 'waiting' THEN
                        RAISE EXCEPTION 'line % is matched', NEW.line_id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_of_waiting';
                    END IF;
                    IF NEW.undone_at IS NOT NULL THEN
                        RAISE EXCEPTION 'a match begins as one'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_undone';
                    END IF;
                    IF NEW.payout_id IS NOT NULL THEN
                        -- It arrives with its own sign, and goes back with the other.
                        SELECT currency, livemode, abs(amount_cents) * sign(NEW.amount_cents)::bigint AS cents
                            INTO other FROM payments_providerpayout WHERE id = NEW.payout_id;
                    ELSIF NEW.record_id IS NOT NULL THEN
                        -- Out or in as it passed; a prize that came back is in the bank again.
                        SELECT m.currency, coalesce(p.livemode, r.livemode, o.livemode, c.livemode) AS livemode,
                               m.amount_cents * CASE WHEN o.status = 'returned' THEN sign(NEW.amount_cents)
                                   WHEN m.refund_id IS NULL AND m.payout_id IS NULL THEN 1 ELSE -1 END::bigint AS cents
                            INTO other FROM payments_manualrecord m
                            LEFT JOIN payments_payment p ON p.id = m.payment_id
                            LEFT JOIN payments_refund r ON r.id = m.refund_id
                            LEFT JOIN payments_payout o ON o.id = m.payout_id
                            LEFT JOIN payments_prizecorrection c ON c.id = m.correction_id
                            WHERE m.id = NEW.record_id AND m.status = 'confirmed';
                    ELSE
                        RETURN NEW;
                    END IF;
                    IF (other.currency, other.livemode, other.cents)
                       IS DISTINCT FROM (of.currency, of.livemode, NEW.amount_cents) THEN
                        RAISE EXCEPTION 'a match is of the amount, currency and mode of both'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_fits';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="bank_match_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.undone_at IS NOT NULL
                       OR (to_jsonb(NEW) - ARRAY['undone_at', 'undone_by_id', 'undone_because'])
                       IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['undone_at', 'undone_by_id', 'undone_because']) THEN
                        RAISE EXCEPTION 'a match is undone once, and else stays as it was made'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'bank_match_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: line {self.line_id}"
