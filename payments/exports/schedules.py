"""Reports that come by themselves: a row for each period that is over, also for days on which nothing ran."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db import transaction

from accounts.models import User
from config import metrics, outbox
from config.audit import attribute
from config.clock import finance_date, last_of_month
from config.errors import Code, Conflict, DomainError, invalid
from config.phrases import phrase
from config.versions import Seen, refuse_stale
from payments.exports.asking import scheduled_export
from payments.exports.rights import check_may_export, may_export
from payments.exports.writing import checked
from payments.models import Every, ExportSchedule, FileFormat, ScheduleState
from payments.reports import REPORTS, Narrowing
from payments.reports.base import Days, check_day

logger = logging.getLogger(__name__)

# Of one schedule in one sweep: a year that was missed is caught up in some minutes, without filling the queue.
MOST_AT_ONCE = 40
A_WEEK = 7
# A sweep comes every five minutes: what is this much later was not swept at all, or waits behind what it has missed.
LATE = timedelta(hours=1)

# By the westernmost clock there is, so that no zone has to be reckoned with.
metrics.counted_when_looked(
    "export_schedules_late", "Schedules whose next report should have been asked for an hour ago and was not.", (),
    "SELECT count(*) FROM payments_exportschedule WHERE status = 'active'"
    " AND next_first + CASE every WHEN 'day' THEN interval '1 day' WHEN 'week' THEN interval '7 days'"
    " ELSE interval '1 month' END + interval '1 hour' * (hour + 14) < clock_timestamp() AT TIME ZONE 'UTC'",
)  # fmt: skip
metrics.counted_when_looked(
    "export_schedules_stopped", "Schedules that stopped by themselves and wait for a person.", (),
    "SELECT count(*) FROM payments_exportschedule WHERE status = 'stopped' AND stopped_because <> ''",
)  # fmt: skip
metrics.counted_when_looked(
    "exports_failed", "Reports that could not be written and wait for a person.", (),
    "SELECT count(*) FROM payments_export WHERE status = 'failed'",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What a schedule is to be: which report, how narrowed, how often, for whom."""

    name: str
    report: str
    file_format: FileFormat
    every: Every
    hour: int = 6
    time_zone: str = ""
    pool_id: int | None = None
    options: Mapping[str, Any] | None = None
    first: date | None = None


@transaction.atomic
def create_schedule(*, plan: Plan, recipients: Iterable[User], by: User, now: datetime) -> ExportSchedule:
    """Have a report written for every day, week or month from now on, or from `first` on: the period it is in is the
    first.

    Refuses what an export itself would be refused for, a report that needs a second name each time, a time zone that
    does not exist, and recipients who may not export it.
    """
    check_day("first", plan.first)
    first = first_of(plan.first or finance_date(now), plan.every)
    narrowing = narrowing_for(plan.report, plan.pool_id, plan.options or {}, first, plan.every)
    report = checked(plan.report, narrowing, plan.file_format)
    check_may_export(by, kind=report.kind, is_personal=report.is_personal)
    if report.needs_approval:
        raise invalid(
            "report", phrase("The report {kind} needs a second name each time it is written.", kind=report.kind)
        )
    if not plan.name.strip() or plan.hour > 23:
        raise invalid("hour" if plan.name.strip() else "name", "A name, and an hour from 0 to 23.")
    if plan.time_zone and plan.time_zone not in available_timezones():
        raise invalid("time_zone", phrase("There is no time zone {zone}.", zone=plan.time_zone))
    people = list(recipients)
    for person in people:
        if not may_export(person, kind=report.kind, is_personal=report.is_personal):
            raise invalid("recipients", phrase("{person} may not export this report.", person=person.email))
    attribute(by=by)
    schedule = ExportSchedule.objects.create(
        name=plan.name.strip(), report=plan.report, format=plan.file_format, pool_id=plan.pool_id,
        options=dict(plan.options or {}), every=plan.every, hour=plan.hour, time_zone=plan.time_zone, next_first=first,
        created_by=by,
    )  # fmt: skip
    schedule.recipients.set(people)
    return schedule


@transaction.atomic
def stop_schedule(*, schedule_id: int, by: User, seen: Seen = None) -> ExportSchedule:
    """No more of it, until it is started again. Refuses (VERSION_CONFLICT) one that is not as it was `seen`."""
    return _ended(schedule_id, ScheduleState.STOPPED, by, seen)


@transaction.atomic
def delete_schedule(*, schedule_id: int, by: User, seen: Seen = None) -> ExportSchedule:
    """No more of it, for good: it is not listed any more. Its row stays, and so does what came by it."""
    return _ended(schedule_id, ScheduleState.DELETED, by, seen)


def _ended(schedule_id: int, status: ScheduleState, by: User, seen: Seen) -> ExportSchedule:
    schedule = ExportSchedule.objects.locked().get(pk=schedule_id)
    refuse_stale(seen, schedule)
    schedule.move_to(status)
    attribute(by=by)
    schedule.stopped_because = ""
    schedule.save(update_fields=["status", "stopped_because"])
    return schedule


