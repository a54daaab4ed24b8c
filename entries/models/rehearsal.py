"""A season played again on paper: one or two rule sets over the results of a competition, and what came of it.

The row holds all that is needed to do it again and get the same; nothing of it is part of any pool. Of people it knows
who asked, and nobody else.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.words import Words
from pools.models import Competition, Pool


class RehearsalState(Words):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class PickOrigin(Words):
    """Whose picks are played."""

    MADE_UP = "made_up", "Made-up players"
    POOL = "pool", "The picks of a finished pool"
    FILE = "file", "The picks of a file"


REHEARSAL_TRANSITIONS = {
    RehearsalState.QUEUED: (RehearsalState.RUNNING, RehearsalState.FAILED),
    RehearsalState.RUNNING: (RehearsalState.DONE, RehearsalState.FAILED),
}


class Rehearsal(HasStatus):
    status = models.CharField(max_length=10, choices=RehearsalState, default=RehearsalState.QUEUED)
    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="+")
    first_round_number = models.PositiveSmallIntegerField()
    last_round_number = models.PositiveSmallIntegerField()
    rule_sets = models.JSONField(help_text="One or two: where each is from, its name, and its switches.")
    origin = models.CharField(max_length=10, choices=PickOrigin, default=PickOrigin.MADE_UP)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    file_picks = models.JSONField(
        null=True, blank=True, help_text="Of each entry of the file its rounds and teams, without names."
    )
    left_out = models.JSONField(default=dict, blank=True, help_text="Lines of the file that mean nothing here.")
    entries = models.PositiveIntegerField()
    fee_cents = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, default="usd")
    seed = models.BigIntegerField(help_text="The same seed gives the same players and the same picks.")
    mix = models.JSONField(default=dict, help_text="How many in a hundred made-up players pick in which way.")
    goes_on = models.BooleanField(
        default=True, help_text="Who has no picks any more goes on as a made-up player, if the rules let them live."
    )
    rounds_done = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True, default="")
    error = models.CharField(max_length=500, blank=True, default="")
    result = models.JSONField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    finished_at = models.DateTimeField(null=True, blank=True)

    TRANSITIONS: ClassVar = REHEARSAL_TRANSITIONS

    objects = LockedQuerySet["Rehearsal"].as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RehearsalState.values), name="rehearsal_status_known"),
            models.CheckConstraint(condition=Q(origin__in=PickOrigin.values), name="rehearsal_origin_known"),
            models.CheckConstraint(
                condition=Q(origin=PickOrigin.POOL, pool__isnull=False)
                | ~Q(origin=PickOrigin.POOL) & Q(pool__isnull=True),
                name="rehearsal_pool_with_its_picks",
            ),
            models.CheckConstraint(
                condition=Q(origin=PickOrigin.FILE, file_picks__isnull=False)
                | ~Q(origin=PickOrigin.FILE) & Q(file_picks__isnull=True),
                name="rehearsal_file_with_its_picks",
            ),
            models.CheckConstraint(
                condition=Q(status=RehearsalState.DONE, result__isnull=False)
                | ~Q(status=RehearsalState.DONE) & Q(result__isnull=True),
                name="rehearsal_done_has_result",
            ),
            models.CheckConstraint(
                condition=Q(status=RehearsalState.FAILED) & ~Q(error_code="")
                | ~Q(status=RehearsalState.FAILED) & Q(error_code=""),
                name="rehearsal_failed_says_why",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="rehearsal_by_time")]
        triggers = [status_guard(REHEARSAL_TRANSITIONS)]

    def __str__(self) -> str:
        return f"Rehearsal {self.pk}"
