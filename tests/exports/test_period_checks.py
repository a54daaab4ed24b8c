"""Before a month is closed: what should be true, what is not, and in numbers what is sealed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from payments.exports.schedules import Plan, create_schedule, run_due_schedules
from payments.models import (
    Discrepancy,
    DiscrepancyKind,
    Every,
    ExportSchedule,
    FeedCursor,
    FileFormat,
    PeriodClose,
    Receipt,
)
from payments.services.period_checks import checks_of
from payments.services.periods import propose_period
from tests.factories.payments import unapplied_money
from tests.support.ledger import posted
from tests.support.queue import raised

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


def test_what_should_be_true_before_a_month_is_closed_is_said_with_its_numbers(as_finance, client, colleague):
    posted(5000, at=datetime(2026, 1, 10, tzinfo=UTC))
    # The second was found the night after, as most of what is doubtful about a month's last day.
    for number, day in (("1", 31), ("2", 32)):
        Discrepancy.objects.create(
            kind=DiscrepancyKind.NOT_BOOKED, object_key=f"receipt:{number}", sentence="x", suggestion="y",
            opened_at=datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=day - 1),
        )  # fmt: skip
    as_finance.post("/admin/payments/periodclose/propose/", {"month": "2026-01"})
    period = PeriodClose.objects.get()
    client.force_login(colleague)

    page = as_finance.get(f"/admin/payments/periodclose/{period.pk}/change/").content.decode()
    assert "In all 2, from before its end 1, urgent 0." in page
    assert "They have not been asked since the month ended." in page
    # Nothing is sealed yet, which is not the same as a month in which nothing was booked.
    assert "Nothing was booked." not in page
    assert "/admin/payments/receipt/?look_at=unapplied" in page
    asked = client.post("/admin/payments/periodclose/", {"action": "close", ACTION_CHECKBOX_NAME: [period.pk]})
    said = " ".join(asked.context["sentences"])
    assert "January 2026, USD, test: entries 1, debits 50.00 USD, credits 50.00 USD." in said
    assert "No discrepancy is open: In all 2, from before its end 1, urgent 0." in said
    assert "never opened again" in said


def test_what_is_booked_after_the_page_was_read_is_not_sealed_unread(as_finance, client, finance, colleague):
    posted(5000, at=datetime(2026, 1, 10, tzinfo=UTC))
    period = propose_period(first_day=date(2026, 1, 1), by=finance, now=database_now())
    client.force_login(colleague)
    chosen = {"action": "close", ACTION_CHECKBOX_NAME: [period.pk]}
    read = client.post("/admin/payments/periodclose/", chosen).context["hidden"]
    posted(700, at=datetime(2026, 1, 31, 12, tzinfo=UTC))
    answer = client.post("/admin/payments/periodclose/", {**chosen, **read, "confirmed": "1"})
    assert "More was booked since you looked" in str(next(iter(get_messages(answer.wsgi_request))))
    period.refresh_from_db()
    assert period.status == "proposed"
    read = client.post("/admin/payments/periodclose/", chosen).context["hidden"]
    client.post("/admin/payments/periodclose/", {**chosen, **read, "confirmed": "1"})
    period.refresh_from_db()
    assert (period.status, period.entries) == ("closed", 2)


def test_the_checklist_knows_each_fault_and_costs_the_same_with_more_of_it(finance, numbers):
    def found():
        with CaptureQueriesContext(connection) as asked:
            checks = checks_of(date(2026, 1, 1), date(2026, 1, 31))
        return {one.name: one.holds for one in checks}, len(asked)

    clean, few = found()
    assert clean == {
        "tie_outs": None, "read": None, "bank": None, "doubts": True, "money": True, "names": True, "reports": True,
    }  # fmt: skip
    plan = {"name": "Daily", "report": "numbers", "file_format": FileFormat.CSV, "every": Every.DAY}
    for _ in range(3):
        create_schedule(plan=Plan(**plan, first=date(2026, 1, 5)), recipients=[], by=finance, now=database_now())
        FeedCursor.objects.get_or_create(provider="stripe", through=datetime(2026, 1, 30, tzinfo=UTC))
        unapplied_money()
    Receipt.objects.update(received_at=datetime(2026, 1, 3, tzinfo=UTC))
    known, more = found()
    assert (known["reports"], known["read"], known["money"]) == (False, False, False)
    assert more <= few


def test_a_doubt_that_came_up_after_the_month_is_open_all_the_same(finance):
    assert doubts_of_january().holds
    raised(DiscrepancyKind.CLEARING_TIEOUT_DIFF, "tie_out:1")
    found = doubts_of_january()
    assert (found.holds, found.found) == (False, "In all 1, from before its end 0, urgent 1.")


def doubts_of_january():
    return next(one for one in checks_of(date(2026, 1, 1), date(2026, 1, 31)) if one.name == "doubts")


def test_a_weeks_report_belongs_to_the_month_in_which_the_week_ends(finance, numbers, monkeypatch):
    """From the 29th of December to the 4th of January: it cannot be written before December is over."""
    plan = Plan(name="Weekly", report="numbers", file_format=FileFormat.CSV, every=Every.WEEK, first=date(2025, 12, 29))
    create_schedule(plan=plan, recipients=[], by=finance, now=database_now())
    months = ((date(2025, 12, 1), date(2025, 12, 31)), (date(2026, 1, 1), date(2026, 1, 31)))

    def missing():
        return [next(one for one in checks_of(*month) if one.name == "reports").holds for month in months]

    assert missing() == [True, False]
    assert run_due_schedules(now=datetime(2026, 1, 6, tzinfo=UTC)) == 1
    # It is asked for, and not written.
    ExportSchedule.objects.update(status="stopped")
    assert missing() == [True, False]


def test_a_schedule_that_stopped_later_lacks_nothing_of_the_month(finance, numbers):
    plan = Plan(name="Daily", report="numbers", file_format=FileFormat.CSV, every=Every.DAY, first=date(2026, 2, 3))
    create_schedule(plan=plan, recipients=[], by=finance, now=database_now())
    ExportSchedule.objects.update(status="stopped", stopped_because="Its maker is gone.")
    found = [
        next(one for one in checks_of(*month) if one.name == "reports").holds
        for month in ((date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 2, 1), date(2026, 2, 28)))
    ]
    assert found == [True, False]