@transaction.atomic
def start_schedule(*, schedule_id: int, by: User, now: datetime, seen: Seen = None) -> ExportSchedule:
    """Go on with the period that it is now: what was missed on purpose is not caught up.

    Refuses (VERSION_CONFLICT) one that is not as it was `seen`, and one whose maker may not have the report any more.
    """
    schedule = ExportSchedule.objects.locked().get(pk=schedule_id)
    refuse_stale(seen, schedule)
    if why := _lost_right(schedule):
        raise Conflict(Code.INVALID_TRANSITION, phrase("{why} Make a schedule of your own.", why=why))
    schedule.move_to(ScheduleState.ACTIVE)
    attribute(by=by)
    schedule.stopped_because = ""
    schedule.next_first = max(schedule.next_first, first_of(finance_date(now), Every(schedule.every)))
    schedule.save(update_fields=["status", "next_first", "stopped_because"])
    return schedule


def run_due_schedules(*, now: datetime) -> int:
    """Queue the exports of all periods that are over; how many. Two at once take turns, and neither does it twice."""
    active = ExportSchedule.objects.filter(status=ScheduleState.ACTIVE, next_first__lt=finance_date(now))
    count = 0
    for schedule_id in active.values_list("pk", flat=True):
        try:
            count += _run(schedule_id, now)
        except Exception:  # whatever is wrong with one, the others are due all the same
            logger.exception("schedule %s could not be run", schedule_id)
    return count


def _run(schedule_id: int, now: datetime) -> int:
    count = 0
    while count < MOST_AT_ONCE and _run_period(schedule_id, now):
        count += 1
    return count


@transaction.atomic
def _run_period(schedule_id: int, now: datetime) -> bool:
    active = ExportSchedule.objects.locked(skip_busy=True).filter(pk=schedule_id, status=ScheduleState.ACTIVE)
    schedule = active.first()
    if schedule is None or due_at(schedule) > now:
        return False
    first, every = schedule.next_first, Every(schedule.every)
    attribute(reason=f"period from {first}")
    if why := _lost_right(schedule):
        _stop_by_itself(schedule, why)
        return False
    try:
        with transaction.atomic():
            narrowing = narrowing_for(schedule.report, schedule.pool_id, schedule.options, first, every)
            scheduled_export(schedule=schedule, narrowing=narrowing, now=now)
    except DomainError as refusal:
        # A report that is gone, or another by now: nobody asks for it a thousand times.
        _stop_by_itself(schedule, refusal.message)
        return False
    schedule.next_first = last_of(first, every) + timedelta(days=1)
    schedule.save(update_fields=["next_first"])
    return True


def _lost_right(schedule: ExportSchedule) -> str:
    """Why nothing may come of it any more; nothing as long as whoever made it may have the report."""
    maker, report = schedule.created_by, REPORTS.get(schedule.report)
    is_personal = report is not None and report.is_personal
    if may_export(maker, kind=schedule.report, is_personal=is_personal):
        return ""
    return phrase("{person}, who made it, may not have this report any more.", person=maker.display_name)


def _stop_by_itself(schedule: ExportSchedule, why: str) -> None:
    """Somebody is told, by mail and on the pages: a report that does not come is missed by nobody otherwise."""
    # Why names people: it stands on the schedule's page.
    logger.error("schedule %s has stopped by itself", schedule.pk)
    schedule.move_to(ScheduleState.STOPPED)
    schedule.stopped_because = why[:300]
    schedule.save(update_fields=["status", "stopped_because"])
    key = f"schedule-stopped-{schedule.pk}-{schedule.next_first}"
    outbox.post(kind="mail.schedule_stopped", key=key, payload={"schedule": schedule.pk})


def due_at(schedule: ExportSchedule) -> datetime:
    """When the export of its next period is written: the day after the period, at its hour, in its zone.

    Never before the period is over in the finance zone. An hour that the clocks leave out is the one after it; of one
    that comes twice, the first counts.
    """
    day = last_of(schedule.next_first, Every(schedule.every)) + timedelta(days=1)
    zone = ZoneInfo(schedule.time_zone) if schedule.time_zone else settings.FINANCE_TIME_ZONE
    over = datetime.combine(day, time(), settings.FINANCE_TIME_ZONE)
    # Instants: two times of one zone would be compared by what its clock shows.
    return max(over.astimezone(UTC), datetime.combine(day, time(schedule.hour), zone).astimezone(UTC))


def is_late(schedule: ExportSchedule, now: datetime) -> bool:
    """Whether its next report should have been asked for long ago."""
    return schedule.status == ScheduleState.ACTIVE and due_at(schedule) < now - LATE


def narrowing_for(kind: str, pool_id: int | None, options: Mapping[str, Any], first: date, every: Every) -> Narrowing:
    """The period, as far as the report can be asked for days."""
    days = REPORTS[kind].days if kind in REPORTS else Days.NONE
    return Narrowing(
        pool_id=pool_id,
        first_day=first if days is Days.BOTH else None,
        last_day=None if days is Days.NONE else last_of(first, every),
        options=options,
    )


def first_of(day: date, every: Every) -> date:
    """The first day of the period that the day is in."""
    if every is Every.WEEK:
        return day - timedelta(days=day.weekday())
    return day if every is Every.DAY else day.replace(day=1)


def last_of(first: date, every: Every) -> date:
    """The last day of the period."""
    if every is Every.WEEK:
        return first + timedelta(days=A_WEEK - 1)
    return first if every is Every.DAY else last_of_month(first)
