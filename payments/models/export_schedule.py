"""Reports that come by themselves, every day, week or month."""

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


class ScheduleState(Words):
    ACTIVE = "active"
    STOPPED = "stopped"
    DELETED = "deleted"


class Every(Words):
    """How often; also how long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


# What a schedule is never changes: another is made, and this one stopped. So what came by it is always explained,
# also of one that is deleted: its row stays, and nothing comes of it any more.
SCHEDULE_TRANSITIONS = {
    ScheduleState.ACTIVE: (ScheduleState.STOPPED, ScheduleState.DELETED),
    ScheduleState.STOPPED: (ScheduleState.ACTIVE, ScheduleState.DELETED),
}


class ExportSchedule(HasStatus):
    """`next_first` is the first day of the next period to report on, in the finance zone.

    It is written at `hour` of `time_zone` (the finance zone where that is empty), on the day after the period, and
    never before the period is over. `stopped_because` says why it stopped by itself; nothing where a person stopped it.
    """

    name = models.CharField(max_length=80)
    report = models.CharField(max_length=40)
    format = models.CharField(max_length=10)
    pool_id = models.BigIntegerField(null=True, blank=True)
    options = models.JSONField(default=dict, blank=True)
    every = models.CharField(max_length=5, choices=Every)
    hour = models.PositiveSmallIntegerField(
        default=6, help_text="From which hour on, in its time zone, of the day after the period."
    )
    time_zone = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="By name; empty: the finance zone."
    )
    next_first = models.DateField()
    status = models.CharField(max_length=10, choices=ScheduleState, default=ScheduleState.ACTIVE)
    stopped_because = models.CharField(max_length=300, blank=True, default="", db_default="")
    recipients = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    TRANSITIONS: ClassVar = SCHEDULE_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ScheduleState.values), name="schedule_status_known"),
            models.CheckConstraint(condition=Q(hour__lte=23), name="schedule_hour"),
            models.CheckConstraint(
                condition=~Q(every=Every.MONTH) | Q(next_first__day=1), name="schedule_months_begin_on_the_first"
            ),
            models.CheckConstraint(
                condition=~Q(every=Every.WEEK) | Q(next_first__iso_week_day=1), name="schedule_weeks_begin_on_monday"
            ),
            models.CheckConstraint(
                condition=Q(stopped_because="") | ~Q(status=ScheduleState.ACTIVE), name="schedule_stopped_for_a_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["next_first"], condition=Q(status=ScheduleState.ACTIVE), name="schedule_active")
        ]
        triggers = [
            status_guard(SCHEDULE_TRANSITIONS),
            Guard(
                name="schedule_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.name, NEW.report, NEW.format, NEW.pool_id, NEW.options, NEW.every, NEW.hour,
                        NEW.time_zone, NEW.created_by_id)
                       IS DISTINCT FROM (OLD.name, OLD.report, OLD.format, OLD.pool_id, OLD.options, OLD.every,
                        OLD.hour, OLD.time_zone, OLD.created_by_id)
                       OR NEW.next_first < OLD.next_first THEN
                        RAISE EXCEPTION 'a schedule is stopped and another made, never changed'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'schedule_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_exportschedulechange", ("stopped_because",)),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.name


class ExportScheduleChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("export_schedule")]

    def __str__(self) -> str:
        return f"Change {self.pk} of schedule {self.subject_id}"
