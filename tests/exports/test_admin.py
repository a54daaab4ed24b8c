"""The reports centre in the back office: asked for, watched, fetched; for finance and admins alone."""

import io

import openpyxl
import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from payments.exports import work
from payments.exports.schedules import Plan, create_schedule
from payments.models import Every, Export, ExportDownload, ExportSchedule, ExportState, FileFormat, PeriodClose
from payments.reports import REPORTS
from pools.models import Pool
from tests.factories.accounts import FinanceFactory
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory
from tests.support.exporting import wish, written

pytestmark = pytest.mark.django_db
CENTRE = "/admin/payments/export/new/"
PAGES = [
    CENTRE, f"{CENTRE}?report=payments", "/admin/payments/export/", "/admin/payments/exportschedule/",
    "/admin/payments/exportschedule/new/", "/admin/payments/exportschedule/new/?report=payments",
    "/admin/payments/periodclose/", "/admin/payments/periodclose/propose/",
]  # fmt: skip


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


def told(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def press(client, model, action, row, **fields):
    """Press an action's button for the row, and confirm."""
    data = {"action": action, ACTION_CHECKBOX_NAME: [row.pk], **fields}
    assert client.post(f"/admin/payments/{model}/", data).status_code == 200
    return told(client.post(f"/admin/payments/{model}/", {**data, "confirmed": "1"}))


@pytest.mark.parametrize("page", PAGES)
def test_finance_and_admins_see_them_and_nobody_else_does(client, page, finance, admin_user, moderator, player):
    assert client.get(page).status_code == 302
    for who, status in [(finance, 200), (admin_user, 200), (moderator, 403), (player, 302)]:
        client.force_login(who)
        assert client.get(page).status_code == status, who


def test_the_centre_offers_every_report_and_payments_lead_there(as_finance):
    page = as_finance.get(CENTRE).content.decode()
    for report in REPORTS.values():
        assert f"?report={report.kind}" in page
        assert as_finance.get(CENTRE, {"report": report.kind}).status_code == 200
    assert as_finance.get("/admin/payments/payment/reports/").headers["Location"] == CENTRE


def test_a_report_is_asked_for_watched_and_fetched(as_finance, finance):
    entry = paid_entry()
    answer = as_finance.post(f"{CENTRE}?report=entries", {"format": "xlsx", "pool": entry.pool_id})
    export = Export.objects.get()
    page = f"/admin/payments/export/{export.pk}/change/"
    assert answer.headers["Location"] == page
    progress = f"/admin/payments/export/{export.pk}/progress"
    assert f'data-export-progress="{progress}"' in as_finance.get(page).content.decode()
    assert as_finance.get(progress).json() == {
        "status": "queued",
        "words": "Queued",
        "percent": None,
        "is_at_work": True,
    }

    Export.objects.filter(pk=export.pk).update(
        status=ExportState.RUNNING, touched_at=database_now(), rows_done=1500, rows_expected=2000
    )
    assert as_finance.get(progress).json()["words"] == "Running: 1,500 rows of about 2,000"
    assert as_finance.get(progress).json()["percent"] == 75
    Export.objects.filter(pk=export.pk).update(status=ExportState.QUEUED)
    assert work.write_next()

    shown = as_finance.get(page).content.decode()
    assert "data-export-progress" not in shown
    assert "Download" in shown
    assert as_finance.get(progress).json()["is_at_work"] is False
    answer = as_finance.post(f"/admin/payments/export/{export.pk}/download")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert (book.title, book.max_row) == ("Entries", 2)
    export.refresh_from_db()
    name = f'attachment; filename="entries-pool-{entry.pool_id}-export-{export.pk}.xlsx"'
    assert answer.headers["Content-Disposition"] == name
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Repr-Digest"].startswith("sha-256=:")
    assert ExportDownload.objects.get().by == finance
    assert finance.email in as_finance.get(page).content.decode()


def test_a_download_is_a_deed_and_not_a_look(as_finance, numbers, finance):
    export = written(finance)
    assert as_finance.get(f"/admin/payments/export/{export.pk}/download").status_code == 405
    waiting = wish(finance)
    answer = as_finance.post(f"/admin/payments/export/{waiting.pk}/download")
    assert told(answer) == ["There is no file of this export."]
    assert as_finance.post(f"/admin/payments/export/{waiting.pk + 1}/download").status_code == 302


def test_others_neither_fetch_nor_watch(client, moderator, player, numbers, finance):
    export = written(finance)
    for who in (moderator, player):
        client.force_login(who)
        assert client.get(f"/admin/payments/export/{export.pk}/progress").status_code in (302, 403)
        client.post(f"/admin/payments/export/{export.pk}/download")
    assert not ExportDownload.objects.exists()


def test_mistakes_stand_beside_their_field(as_finance, numbers):
    def errors(**given):
        answer = as_finance.post(f"{CENTRE}?report=numbers", {"format": "csv", **given})
        assert answer.status_code == 200
        return {name: list(messages) for name, messages in answer.context["form"].errors.items()}

    assert errors(first_day="2026-02-01", last_day="2026-01-01") == {"last_day": ["2026-01-01 is before 2026-02-01."]}
    assert list(errors(option_count="0")) == ["option_count"]
    assert list(errors(option_count="x")) == ["option_count"]
    assert errors(like="77") == {"like": ["There is no export 77."]}
    assert list(errors(pool="77")) == ["pool"]
    assert list(errors(format="pdf")) == ["format"]
    assert list(errors(first_day="nonsense")) == ["first_day"]
    assert not Export.objects.exists()


def test_a_second_name_is_given_in_the_list(client, numbers, changed, finance, colleague):
    changed(needs_approval=True)
    export, other = wish(finance), wish(finance)
    client.force_login(finance)
    assert press(client, "export", "approve", export) == ["1 of 1 refused: Somebody else has to agree to your export."]
    client.force_login(colleague)
    assert press(client, "export", "approve", export) == ["1 of 1 approved."]
    assert press(client, "export", "cancel", other, reason="No.") == ["1 of 1 cancelled."]
    work.write_next()
    assert press(client, "export", "compare_again", export) == ["1 of 1 queued."]
    work.write_next()
    page = client.get(f"/admin/payments/export/{Export.objects.latest('pk').pk}/change/").content.decode()
    assert "The same bytes came out." in page


def test_schedules_and_who_may_be_told_cost_the_same_at_one_and_at_three(as_finance, numbers, finance):
    def queries(address):
        with CaptureQueriesContext(connection) as asked:
            assert as_finance.get(address).status_code == 200
        return len(asked)

    def schedule():
        plan = Plan(name="Daily", report="numbers", file_format=FileFormat.CSV, every=Every.DAY)
        create_schedule(plan=plan, recipients=[finance], by=finance, now=database_now())

    pages = ("/admin/payments/exportschedule/", "/admin/payments/exportschedule/new/?report=entries")
    schedule()
    for page in pages:
        queries(page)
    few = [queries(page) for page in pages]
    schedule(), schedule(), FinanceFactory(), FinanceFactory()
    assert [queries(page) for page in pages] == few


def test_only_who_may_have_a_report_is_offered_to_be_told(as_finance, finance, moderator, admin_user):
    alone = FinanceFactory()
    alone.groups.clear()
    alone.user_permissions.add(Permission.objects.get(codename="export_reports"))

    def offered(report):
        form = as_finance.get(f"/admin/payments/exportschedule/new/?report={report}").context["form"]
        return {int(value) for value, _ in form.fields["recipients"].choices}

    assert offered("journal") == {finance.pk, admin_user.pk, alone.pk}
    assert offered("entries") == {finance.pk, admin_user.pk}


def test_a_schedule_is_made_stopped_and_started(as_finance, numbers, finance):
    given = {"name": "Each day", "every": "day", "hour": "5", "format": "csv", "recipients": [finance.pk], "first": ""}
    answer = as_finance.post("/admin/payments/exportschedule/new/?report=numbers", given)
    schedule = ExportSchedule.objects.get()
    assert answer.headers["Location"] == f"/admin/payments/exportschedule/{schedule.pk}/change/"
    assert as_finance.get(answer.headers["Location"]).status_code == 200
    assert press(as_finance, "exportschedule", "stop", schedule) == ["1 of 1 stopped."]
    assert press(as_finance, "exportschedule", "start", schedule) == ["1 of 1 started again."]
    bad = as_finance.post("/admin/payments/exportschedule/new/?report=numbers", {**given, "hour": "24"})
    assert list(bad.context["form"].errors) == ["hour"]


def test_a_month_is_proposed_and_turned_down(as_finance, client, colleague):
    answer = as_finance.post("/admin/payments/periodclose/propose/", {"month": "2026-01"})
    period = PeriodClose.objects.get()
    assert answer.headers["Location"] == f"/admin/payments/periodclose/{period.pk}/change/"
    assert as_finance.get(answer.headers["Location"]).status_code == 200
    again = as_finance.post("/admin/payments/periodclose/propose/", {"month": "2026-01"})
    assert "has been proposed already" in again.content.decode()
    assert press(as_finance, "periodclose", "close", period) == [
        "1 of 1 refused: Somebody else has to close what you proposed."
    ]
    assert press(as_finance, "periodclose", "withdraw", period, reason="Later.") == ["1 of 1 withdrawn."]
    assert (
        told(as_finance.get("/admin/payments/periodclose/proof/"))[-1] == "Closed months: 0. Every one is what it was."
    )


def test_the_list_costs_no_more_with_more_rows(as_finance, numbers, finance, player):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            page = as_finance.get("/admin/payments/export/")
        for export in Export.objects.filter(parameters__pool__gt=0):
            name = Pool.objects.get(pk=export.parameters["pool"]).name
            assert f"pool {name} ({export.parameters['pool']})" in page.content.decode()
        return len(asked)

    def write():
        written(finance)
        wish(finance, pool_id=PoolFactory().pk)
        wish(finance, "audit_log", options={"actor": player.pk})

    write()
    queries()
    few = queries()
    for _ in range(3):
        write()
    assert queries() == few


def test_an_export_is_found_by_what_is_known_of_it(as_finance, numbers, finance):
    export, other = written(finance), written(finance, options={"count": 7})
    for known in (str(export.pk), str(export.ref), export.sha256):
        assert list(as_finance.get("/admin/payments/export/", {"q": known}).context["cl"].queryset) == [export], known
    for term in ("numbers", finance.email):
        assert set(as_finance.get("/admin/payments/export/", {"q": term}).context["cl"].queryset) == {export, other}
