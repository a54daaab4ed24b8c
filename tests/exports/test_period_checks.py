"""Before a month is closed: what should be true, what is not, and in numbers what is sealed."""

from datetime import UTC, date, datetime

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from payments.exports.schedules import Plan, create_schedule
from payments.models import Discrepancy, DiscrepancyKind, Every, FeedCursor, FileFormat, PeriodClose, Receipt
from payments.services.period_checks import checks_of
from tests.factories.payments import unapplied_money
from tests.support.ledger import posted

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


def test_what_should_be_true_before_a_month_is_closed_is_said_with_its_numbers(as_finance, client, colleague):
    posted(5000, at=datetime(2026, 1, 10, tzinfo=UTC))
    Discrepancy.objects.create(
        kind=DiscrepancyKind.NOT_BOOKED, object_key="receipt:1", sentence="x", suggestion="y",
        opened_at=datetime(2026, 1, 20, tzinfo=UTC),
    )  # fmt: skip
    as_finance.post("/admin/payments/periodclose/propose/", {"month": "2026-01"})
    period = PeriodClose.objects.get()
    client.force_login(colleague)

    page = as_finance.get(f"/admin/payments/periodclose/{period.pk}/change/").content.decode()
    assert "1 open from before its end, 0 of them urgent." in page
    assert "They have not been asked since the month ended." in page
    assert "/admin/payments/receipt/?look_at=unapplied" in page
    asked = client.post("/admin/payments/periodclose/", {"action": "close", ACTION_CHECKBOX_NAME: [period.pk]})
    said = " ".join(asked.context["sentences"])
    assert "January 2026, USD, test: 1 entries, debits 50.00 USD, credits 50.00 USD." in said
    assert "No discrepancy is open: 1 open from before its end" in said
    assert "never opened again" in said


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
