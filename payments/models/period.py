"""Closed months: what the books had come to, sealed. What is learned later lands in the first open day."""

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


class PeriodState(Words):
    PROPOSED = "proposed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


PERIOD_TRANSITIONS = {PeriodState.PROPOSED: (PeriodState.CLOSED, PeriodState.WITHDRAWN)}


class PeriodClose(HasStatus):
    """One month of the finance zone. Each close bears the digest of the one before, so that none is rewritten alone.

    `trial_balance` is a list of {currency, livemode, kind, pool, provider, debit, credit}, of all entries whose finance
    date is in the month or before.
    """

    first_day = models.DateField()
    last_day = models.DateField()
    status = models.CharField(max_length=10, choices=PeriodState, default=PeriodState.PROPOSED)
    trial_balance = models.JSONField(default=list, blank=True)
    entries = models.PositiveBigIntegerField(default=0, help_text="Journal entries up to its end.")
    last_entry_id = models.BigIntegerField(default=0, help_text="The last of them when it was closed.")
    open_discrepancies = models.PositiveIntegerField(default=0, help_text="How many doubts were open then.")
    previous_digest = models.CharField(max_length=64, blank=True, default="")
    digest = models.CharField(max_length=64, blank=True, default="")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(db_default=ClockTimestamp())
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = PERIOD_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-first_day", "-id"]
        permissions: ClassVar = [
            ("propose_period", "Can propose to close a month"),
            ("close_period", "Can close a month"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PeriodState.values), name="period_status_known"),
            models.UniqueConstraint(
                fields=["first_day"], condition=~Q(status=PeriodState.WITHDRAWN), name="period_closed_once"
            ),
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True) | ~Q(closed_by=F("proposed_by")), name="period_two_names"
            ),
            models.CheckConstraint(
                condition=~Q(status=PeriodState.CLOSED)
                | Q(closed_by__isnull=False, closed_at__isnull=False, digest__regex=r"^[0-9a-f]{64}$"),
                name="period_closed_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(first_day__day=1, last_day__gt=F("first_day")), name="period_is_a_month"
            ),
        ]
        triggers = [
            status_guard(PERIOD_TRANSITIONS),
            Guard(
                name="period_follows",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Condition("NEW.status = 'closed'"),
                declare=[("before", "record")],
                func="""
                    SELECT last_day, digest INTO before FROM payments_periodclose
                        WHERE status = 'closed' ORDER BY last_day DESC LIMIT 1;
                    IF NEW.last_day <> (NEW.first_day + interval '1 month')::date - 1
                       OR before.last_day IS NOT NULL AND NEW.first_day <> before.last_day + 1
                       OR NEW.previous_digest <> coalesce(before.digest, '') THEN
                        RAISE EXCEPTION 'months are closed one after another, each with the digest of the one before'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'period_follows';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="period_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.first_day, NEW.last_day, NEW.proposed_by_id)
                       IS DISTINCT FROM (OLD.first_day, OLD.last_day, OLD.proposed_by_id)
                       OR OLD.status <> 'proposed' THEN
                        RAISE EXCEPTION 'a closed month stays as it was closed'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'period_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_periodclosechange", ("closed_by_id", "digest")),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.first_day:%B %Y}"


class PeriodCloseChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("period")]

    def __str__(self) -> str:
        return f"Change {self.pk} of period {self.subject_id}"
