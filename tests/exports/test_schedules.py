"""Reports that come by themselves: each period once, by the clock of the finance zone, also those that were missed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import DatabaseError, transaction

from accounts.models import User
from config import outbox
from config.errors import DomainError
from payments.exports import work
from payments.exports.schedules import (
    Plan,
    create_schedule,
    delete_schedule,
    due_at,
    is_late,
    run_due_schedules,
    start_schedule,
    stop_schedule,
)
from payments.models import Every, Export, ExportSchedule, FileFormat
from payments.reports import REPORTS
from tests.factories.accounts import ModeratorFactory

pytestmark = pytest.mark.django_db
BEGUN = datetime(2026, 3, 6, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def zone(settings):
    settings.FINANCE_TIME_ZONE = ZoneInfo("America/New_York")


def daily(by, *, now=BEGUN, recipients=(), **changes):
    plan = Plan(**{"name": "Daily", "report": "numbers", "file_format": FileFormat.CSV, "every": Every.DAY} | changes)
    return create_schedule(plan=plan, recipients=recipients, by=by, now=now)


def periods():
    return list(Export.objects.order_by("id").values_list("parameters__first_day", "parameters__last_day"))


def test_a_day_is_reported_the_morning_after_in_the_finance_zone(numbers, finance):
    daily(finance)
    # Six in the morning of the 7th in New York is eleven o'clock in UTC; on the 8th the clocks go forward.
    assert run_due_schedules(now=datetime(2026, 3, 7, 10, 59, tzinfo=UTC)) == 0
    assert run_due_schedules(now=datetime(2026, 3, 7, 11, 0, tzinfo=UTC)) == 1
    assert run_due_schedules(now=datetime(2026, 3, 7, 23, 0, tzinfo=UTC)) == 0
    assert run_due_schedules(now=datetime(2026, 3, 8, 9, 59, tzinfo=UTC)) == 0
    assert run_due_schedules(now=datetime(2026, 3, 8, 10, 0, tzinfo=UTC)) == 1
    assert periods() == [("2026-03-06", "2026-03-06"), ("2026-03-07", "2026-03-07")]


def test_missed_days_are_caught_up_and_none_twice(numbers, finance):
    daily(finance)
    now = datetime(2026, 3, 20, 12, tzinfo=UTC)
    assert run_due_schedules(now=now) == 14
    assert run_due_schedules(now=now) == 0
    assert [first for first, _ in periods()] == [f"2026-03-{day:02}" for day in range(6, 20)]


def test_a_month_is_reported_on_the_first_of_the_next(numbers, finance):
    schedule = daily(finance, every=Every.MONTH, first=date(2026, 1, 17))
    assert run_due_schedules(now=datetime(2026, 3, 1, 10, tzinfo=UTC)) == 1
    assert run_due_schedules(now=datetime(2026, 3, 1, 11, tzinfo=UTC)) == 1
    assert periods() == [("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")]
    schedule.refresh_from_db()
    assert schedule.next_first == date(2026, 3, 1)


def test_recipients_are_told_as_long_as_they_may(numbers, finance, colleague):
    daily(finance, recipients=[finance, colleague])
    User.objects.filter(pk=colleague.pk).update(is_active=False)
    run_due_schedules(now=datetime(2026, 3, 7, 12, tzinfo=UTC))
    assert work.write_next()
    outbox.drain()
    told = mail.outbox[-1]
    assert [letter.to for letter in mail.outbox] == [[finance.email]]
    assert "of the schedule Daily" in told.body
    assert f"/admin/payments/export/{Export.objects.get().pk}/change/" in told.body
    assert told.attachments == []


def test_stopped_means_nothing_more_and_started_means_from_now_on(numbers, finance):
    schedule = daily(finance)
    stop_schedule(schedule_id=schedule.pk, by=finance)
    assert run_due_schedules(now=datetime(2026, 3, 20, 12, tzinfo=UTC)) == 0
    start_schedule(schedule_id=schedule.pk, by=finance, now=datetime(2026, 3, 20, 12, tzinfo=UTC))
    assert run_due_schedules(now=datetime(2026, 3, 21, 12, tzinfo=UTC)) == 1
    assert periods() == [("2026-03-20", "2026-03-20")]


def test_a_report_that_is_gone_stops_its_schedule(numbers, finance, monkeypatch):
    schedule = daily(finance)
    monkeypatch.delitem(REPORTS, "numbers")
    assert run_due_schedules(now=datetime(2026, 3, 20, 12, tzinfo=UTC)) == 0
    schedule.refresh_from_db()
    assert schedule.status == "stopped"


def test_one_that_is_broken_holds_up_no_other(numbers, finance, monkeypatch):
    for kind in ("broken", "numbers"):
        monkeypatch.setitem(REPORTS, kind, replace(numbers, kind=kind))
        daily(finance, report=kind)
    monkeypatch.setitem(REPORTS, "broken", None)
    assert run_due_schedules(now=datetime(2026, 3, 7, 12, tzinfo=UTC)) == 1
    assert [export.report for export in Export.objects.all()] == ["numbers"]


def test_what_makes_no_sense_is_refused_by_name(numbers, finance, changed):
    def field_of(**changes):
        with pytest.raises(DomainError) as refusal:
            daily(finance, **changes)
        return list(refusal.value.details)

    assert field_of(report="nonsense") == ["kind"]
    assert field_of(hour=24) == ["hour"]
    assert field_of(time_zone="Mars/Olympus") == ["time_zone"]
    assert field_of(name=" ") == ["name"]
    assert field_of(first=date.max) == ["first"]
    assert field_of(first=date.min) == ["first"]
    assert field_of(options={"count": 0}) == ["count"]
    assert field_of(recipients=[ModeratorFactory()]) == ["recipients"]
    changed(needs_approval=True)
    assert field_of() == ["report"]
    assert not ExportSchedule.objects.exists()


def test_a_schedule_is_never_changed(numbers, finance):
    schedule = daily(finance)
    for change in (
        {"hour": 3},
        {"report": "x"},
        {"next_first": date(2026, 3, 5)},
        {"options": {"count": 9}},
        {"time_zone": "Asia/Tokyo"},
    ):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            ExportSchedule.objects.filter(pk=schedule.pk).update(**change)


def test_a_week_is_reported_on_the_monday_after(numbers, finance):
    # Also over the end of a month and of a year.
    daily(finance, every=Every.WEEK, first=date(2026, 1, 1))
    assert run_due_schedules(now=datetime(2026, 1, 5, 10, 59, tzinfo=UTC)) == 0
    assert run_due_schedules(now=datetime(2026, 1, 5, 11, 0, tzinfo=UTC)) == 1
    assert periods() == [("2025-12-29", "2026-01-04")]
    with pytest.raises(DatabaseError, match="schedule_weeks_begin_on_monday"), transaction.atomic():
        ExportSchedule.objects.update(next_first=date(2026, 1, 6))


@pytest.mark.parametrize(
    ("zone_name", "hour", "day", "at"),
    [
        ("Europe/Berlin", 9, date(2026, 3, 27), datetime(2026, 3, 28, 8, tzinfo=UTC)),
        # The clocks go forward on the 29th: nine o'clock is an hour earlier, and half past two is left out.
        ("Europe/Berlin", 9, date(2026, 3, 28), datetime(2026, 3, 29, 7, tzinfo=UTC)),
        ("America/New_York", 2, date(2026, 3, 7), datetime(2026, 3, 8, 7, tzinfo=UTC)),
        # And back: one o'clock comes twice, the first of the two counts.
        ("America/New_York", 1, date(2026, 10, 31), datetime(2026, 11, 1, 5, tzinfo=UTC)),
        # In Tokyo the day after has begun while in New York, whose days are reported, it has not: not before that.
        ("Asia/Tokyo", 6, date(2026, 3, 6), datetime(2026, 3, 7, 5, tzinfo=UTC)),
        ("", 6, date(2028, 2, 28), datetime(2028, 2, 29, 11, tzinfo=UTC)),
    ],
)
def test_the_hour_is_that_of_its_own_zone(numbers, finance, zone_name, hour, day, at):
    schedule = daily(finance, time_zone=zone_name, hour=hour, first=day)
    assert due_at(schedule) == at
    assert not is_late(schedule, at.replace(minute=59))
    assert is_late(schedule, at.replace(hour=at.hour + 2))


def test_who_lost_the_right_has_no_schedule_and_is_told(numbers, finance, colleague, caplog):
    schedule = daily(finance, recipients=[colleague])
    finance.groups.clear()
    assert run_due_schedules(now=datetime(2026, 3, 7, 12, tzinfo=UTC)) == 0
    assert caplog.messages == [f"schedule {schedule.pk} has stopped by itself"]
    schedule.refresh_from_db()
    assert (schedule.status, schedule.stopped_because) == (
        "stopped",
        "Fay, who made it, may not have this report any more.",
    )
    outbox.drain()
    (told,) = mail.outbox
    assert told.to == [colleague.email]
    assert f"/admin/payments/exportschedule/{schedule.pk}/change/" in told.body
    assert schedule.stopped_because in told.body
    with pytest.raises(DomainError, match="Make a schedule of your own"):
        start_schedule(schedule_id=schedule.pk, by=colleague, now=BEGUN)
    assert not Export.objects.exists()


def test_where_nobody_is_left_whoever_looks_after_schedules_is_told(numbers, finance, colleague):
    schedule = daily(finance)
    User.objects.filter(pk=finance.pk).update(is_active=False)
    run_due_schedules(now=datetime(2026, 3, 7, 12, tzinfo=UTC))
    outbox.drain()
    assert colleague.email in {address for letter in mail.outbox for address in letter.to}
    assert finance.email not in {address for letter in mail.outbox for address in letter.to}
    schedule.refresh_from_db()
    assert schedule.status == "stopped"


def test_whoever_made_it_is_told_of_a_report_that_failed(numbers, finance, changed):
    daily(finance)
    run_due_schedules(now=datetime(2026, 3, 7, 12, tzinfo=UTC))
    changed(version=2)
    work.write_next()
    outbox.drain()
    assert [letter.to for letter in mail.outbox] == [[finance.email]]
    assert "could not be written" in mail.outbox[0].body


def test_deleted_means_for_good(numbers, finance):
    schedule = daily(finance)
    delete_schedule(schedule_id=schedule.pk, by=finance)
    assert run_due_schedules(now=datetime(2026, 3, 20, 12, tzinfo=UTC)) == 0
    with pytest.raises(DomainError):
        start_schedule(schedule_id=schedule.pk, by=finance, now=BEGUN)


def test_no_period_is_written_twice_whoever_tries(numbers, finance):
    schedule = daily(finance)
    run_due_schedules(now=datetime(2026, 3, 7, 12, tzinfo=UTC))
    once = Export.objects.get()
    with pytest.raises(DatabaseError, match="export_period_once"), transaction.atomic():
        Export.objects.create(
            report="numbers", format="csv", schema_version=1, is_personal=False, origin="schedule", status="queued",
            schedule=schedule, period_first=once.period_first,
        )  # fmt: skip
