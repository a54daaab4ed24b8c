"""The end of a pool before its end: everybody gets their money back. Two names, and a progress that can be watched."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from pools.models import Pool


class CancellationState(models.TextChoices):
    PROPOSED = "proposed"
    RUNNING = "running"
    DONE = "done"
    WITHDRAWN = "withdrawn"


CANCELLATION_TRANSITIONS = {
    CancellationState.PROPOSED: (CancellationState.RUNNING, CancellationState.WITHDRAWN),
    CancellationState.RUNNING: (CancellationState.DONE,),
}


class Cancellation(HasStatus):
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="cancellations")
    status = models.CharField(max_length=10, choices=CancellationState, default=CancellationState.PROPOSED)
    reason = models.CharField(max_length=500)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    places_total = models.PositiveIntegerField(default=0, db_default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = CANCELLATION_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("propose_cancellation", "Can propose to cancel a pool"),
            ("confirm_cancellation", "Can confirm what another proposed"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["pool"], condition=~Q(status=CancellationState.WITHDRAWN), name="cancellation_once"
            ),
            models.CheckConstraint(condition=Q(status__in=CancellationState.values), name="cancellation_status_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="cancellation_has_reason"),
            models.CheckConstraint(
                condition=Q(status__in=(CancellationState.PROPOSED, CancellationState.WITHDRAWN))
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decided_by=F("proposed_by")),
                name="cancellation_two_names",
            ),
        ]
        triggers = [
            status_guard(CANCELLATION_TRANSITIONS),
            *record_status("payments_cancellationchange", ("decided_by_id", "places_total")),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Cancellation of pool {self.pool_id}"


class CancellationChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("cancellation")]

    def __str__(self) -> str:
        return f"Change {self.pk} of cancellation {self.subject_id}"
