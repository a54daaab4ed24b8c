"""A day of finance in a real browser: a report, a doubt and the books behind it, a month that two people close."""

import pytest

from config.clock import database_now, finance_date
from payments.exports import storage, work
from payments.ledger.models import Account
from payments.models import Discrepancy, DiscrepancyKind, Export, ExportSchedule, PeriodClose
from tests.factories.accounts import PASSWORD, FinanceFactory
from tests.factories.payments import paid_entry
from tests.support.queue import moved, raised

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def fay(transactional_db):
    return FinanceFactory(display_name="Fay Finance", password=PASSWORD)


@pytest.fixture
def cora(transactional_db):
    return FinanceFactory(display_name="Cora Colleague", password=PASSWORD)


@pytest.fixture
def _files(transactional_db):
    """They are where the web server looks for them, and are gone with the test."""
    yield
    for export in Export.objects.exclude(file_key=""):
        storage.forget(export.file_key)


@pytest.mark.usefixtures("_files")
def test_a_report_is_looked_at_written_and_written_again(office, fay):
    paid_entry()
    office.enter(fay)
    office.open("/admin/payments/export/new/")
    office.look("reports-centre")
    office.page.click("text=General journal")
    # A period chosen shows its days; days typed in are none.
    office.page.select_option("select[name=period]", "last_year")
    today = finance_date(database_now())
    assert office.page.input_value("input[name=first_day]") == f"{today.year - 1}-01-01"
    office.page.select_option("select[name=period]", "this_year")
    office.page.click("button[name=look]")
    office.page.wait_for_selector("#preview")
    office.look("report-preview")
    shown = office.page.inner_text("#preview tbody tr:first-child")
    office.page.click("text=Write it")
    office.page.wait_for_selector("[data-export-progress]")
    assert "Queued" in office.page.inner_text("[data-words]")
    assert work.write_next()
    # The page has asked meanwhile, and shows the file.
    office.page.wait_for_selector("text=Download")
    office.look("report-written")
    export = Export.objects.get()
    assert (export.status, export.rows) == ("done", 4)
    assert "50.00" in shown
    # Every time that it is fetched is noted on its page.
    with office.page.expect_download() as fetched:
        office.page.click("button:has-text('Download')")
    assert fetched.value.suggested_filename.endswith(".csv")
    assert "50.00" in fetched.value.path().read_text()
    office.open(f"/admin/payments/export/{export.pk}/change/")
    assert export.downloads.get().by == fay
    office.look("report-fetched")
    office.open("/admin/payments/export/new/")
    office.page.click("text=Run again")
    office.page.wait_for_selector("[data-words]")
    assert Export.objects.count() == 2
    office.open("/admin/payments/export/")
    office.look("reports-history")


def test_a_report_comes_by_itself_until_it_is_stopped(office, fay):
    page = office.page
    office.enter(fay)
    office.open("/admin/payments/exportschedule/")
    page.click("a:has-text('New schedule')")
    page.wait_for_selector("text=General journal")
    office.look("schedule-reports")
    page.click("text=General journal")
    page.fill("input[name=name]", "Journal of the month")
    page.select_option("select[name=every]", "month")
    page.fill("input[name=hour]", "25")
    page.check(f"input[name=recipients][value='{fay.pk}']")
    page.click("button:has-text('Begin')")
    page.wait_for_selector("text=less than or equal to 23")
    page.fill("input[name=hour]", "7")
    office.look("schedule-form")
    page.click("button:has-text('Begin')")
    page.wait_for_selector("text=Journal of the month is on.")
    schedule = ExportSchedule.objects.get()
    assert (schedule.every, schedule.hour, [*schedule.recipients.all()]) == ("month", 7, [fay])
    office.look("schedule")
    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.wait_for_selector("input[name=confirmed]", state="attached")
    office.look("schedule-stop")
    page.locator("form:has(input[name=confirmed]) button[type=submit]").click()
    page.wait_for_selector("text=1 of 1 stopped.")
    schedule.refresh_from_db()
    assert schedule.status == "stopped"


def test_a_doubt_is_taken_on_and_the_books_are_gone_through(office, fay):
    moved(-1234)
    raised(
        DiscrepancyKind.AMOUNT_MISMATCH, "receipt:7", ours={"amount_cents": 5000}, theirs={"amount_cents": 4000},
        amount_cents=1000, currency="usd",
    )  # fmt: skip
    office.enter(fay)
    office.open("/admin/payments/discrepancy/")
    office.look("reconciliation-queue")
    office.page.click("text=Assign to me >> nth=0")
    office.page.wait_for_selector("button:has-text('Look after')")
    office.look("reconciliation-step")
    office.page.click("button:has-text('Look after')")
    office.page.wait_for_url("**/admin/payments/discrepancy/")
    assert Discrepancy.objects.filter(owner=fay).count() == 1

    account = Account.objects.get(kind="suspense")
    office.open(f"/admin/payments/account/{account.pk}/change/")
    office.look("ledger-account")
    assert "the lines come to the balance" in office.page.inner_text("#statement")
    office.page.click("#statement tbody a >> nth=0")
    office.page.wait_for_url("**/journalentry/*/change/")
    office.look("ledger-entry")
    assert "Debits and credits are both 12.34 USD" in office.page.content()
    office.page.click("a:has-text('movement')")
    office.page.wait_for_url("**/movement/**")


def test_a_month_is_proposed_checked_and_closed_by_two(office, fay, cora):
    paid_entry()
    office.enter(fay)
    office.open("/admin/payments/periodclose/propose/")
    office.page.fill("input[name=month]", "2026-01")
    office.page.click("button:has-text('Propose')")
    office.page.wait_for_selector("text=Before it is closed")
    office.look("period-checks")
    assert office.page.query_selector("button[value=close]") is None
    office.page.context.clear_cookies()
    office.enter(cora)
    office.open(f"/admin/payments/periodclose/{PeriodClose.objects.get().pk}/change/")
    office.page.click("button[value=close]")
    office.page.wait_for_selector("text=never opened again")
    office.look("period-close")
    office.page.click("button:has-text('Close') >> nth=-1")
    office.page.wait_for_load_state("networkidle")
    assert PeriodClose.objects.get().status == "closed"
