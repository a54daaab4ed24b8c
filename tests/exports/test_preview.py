"""The first rows of a report: the very cells of its file, of the same instant, and for nobody else."""

import csv
import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.admin.report_periods import periods
from payments.exports import work
from payments.exports.preview import ROWS, seen_at
from payments.exports.rows import Pace
from payments.models import Export
from payments.reports.as_of import TABLES
from tests.factories.accounts import FinanceFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory
from tests.support.exporting import content, wish, written
from tests.support.ledger import posted

pytestmark = pytest.mark.django_db
CENTRE = "/admin/payments/export/new/"


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


def look(client, report, **given):
    answer = client.post(f"{CENTRE}?report={report}", {"format": "csv", "look": "1", **given})
    assert answer.status_code == 200
    return answer


def test_its_cells_are_those_of_the_file_and_its_file_is_of_the_same_instant(as_finance, finance):
    posted(5000)
    found = look(as_finance, "journal", option_money="test").context
    posted(700)
    as_finance.post(f"{CENTRE}?report=journal", {"format": "csv", "option_money": "test", "seen": found["seen"]})
    assert work.write_next()
    heading, *rows = csv.reader(io.StringIO(content(Export.objects.get()).decode(), newline=""))
    preview = found["preview"]
    assert [column.name for column in preview.columns] == heading
    # Of the entry that was booked since, nothing is in the file.
    assert preview.rows == rows
    assert len(rows) == 2
    assert Export.objects.get().bounds == dict(preview.as_of.bounds)


def test_who_looked_at_the_books_of_an_earlier_export_and_empties_it_gets_those_of_now(as_finance, numbers, finance):
    earlier = written(finance)
    found = look(as_finance, "numbers", like=earlier.pk).context
    assert dict(found["preview"].as_of.bounds) == earlier.bounds
    as_finance.post(f"{CENTRE}?report=numbers", {"format": "csv", "seen": found["seen"]})
    assert Export.objects.latest("pk").as_of is None
    as_finance.post(f"{CENTRE}?report=numbers", {"format": "csv", "seen": found["seen"], "like": earlier.pk})
    assert Export.objects.latest("pk").bounds == earlier.bounds


def test_an_export_without_an_instant_is_no_instant_to_look_at(as_finance, numbers, finance):
    answer = look(as_finance, "numbers", like=wish(finance).pk)
    assert list(answer.context["form"].errors) == ["like"]
    assert answer.context["preview"] is None


def test_no_more_than_the_first_rows_are_shown_and_harmless(as_finance, numbers, changed):
    found = look(as_finance, "numbers", option_count="100000").context["preview"]
    assert (len(found.rows), found.has_more, found.rows[0]) == (ROWS, True, ["1", "name 1", "1.00", "100", "usd"])
    changed(sql=numbers.sql.replace("'name '", "'=name '"))
    assert look(as_finance, "numbers").context["preview"].rows[0][1] == "'=name 1"


def test_what_takes_too_long_is_said_and_the_form_stays(as_finance, numbers, changed, monkeypatch):
    changed(sql=numbers.sql.replace("'name '", "pg_sleep(2)::text"))
    monkeypatch.setattr("payments.exports.preview.PACE", Pace(longest="50ms", rows_at_once=ROWS + 1, fraction="0.01"))
    answer = look(as_finance, "numbers")
    assert "too long to be waited for" in answer.content.decode()
    assert answer.context["preview"] is None


def test_what_needs_a_second_name_or_another_right_is_not_shown_before(as_finance, numbers, changed):
    changed(needs_approval=True)
    assert "nothing of it is shown before" in look(as_finance, "numbers").content.decode()
    changed(needs_approval=False, permission="config.view_auditentry")
    answer = look(as_finance, "numbers")
    assert "You may not export this report." in answer.content.decode()
    assert answer.context["preview"] is None


def test_a_report_of_people_is_looked_at_after_a_fresh_sign_in_alone(as_finance):
    paid_entry()
    session = as_finance.session
    session["authenticated_at"] = 0
    session.save()
    asked = look(as_finance, "entries")
    assert "reauthenticate_password" in asked.content.decode()
    assert "preview" not in asked.context


def test_a_token_of_another_report_or_a_forged_one_is_none(as_finance, numbers):
    seen = look(as_finance, "numbers").context["seen"]
    assert set(seen_at(seen, "numbers").bounds) == set(TABLES)
    assert seen_at(seen, "journal") is None
    assert seen_at(seen + "x", "numbers") is None
    assert seen_at("", "numbers") is None


