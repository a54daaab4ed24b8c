"""A change of the rules of a pool in play: proposed by one member of staff, confirmed or withdrawn by another.

What it would change is kept as it was proposed; the version of the rules that it became is written when it is
confirmed. Two proposals at once could contradict each other, so a pool has at most one that waits.
"""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.audit import feeds_each, never_deleted
from config.clock import ClockTimestamp
from config.errors import Code
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from pools.models.pool import Pool
from pools.models.rules import Rules


class AmendmentStatus(models.TextChoices):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


AMENDMENT_TRANSITIONS = {
    AmendmentStatus.PROPOSED: (AmendmentStatus.CONFIRMED, AmendmentStatus.WITHDRAWN),
}


class Amendment(HasStatus):
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="amendments")
    changes = models.JSONField(help_text="The switches that change, each with its new value.")
    reason = models.CharField(max_length=500, help_text="Every player of the pool reads it.")
    status = models.CharField(max_length=10, choices=AmendmentStatus, default=AmendmentStatus.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    rules = models.OneToOneField(
        Rules, on_delete=models.PROTECT, null=True, blank=True, related_name="amendment", help_text="What it became."
    )

    TRANSITIONS: ClassVar = AMENDMENT_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=AmendmentStatus.values), name="amendment_status_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="amendment_has_reason"),
            models.CheckConstraint(
                condition=Q(status=AmendmentStatus.PROPOSED, decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(status=AmendmentStatus.PROPOSED) & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="amendment_decision_is_named",
            ),
            models.CheckConstraint(
                condition=~Q(status=AmendmentStatus.CONFIRMED) | ~Q(decided_by=F("proposed_by")),
                name="amendment_two_names",
            ),
            models.CheckConstraint(
                condition=Q(status=AmendmentStatus.CONFIRMED, rules__isnull=False)
                | ~Q(status=AmendmentStatus.CONFIRMED) & Q(rules__isnull=True),
                name="amendment_became_rules",
            ),
            models.UniqueConstraint(
                fields=["pool"],
                condition=Q(status=AmendmentStatus.PROPOSED),
                name="amendment_one_waits",
                violation_error_code=Code.INVALID_TRANSITION,
                violation_error_message="An amendment of this pool waits already: confirm or withdraw it first.",
            ),
        ]
        triggers = [
            Guard(
                name="begins_proposed",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.status <> 'proposed' THEN
                        RAISE EXCEPTION 'an amendment begins as a proposal'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'amendment_begins_proposed';
                    END IF;
                    RETURN NEW;
                """,
            ),
            status_guard(AMENDMENT_TRANSITIONS),
            Guard(
                name="decided_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.status <> 'proposed'
                       OR (NEW.id, NEW.pool_id, NEW.changes, NEW.reason, NEW.proposed_by_id, NEW.proposed_at)
                           IS DISTINCT FROM
                          (OLD.id, OLD.pool_id, OLD.changes, OLD.reason, OLD.proposed_by_id, OLD.proposed_at) THEN
                        RAISE EXCEPTION 'amendment % stays as it was proposed and decided', OLD.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'amendment_stays';
                    END IF;
                    IF NEW.rules_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM pools_rules WHERE id = NEW.rules_id AND pool_id = NEW.pool_id
                            AND created_by_id = NEW.proposed_by_id AND confirmed_by_id = NEW.decided_by_id) THEN
                        RAISE EXCEPTION 'amendment % became rules of another pool, or by other people', OLD.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'amendment_same_names';
                    END IF;
                    RETURN NEW;
                """,
            ),
            feeds_each(
                "feed_audit_proposal",
                noun="amendment",
                verb="'proposed'",
                operation=pgtrigger.Insert,
                actor="NEW.proposed_by_id",
                reason="''",
            ),
            feeds_each(
                "feed_audit_decision",
                noun="amendment",
                verb="NEW.status",
                operation=pgtrigger.UpdateOf("status"),
                condition="OLD.status IS DISTINCT FROM NEW.status",
                actor="NEW.decided_by_id",
                reason="''",
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Amendment {self.pk} of pool {self.pool_id}"