def test_a_look_costs_the_same_at_one_row_and_at_many(as_finance, numbers):
    def queries(count):
        with CaptureQueriesContext(connection) as asked:
            look(as_finance, "numbers", option_count=count)
        return len(asked)

    queries("1")
    assert queries("1") == queries("3") <= 30


def test_periods_are_those_of_the_calendar():
    def days(today):
        return [(one.name, str(one.first), str(one.last)) for one in periods(today)]

    assert days(date(2028, 3, 31)) == [
        ("this_month", "2028-03-01", "2028-03-31"), ("last_month", "2028-02-01", "2028-02-29"),
        ("this_quarter", "2028-01-01", "2028-03-31"), ("last_quarter", "2027-10-01", "2027-12-31"),
        ("this_year", "2028-01-01", "2028-12-31"), ("last_year", "2027-01-01", "2027-12-31"),
    ]  # fmt: skip
    assert days(date(2026, 1, 1))[1] == ("last_month", "2025-12-01", "2025-12-31")
    assert days(date(2026, 12, 31))[2] == ("this_quarter", "2026-10-01", "2026-12-31")


def test_a_period_stands_for_its_days_and_other_days_beside_it_are_refused(as_finance, numbers):
    def asked(**given):
        return as_finance.post(f"{CENTRE}?report=numbers", {"format": "csv", **given})

    asked(period="last_year")
    export = Export.objects.get()
    assert (export.parameters["first_day"][4:], export.parameters["last_day"][4:]) == ("-01-01", "-12-31")
    wrong = asked(period="last_year", first_day="2020-05-01")
    assert list(wrong.context["form"].errors) == ["first_day"]
    assert list(asked(period="for_ever").context["form"].errors) == ["period"]


def test_a_period_is_the_one_that_stood_in_the_form_also_after_midnight(as_finance, numbers):
    shown = as_finance.get(f"{CENTRE}?report=numbers")
    today = shown.context["form"].asked_on
    assert f'<input type="hidden" name="asked_on" value="{today}">' in shown.content.decode()
    as_finance.post(f"{CENTRE}?report=numbers", {"format": "csv", "period": "this_month", "asked_on": "2026-02-28"})
    asked = Export.objects.get().parameters
    assert (asked["first_day"], asked["last_day"]) == ("2026-02-01", "2026-02-28")
    for nonsense in ("2026-02-30", "x", "0001-01-01"):
        answer = as_finance.post(f"{CENTRE}?report=numbers", {"look": "1", "period": "for_ever", "asked_on": nonsense})
        assert answer.context["form"].asked_on == today


def test_one_press_writes_the_same_again_as_of_now(as_finance, client, numbers, finance, moderator):
    first = written(finance, options={"count": 5})
    answer = as_finance.post(f"/admin/payments/export/{first.pk}/repeat")
    again = Export.objects.latest("pk")
    assert answer.headers["Location"] == f"/admin/payments/export/{again.pk}/change/"
    assert (again.report, again.parameters, again.format) == (first.report, first.parameters, first.format)
    assert (again.status, again.as_of) == ("queued", None)
    assert as_finance.get(f"/admin/payments/export/{first.pk}/repeat").status_code == 405
    assert as_finance.post("/admin/payments/export/999999/repeat").headers["Location"] == CENTRE
    begun = as_finance.get(f"{CENTRE}?report=numbers&like={first.pk}").context["form"]
    assert begun["option_count"].value() == 5
    client.force_login(moderator)
    assert client.post(f"/admin/payments/export/{first.pk}/repeat").status_code == 403
    assert Export.objects.count() == 2


def test_the_centre_names_the_pool_that_a_report_is_of(as_finance, numbers, finance):
    pool = PoolFactory(name="The Long Season")
    wish(finance, pool_id=pool.pk)
    (row,) = as_finance.get(CENTRE).context["exports"]
    assert row["about"] == f"pool The Long Season ({pool.pk}), how many 3"


def test_the_centre_costs_no_more_with_more_exports(as_finance, numbers, finance):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            as_finance.get(CENTRE)
        return len(asked)

    wish(finance)
    queries()
    few = queries()
    wish(finance), wish(FinanceFactory())
    assert queries() == few
